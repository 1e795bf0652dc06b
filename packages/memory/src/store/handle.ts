/** `storeOver()`: a `MemoryStore` over a backend. Whatever is given is checked and copied here, before anything waits. */
import { randomUUID } from 'node:crypto'
import { InputError, type Json } from '@clew/core'
import type { Backend, BlockRow, Ticket } from './backend.ts'
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
import { exportLines, readLines } from './lines.ts'
import type { Entry, Memory, MemoryQuery, MemoryStore } from './memory.ts'
import { StaleBlockError } from './memory-error.ts'
import { Scope } from './scope.ts'
import { scopedSession } from './scoped-session.ts'

export function storeOver(backend: Backend): MemoryStore {
  return {
    async open(scope) {
      const path = Scope.pathOf(scope)
      return new ScopedMemory(backend, { scope, path, epoch: await backend.epoch(path) })
    },
    close: () => backend.close(),
  }
}

class ScopedMemory implements Memory {
  readonly scope: Scope
  readonly #backend: Backend
  readonly #ticket: Ticket
  readonly #path: readonly string[]

  constructor(backend: Backend, ticket: Ticket) {
    this.scope = ticket.scope
    this.#backend = backend
    this.#ticket = ticket
    this.#path = ticket.path
  }

  async readBlock(name: string) {
    const [row] = await this.#backend.blocks(this.#path, { name: checkName(name, 'The name of a block') })
    return row && toBlock(row)
  }

  async writeBlock(name: string, value: Json, revision: number) {
    const before = checkRevision(revision)
    const row: BlockRow = {
      name: checkName(name, 'The name of a block'),
      value: checkJson(value, `The value of block ${JSON.stringify(name)}`),
      revision: before + 1,
      token: randomUUID(),
    }
    const stale = await this.#backend.writeBlock(this.#ticket, row)
    if (stale) throw new StaleBlockError(name, before, stale.current && toBlock(stale.current))
    return toBlock(row)
  }

  async blockHistory(name: string) {
    const rows = await this.#backend.blocks(this.#path, { name: checkName(name, 'The name of a block'), all: true })
    return rows.slice(0, -1).map(toBlock)
  }

  async blocks() {
    const rows = await this.#backend.blocks(this.#path, {})
    return rows.map(toBlock).sort((one, two) => (one.name < two.name ? -1 : 1))
  }

  async add(entries: Entry[]) {
    const rows = checkEntries(entries)
    await this.#backend.add(this.#ticket, rows)
  }

  async get(id: string) {
    const row = await this.#backend.get(this.#path, checkName(id, 'The id of an entry'))
    return row && toEntry(row)
  }

  async remove(ids: string[]) {
    const all = checkList(ids, 'What is removed').map((id) => checkName(id, 'The id of an entry'))
    return await this.#backend.remove(this.#ticket, [...new Set(all)].sort())
  }

  async count() {
    return await this.#backend.count(this.#path)
  }

  async search(query: MemoryQuery) {
    return await this.#backend.search(this.#path, checkQuery(query))
  }

  async putArtifact(text: string) {
    const id = artifactId(checkText(text, 'An artifact'))
    await this.#backend.putArtifact(this.#ticket, { id, text })
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
    )
    if (!found) return undefined
    const { text, start, length } = found
    const [first, last] = [from, to].map((bound) => whole(text, Math.min(bound, length) - start)) as [number, number]
    return { text: text.slice(Math.max(0, first), Math.max(0, last)), length }
  }

  session(id: string) {
    return scopedSession(this.#backend, this.#ticket, checkName(id, 'The id of a session'))
  }

  async sessions() {
    return (await this.#backend.sessions(this.#path)).sort()
  }

  async hold(on: boolean) {
    if (typeof on !== 'boolean') throw new InputError(`hold(${String(on)}): give true or false.`)
    await this.#backend.hold(this.#ticket, on)
  }

  async prune({ kind, before, limit = 1000 }: { kind: string; before: number; limit?: number }) {
    const most = checkLimit(limit, 100_000)
    const which = { kind: checkName(kind, 'The kind to prune'), before: checkTime(before, '"before"') }
    const removed = await this.#backend.prune(this.#ticket, { ...which, limit: most })
    return { removed, done: removed < most }
  }

  async erase() {
    return await this.#backend.erase(this.#ticket)
  }

  export() {
    return exportLines(this.#backend, this.#path)
  }

  async import(lines: AsyncIterable<string> | Iterable<string>) {
    const { shelves, counts } = await readLines(lines, this.#path)
    await this.#backend.load(this.#ticket, shelves)
    return counts
  }
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
