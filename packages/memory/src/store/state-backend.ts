/** `stateBackend()`: a `Backend` over a `State`, behind a door that a file may stand in. */
import type { Lease } from '@clew/core'
import { stale } from '../failure.ts'
import type { Backend, BatchRow, EntryRow, ListedShelf, Ticket } from './backend.ts'
import { isNewSession, newBlocks, wrongDimension } from './check.ts'
import { leaseKey } from './convert.ts'
import { lapsedArtifact, lapsedBlock, lapsedEntry, lapsedSession } from './expired.ts'
import type { Receipt } from './memory.ts'
import { ErasedError } from './memory-error.ts'
import { type Kept, type Log, type Place, raise } from './place.ts'
import type { Change, State } from './state.ts'
import { alive, checkHold, checkReplaced, isHeld, look, type Things } from './state-look.ts'
import { pruned } from './state-prune.ts'
import { search } from './state-search.ts'

export type Door = {
  read<Result>(work: (state: State) => Result): Promise<Result>
  /** Applies the change, if there is one, after it is as durable as the store makes it. `forgets`: it removes something. */
  write<Result>(work: (state: State) => { change?: Change; result: Result }, forgets?: boolean): Promise<Result>
  acquire(id: string, key: string): Promise<Lease>
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
      checkEpoch(state, ticket)
      const { change, result } = work(state)
      return { ...(change && { change: { in: ticket.path, ...change } as Change }), result }
    }, forgets)

  return {
    epoch: (path) => door.read((state) => state.epoch(path)),
    blocks: (path, which, expiry) =>
      door.read((state) =>
        which.name === undefined
          ? [...alive(state, path, 'blocks', lapsedBlock, expiry).values()].flatMap((values) => values.slice(-1))
          : (look(state, path, 'blocks', which.name, lapsedBlock, expiry) ?? []).slice(which.all ? 0 : -1),
      ),
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
    get: (path, id, expiry) => door.read((state) => rowOf(look(state, path, 'entries', id, lapsedEntry, expiry))),
    remove: (ticket, ids) =>
      write(
        ticket,
        (state) => {
          checkHold(state, ticket.path, 'Removing entries', false)
          const there = ids.filter((id) => state.find(ticket.path)?.entries.has(id))
          const change = { remove: [{ in: ticket.path, entries: there }] }
          return { ...(there.length > 0 && { change }), result: there.length }
        },
        true,
      ),
    count: (path, expiry) => door.read((state) => alive(state, path, 'entries', lapsedEntry, expiry).size),
    search: (path, needle) =>
      door.read((state) => search(state.covered(path), needle, (place) => isHeld(state, place.path))),
    putArtifact: (ticket, artifact) =>
      write(ticket, (state) => {
        const { id, written } = artifact
        const isThere = state.find(ticket.path)?.artifacts.has(id)
        return { change: isThere ? { renew: { artifact: id }, written } : { artifact }, result: undefined }
      }),
    readArtifact: (path, id, from, to, expiry) =>
      door.read((state) => {
        const { text, written } = look(state, path, 'artifacts', id, lapsedArtifact, expiry) ?? {}
        if (text === undefined || written === undefined) return undefined
        return { text: text.slice(from, to), start: from, length: text.length, written }
      }),
    readSession: (path, id, expiry) =>
      door.read((state) => batchesOf(look(state, path, 'sessions', id, lapsedSession, expiry))),
    appendSession: (ticket, id, batch) =>
      write(ticket, (state) => {
        const log = state.find(ticket.path)?.sessions.get(id)
        const there = log?.batches.get(batch.at)
        if (there?.id === batch.id) return { result: there.end }
        const end = log?.end ?? 0
        if (batch.at !== end) throw stale(id, end, batch.at)
        if (batch.end > end) return { change: { session: id, batch }, result: batch.end }
        return { ...(log && { change: { renew: { session: id }, written: batch.written } }), result: end }
      }),
    sessions: (path, expiry) => door.read((state) => [...alive(state, path, 'sessions', lapsedSession, expiry).keys()]),
    async acquire(ticket, id) {
      await door.read((state) => checkEpoch(state, ticket))
      return await door.acquire(id, leaseKey(ticket, id))
    },
    hold: (ticket, on) => write(ticket, () => ({ change: { hold: on }, result: undefined })),
    prune: (ticket, pruning) =>
      write(
        ticket,
        (state) => {
          checkHold(state, ticket.path, 'Pruning', !pruning.skipsHeld)
          const places = state.covered(ticket.path).filter(({ path }) => !isHeld(state, path))
          const { remove, receipt } = pruned(pruning.only ? places.filter(isExactly(ticket.path)) : places, pruning)
          return { ...(remove.length > 0 && { change: { remove } }), result: receipt }
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
    dump: (path, expiry) =>
      door.read((state) =>
        state.covered(path).map(({ path }) =>
          shelfOf({
            path,
            blocks: alive(state, path, 'blocks', lapsedBlock, expiry),
            entries: alive(state, path, 'entries', lapsedEntry, expiry),
            artifacts: alive(state, path, 'artifacts', lapsedArtifact, expiry),
            sessions: alive(state, path, 'sessions', lapsedSession, expiry),
          }),
        ),
      ),
    load: (ticket, shelves) =>
      write(ticket, (state) => {
        const load = shelves.map(({ path, blocks, entries, artifacts, sessions }) => {
          const place = state.find(path)
          checkReplaced(state, path, entries)
          checkDimension(place, entries)
          return {
            path,
            blocks: newBlocks([...(place?.blocks.values() ?? [])].flat(), blocks),
            entries,
            artifacts,
            sessions: sessions.filter((session) => isNewSession(batchesOf(place?.sessions.get(session.id)), session)),
          }
        })
        return { change: { load }, result: undefined }
      }),
    close: () => door.close(),
  }
}

type ChangeHere = Change extends infer Each ? (Each extends Change ? Omit<Each, 'in'> : never) : never
const isExactly = (path: readonly string[]) => (place: Place) => place.path.length === path.length

function checkEpoch(state: State, { path, epoch, scope }: Ticket): void {
  if (state.epoch(path) !== epoch) throw new ErasedError(String(scope))
}

function batchesOf(log: Log | undefined): BatchRow[] {
  return [...(log?.batches.values() ?? [])]
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

export function shelfOf({ path, blocks, entries, artifacts, sessions }: Things & Pick<Place, 'path'>): ListedShelf {
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
