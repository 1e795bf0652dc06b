/** `storeOver()`: a `MemoryStore` over a backend. Whatever is given is checked and copied here, before anything waits. */
import { randomUUID } from 'node:crypto'
import { InputError, type Json } from '@clew/core'
import type { Backend, BlockRow, Pruning, Ticket } from './backend.ts'
import {
  checkEntries,
  checkJson,
  checkLimit,
  checkList,
  checkName,
  checkQuery,
  checkRevision,
  checkText,
  checkTime,
} from './check.ts'
import { artifactId, toBlock, toEntry } from './convert.ts'
import { Keeper, thingsIn } from './keeper.ts'
import { exportLines, readLines } from './lines.ts'
import type { Entry, Memory, MemoryQuery, MemoryStore, PruneByHand } from './memory.ts'
import { StaleBlockError } from './memory-error.ts'
import type { RetentionOptions } from './retention.ts'
import { Scope } from './scope.ts'
import { scopedSession } from './scoped-session.ts'

export function storeOver(backend: Backend, options: RetentionOptions = {}): MemoryStore {
  const keeper = new Keeper(backend, options)
  return {
    async open(scope) {
      const path = Scope.pathOf(scope)
      return new ScopedMemory(backend, keeper, { scope, path, epoch: await backend.epoch(path) })
    },
    async close() {
      await Promise.allSettled([...keeper.leases].map((lease) => lease.release()))
      await backend.close()
    },
  }
}

class ScopedMemory implements Memory {
  readonly scope: Scope
  readonly #backend: Backend
  readonly #keeper: Keeper
  readonly #ticket: Ticket
  readonly #path: readonly string[]

  constructor(backend: Backend, keeper: Keeper, ticket: Ticket) {
    this.scope = ticket.scope
    this.#backend = backend
    this.#keeper = keeper
    this.#ticket = ticket
    this.#path = ticket.path
  }

  async readBlock(name: string) {
    const which = { name: checkName(name, 'The name of a block') }
    const [row] = await this.#backend.blocks(this.#path, which, this.#keeper.expiry())
    return row && toBlock(row)
  }

  async writeBlock(name: string, value: Json, revision: number) {
    const before = checkRevision(revision)
    const row: BlockRow = {
      name: checkName(name, 'The name of a block'),
      value: checkJson(value, `The value of block ${JSON.stringify(name)}`),
      revision: before + 1,
      token: randomUUID(),
      written: this.#keeper.now(),
    }
    const write = () => this.#backend.writeBlock(this.#ticket, row)
    let stale = await write()
    if (stale && (await this.#keeper.makeRoom(this.#ticket, { block: row.name }))) stale = await write()
    if (stale) throw new StaleBlockError(name, before, stale.current && toBlock(stale.current))
    await this.#keeper.tidy(this.#ticket)
    return toBlock(row)
  }

  async blockHistory(name: string) {
    const which = { name: checkName(name, 'The name of a block'), all: true }
    const rows = await this.#backend.blocks(this.#path, which, this.#keeper.expiry())
    return rows.slice(0, -1).map(toBlock)
  }

  async blocks() {
    const rows = await this.#backend.blocks(this.#path, {}, this.#keeper.expiry())
    return rows.map(toBlock).sort((one, two) => (one.name < two.name ? -1 : 1))
  }

  async add(entries: Entry[]) {
    const rows = checkEntries(entries)
    await this.#backend.add(this.#ticket, rows)
    await this.#keeper.tidy(this.#ticket)
  }

  async get(id: string) {
    const row = await this.#backend.get(this.#path, checkName(id, 'The id of an entry'), this.#keeper.expiry())
    return row && toEntry(row)
  }

  async remove(ids: string[]) {
    const all = checkList(ids, 'What is removed').map((id) => checkName(id, 'The id of an entry'))
    return await this.#backend.remove(this.#ticket, [...new Set(all)].sort())
  }

  async count() {
    return await this.#backend.count(this.#path, this.#keeper.expiry())
  }

  async search(query: MemoryQuery) {
    return await this.#backend.search(this.#path, { ...checkQuery(query), expiry: this.#keeper.expiry() })
  }

  async putArtifact(text: string) {
    const id = artifactId(checkText(text, 'An artifact'))
    await this.#backend.putArtifact(this.#ticket, { id, text, written: this.#keeper.now() })
    await this.#keeper.tidy(this.#ticket)
    return id
  }

  async readArtifact(id: string, range?: { from: number; to: number }) {
    const { from, to } = checkRange(range)
    // One more on each side shows whether a bound is in the middle of a pair.
    const found = await this.#backend.readArtifact(
      this.#path,
      checkName(id, 'The id of an artifact'),
      Math.max(0, from - 1),
      to + 1,
      this.#keeper.expiry(),
    )
    if (!found) return undefined
    const { text, start, length } = found
    const [first, last] = [from, to].map((bound) => whole(text, Math.min(bound, length) - start)) as [number, number]
    return { text: text.slice(Math.max(0, first), Math.max(0, last)), length }
  }

  session(id: string) {
    return scopedSession(this.#backend, this.#keeper, this.#ticket, checkName(id, 'The id of a session'))
  }

  async sessions() {
    return (await this.#backend.sessions(this.#path, this.#keeper.expiry())).sort()
  }

  async hold(on: boolean) {
    if (typeof on !== 'boolean') throw new InputError(`hold(${String(on)}): give true or false.`)
    await this.#backend.hold(this.#ticket, on)
  }

  async prune(options: { limit?: number } | PruneByHand = {}) {
    const limit = checkLimit(options.limit ?? 1000, 100_000)
    const which = 'kind' in options || 'before' in options ? byHand(options as PruneByHand) : this.#expired()
    const removed = await this.#backend.prune(this.#ticket, { ...which, limit })
    return { removed, done: thingsIn(removed) < limit }
  }

  #expired(): Omit<Pruning, 'limit'> {
    const expiry = this.#keeper.expiry()
    if (expiry) return { expiry, skipsHeld: true }
    throw new InputError(
      'prune() removes what has expired, but this store was made without `retention`. Give it one, or name what goes: prune({ kind, before }).',
    )
  }

  async erase() {
    return await this.#backend.erase(this.#ticket)
  }

  export() {
    return exportLines(this.#backend, this.#path, this.#keeper.expiry())
  }

  async import(lines: AsyncIterable<string> | Iterable<string>) {
    const { shelves, counts } = await readLines(lines, this.#path, this.#keeper.now())
    await this.#backend.load(this.#ticket, shelves)
    return counts
  }
}

function byHand({ kind, before }: PruneByHand): Omit<Pruning, 'limit'> {
  const rule = { kind: checkName(kind, 'The kind to prune'), before: checkTime(before, '"before"') }
  return { expiry: { entries: [rule] }, skipsHeld: false }
}

function checkRange({ from, to } = { from: 0, to: Number.MAX_SAFE_INTEGER - 1 }): { from: number; to: number } {
  for (const bound of [from, to])
    if (!Number.isSafeInteger(bound) || bound < 0)
      throw new InputError(`The range is ${String(from)} to ${String(to)}. Give whole numbers from 0 on.`)
  if (from > to) throw new InputError(`The range ${from} to ${to} ends before it begins.`)
  return { from, to: Math.min(to, Number.MAX_SAFE_INTEGER - 1) }
}

/** `at`, or the place before it where it would split a pair. */
function whole(text: string, at: number): number {
  const isSplit = at > 0 && /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1))
  return isSplit ? at - 1 : at
}
