/** `stateBackend()`: a `Backend` over a `State`, behind a door that a file may stand in. */
import { stale } from '../failure.ts'
import type { Backend, BatchRow, BlockRow, EntryRow, ListedShelf, Ticket } from './backend.ts'
import { isNewSession, newBlocks, wrongDimension } from './check.ts'
import type { Receipt } from './memory.ts'
import { ErasedError, HeldError } from './memory-error.ts'
import { type Kept, type Place, raise } from './place.ts'
import { Scope } from './scope.ts'
import type { Change, State } from './state.ts'
import { search } from './state-search.ts'

export type Door = {
  read<Result>(work: (state: State) => Result): Promise<Result>
  /** Applies the change, if there is one, after it is as durable as the store makes it. `forgets`: it removes something. */
  write<Result>(work: (state: State) => { change?: Change; result: Result }, forgets?: boolean): Promise<Result>
  close(): Promise<void>
}

export function stateBackend(door: Door): Backend {
  /** A change of the ticket's scope, unless it was erased. */
  const write = <Result>(
    ticket: Ticket,
    work: (state: State) => { change?: ChangeHere; result: Result },
    forgets = false,
  ) =>
    door.write((state) => {
      if (state.epoch(ticket.path) !== ticket.epoch) throw new ErasedError(String(ticket.scope))
      const { change, result } = work(state)
      return { ...(change && { change: { in: ticket.path, ...change } as Change }), result }
    }, forgets)

  return {
    epoch: (path) => door.read((state) => state.epoch(path)),
    blocks: (path, which) => door.read((state) => blocksOf(state.find(path), which)),
    writeBlock: (ticket, block) =>
      write(ticket, (state) => {
        const current = state.find(ticket.path)?.blocks.get(block.name)?.at(-1)
        if (current?.token === block.token) return { result: undefined }
        if ((current?.revision ?? 0) !== block.revision - 1) return { result: { current } }
        return { change: { block }, result: undefined }
      }),
    add: (ticket, entries) =>
      write(ticket, (state) => {
        checkReplaced(state, ticket.path, entries)
        checkDimension(state.find(ticket.path), entries)
        return { ...(entries.length > 0 && { change: { add: entries } }), result: undefined }
      }),
    get: (path, id) => door.read((state) => rowOf(state.find(path)?.entries.get(id))),
    remove: (ticket, ids) =>
      write(
        ticket,
        (state) => {
          checkHold(state, ticket.path, 'Removing entries', false)
          const there = ids.filter((id) => state.find(ticket.path)?.entries.has(id))
          return removal([{ in: ticket.path, ids: there }])
        },
        true,
      ),
    count: (path) => door.read((state) => state.find(path)?.entries.size ?? 0),
    search: (path, needle) => door.read((state) => search(state.covered(path), needle)),
    putArtifact: (ticket, artifact) =>
      write(ticket, (state) => {
        const isThere = state.find(ticket.path)?.artifacts.has(artifact.id)
        return { ...(!isThere && { change: { artifact } }), result: undefined }
      }),
    readArtifact: (path, id, from, to) =>
      door.read((state) => {
        const text = state.find(path)?.artifacts.get(id)
        return text === undefined ? undefined : { text: text.slice(from, to), start: from, length: text.length }
      }),
    readSession: (path, id) => door.read((state) => batchesOf(state.find(path), id)),
    appendSession: (ticket, id, batch) =>
      write(ticket, (state) => {
        const log = state.find(ticket.path)?.sessions.get(id)
        const there = log?.batches.get(batch.at)
        if (there?.id === batch.id) return { result: there.end }
        const end = log?.end ?? 0
        if (batch.at !== end) throw stale(id, end, batch.at)
        return { ...(batch.end > end && { change: { session: id, batch } }), result: batch.end }
      }),
    sessions: (path) => door.read((state) => [...(state.find(path)?.sessions.keys() ?? [])]),
    hold: (ticket, on) => write(ticket, () => ({ change: { hold: on }, result: undefined })),
    prune: (ticket, { kind, before, limit }) =>
      write(
        ticket,
        (state) => {
          checkHold(state, ticket.path, 'Pruning', true)
          const old = state
            .covered(ticket.path)
            .flatMap((place) => [...place.entries.values()].map((entry) => ({ in: place.path, entry })))
            .filter(({ entry }) => entry.kind === kind && entry.at < before)
            .sort((one, two) => one.entry.at - two.entry.at)
            .slice(0, limit)
          return removal(old.map(({ in: path, entry }) => ({ in: path, ids: [entry.id] })))
        },
        true,
      ),
    erase: (ticket) =>
      write(
        ticket,
        (state) => {
          checkHold(state, ticket.path, 'Erasing', true)
          return { change: { erase: true }, result: receiptOf(state.covered(ticket.path)) }
        },
        true,
      ),
    dump: (path) => door.read((state) => state.covered(path).map(shelfOf)),
    load: (ticket, shelves) =>
      write(ticket, (state) => {
        const load = shelves.map(({ path, blocks, entries, artifacts, sessions }) => {
          const place = state.find(path)
          checkReplaced(state, path, entries)
          checkDimension(place, entries)
          return {
            path,
            blocks: newBlocks(blocksOf(place, { all: true }), blocks),
            entries,
            artifacts,
            sessions: sessions.filter((session) => isNewSession(batchesOf(place, session.id), session)),
          }
        })
        return { change: { load }, result: undefined }
      }),
    close: () => door.close(),
  }
}

type ChangeHere = Change extends infer Each ? (Each extends Change ? Omit<Each, 'in'> : never) : never
type Removal = { in: readonly string[]; ids: string[] }[]

function removal(remove: Removal): { change?: ChangeHere; result: number } {
  const result = remove.reduce((sum, { ids }) => sum + ids.length, 0)
  return { ...(result > 0 && { change: { remove } }), result }
}

function blocksOf(place: Place | undefined, { name, all }: { name?: string; all?: boolean }): BlockRow[] {
  const every = name === undefined ? [...(place?.blocks.values() ?? [])] : [place?.blocks.get(name) ?? []]
  return every.flatMap((values) => (all ? values : values.slice(-1)))
}

function batchesOf(place: Place | undefined, session: string): BatchRow[] {
  return [...(place?.sessions.get(session)?.batches.values() ?? [])]
}

function checkHold(state: State, path: readonly string[], doing: string, isBelowToo: boolean): void {
  const places = [...state.chain(path), ...(isBelowToo ? state.covered(path) : [])]
  const holder = places.find(({ held }) => held)
  if (holder) throw new HeldError(doing, String(new Scope(path)), String(new Scope(holder.path)))
}

function checkReplaced(state: State, place: readonly string[], entries: EntryRow[]): void {
  const there = entries.find(({ id }) => state.find(place)?.entries.has(id))
  if (there) checkHold(state, place, `Replacing entry ${JSON.stringify(there.id)}`, false)
}

function checkDimension(place: Place | undefined, entries: EntryRow[]): void {
  const wanted = entries.find(({ vector }) => vector)?.vector?.length
  if (wanted === undefined || !place) return
  const left = new Map(place.dimensions)
  for (const id of new Set(entries.map(({ id }) => id))) {
    const { vector } = place.entries.get(id) ?? {}
    if (vector) raise(left, vector.length, -1)
  }
  for (const dimension of left.keys()) if (dimension !== wanted) throw wrongDimension([dimension, wanted])
}

function rowOf(kept: Kept | undefined): EntryRow | undefined {
  if (!kept) return undefined
  const { length: _length, ...row } = kept
  return row
}

export function shelfOf({ path, blocks, entries, artifacts, sessions }: Place): ListedShelf {
  return {
    path,
    blocks: [...blocks.values()].flat(),
    entries: [...entries.values()].map((kept) => rowOf(kept) as EntryRow),
    artifacts: [...artifacts.keys()],
    sessions: [...sessions.keys()],
  }
}

function receiptOf(places: Place[]): Receipt {
  const sum = (count: (place: Place) => number) => places.reduce((total, place) => total + count(place), 0)
  return {
    blocks: sum(({ blocks }) => blocks.size),
    blockVersions: sum(({ blocks }) => [...blocks.values()].flat().length),
    entries: sum(({ entries }) => entries.size),
    vectors: sum(({ entries }) => [...entries.values()].filter(({ vector }) => vector).length),
    artifacts: sum(({ artifacts }) => artifacts.size),
    sessions: sum(({ sessions }) => sessions.size),
  }
}
