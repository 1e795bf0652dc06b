/**
 * The form in which a memory moves: JSON Lines, `exportLines()` and `readLines()`.
 *
 *     {"clew":"memory","v":1}
 *     {"block":"plan","values":["first",{"second":2}],"written":1795430000000}
 *     {"entry":{"id":"e1","kind":"fact","text":"…","at":0},"below":["ada","t1"]}
 *     {"artifact":"1f0c…","text":"…","written":1795430000000}
 *     {"session":"chat","batches":[["b1",[{"type":"run-start",…},…]],…],"written":1795430000000}
 *     {"end":{"blocks":1,"entries":1,"artifacts":1,"sessions":1}}
 *
 * `below` names the scope from the exported one on, so that a user's memory can become another user's. `written` tells when
 * it was written last, by which it expires; without one, that is when it is imported. The last line
 * tells a whole export from one that was cut off.
 */
import { randomUUID } from 'node:crypto'
import { InputError, type Json } from '@clew/core'
import type { Backend, BatchRow, Expiry, FullShelf } from './backend.ts'
import {
  checkEntry,
  checkJson,
  checkList,
  checkName,
  checkText,
  checkTime,
  parseJson,
  wrongDimension,
} from './check.ts'
import { artifactId, toEntry } from './convert.ts'
import type { Entry } from './memory.ts'
import { Scope, scope } from './scope.ts'

const header = { clew: 'memory', v: 1 }

export async function* exportLines(
  backend: Backend,
  path: readonly string[],
  expiry: Expiry | undefined,
): AsyncGenerator<string> {
  yield line(header)
  const counts = noCounts()
  const shelves = (await backend.dump(path, expiry)).sort((one, two) =>
    inOrder(JSON.stringify(one.path), JSON.stringify(two.path)),
  )
  for (const { path: inner, ...shelf } of shelves) {
    const below = inner.length > path.length && { below: inner.slice(path.length) }
    const blocks = Map.groupBy(shelf.blocks, ({ name }) => name)
    for (const [name, values] of [...blocks].sort(([one], [two]) => inOrder(one, two))) {
      const parsed = values.map(({ value }) => parseJson(value))
      yield line({ block: name, values: parsed, written: newestOf(values), ...below })
      counts.blocks += 1
    }
    for (const row of shelf.entries.sort((one, two) => inOrder(one.id, two.id)))
      yield line({ entry: toEntry(row) as unknown as Json, ...below })
    counts.entries += shelf.entries.length
    for (const id of shelf.artifacts.sort()) {
      const found = await backend.readArtifact(inner, id, 0, Number.MAX_SAFE_INTEGER, expiry)
      // Erased while the lines before it were read.
      if (!found) continue
      yield line({ artifact: id, text: found.text, written: found.written, ...below })
      counts.artifacts += 1
    }
    for (const id of shelf.sessions.sort()) {
      const batches = await backend.readSession(inner, id, expiry)
      if (batches.length === 0) continue
      const told = batches.map(({ id, text }): Json => [id, parseJson(text)])
      yield line({ session: id, batches: told, written: newestOf(batches), ...below })
      counts.sessions += 1
    }
  }
  yield line({ end: counts })
}

const newestOf = (rows: { written: number }[]) => rows.reduce((last, { written }) => Math.max(last, written), 0)
const line = (value: { [key: string]: Json }) => `${JSON.stringify(value)}\n`
/** The same on every store, so that two exports can be compared. */
const inOrder = (one: string, two: string) => (one < two ? -1 : one > two ? 1 : 0)
const noCounts = () => ({ blocks: 0, entries: 0, artifacts: 0, sessions: 0 })

type Counts = ReturnType<typeof noCounts>
type Line = { [key: string]: unknown }
type Draft = FullShelf & { names: Set<string>; ids: Set<string>; dimension?: number }

export async function readLines(
  lines: AsyncIterable<string> | Iterable<string>,
  path: readonly string[],
  now: number,
): Promise<{ shelves: FullShelf[]; counts: Counts }> {
  const shelves = new Map<string, Draft>()
  const counts = noCounts()
  let number = 0
  let isWhole = false
  for await (const text of lines) {
    number += 1
    try {
      if (isWhole && String(text).trim() !== '') throw new InputError('it stands behind the end')
      if (isWhole) continue
      const value = parseLine(text)
      if (number === 1) checkHeader(value)
      else if ('end' in value) isWhole = checkEnd(value, counts)
      else take(shelfOf(shelves, path, value.below), value, counts, now)
    } catch (cause) {
      const reason = (cause as Error).message.replace(/\.?$/, '.')
      throw new InputError(`Line ${number} of the import cannot be taken: ${reason} Nothing was imported.`, { cause })
    }
  }
  if (isWhole) return { shelves: [...shelves.values()], counts }
  throw new InputError(
    `The import was cut off behind line ${number}: its last line, {"end":…}, is missing. Nothing was imported.`,
  )
}

function parseLine(text: string): Line {
  let value: unknown
  try {
    value = JSON.parse(checkText(text, 'it'))
  } catch (cause) {
    throw cause instanceof SyntaxError ? new InputError(`it is no JSON (${cause.message})`, { cause }) : cause
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InputError('it is no object')
  return value as Line
}

function checkHeader({ clew, v }: Line): void {
  if (clew !== header.clew) throw new InputError(`it is not ${JSON.stringify(header)}, with which an export begins`)
  if (v !== header.v)
    throw new InputError(`it is of version ${String(v)}, this reads version 1. Update Clew to import it`)
}

function checkEnd({ end }: Line, counts: Counts): true {
  const told = end as Partial<Counts> | null
  for (const what of ['blocks', 'entries', 'artifacts', 'sessions'] as const)
    if (told?.[what] !== counts[what])
      throw new InputError(`it tells of ${String(told?.[what])} ${what}, but there were ${counts[what]}`)
  return true
}

function shelfOf(shelves: Map<string, Draft>, path: readonly string[], below: unknown): Draft {
  const names = below === undefined ? [] : checkList(below, 'below')
  const [tenant, user, thread, ...more] = [...path, ...names] as string[]
  if (more.length > 0) throw new InputError('it stands deeper below its scope than this scope goes')
  const parts = {
    tenant: tenant as string,
    ...(user !== undefined && { user }),
    ...(thread !== undefined && { thread }),
  }
  const inner = Scope.pathOf(scope(parts))
  const key = JSON.stringify(inner)
  const known = { names: new Set<string>(), ids: new Set<string>() }
  const shelf = shelves.get(key) ?? { path: inner, ...known, blocks: [], entries: [], artifacts: [], sessions: [] }
  shelves.set(key, shelf)
  return shelf
}

function take(shelf: Draft, value: Line, counts: Counts, now: number): void {
  const written = value.written === undefined ? now : checkTime(value.written, 'written')
  if ('block' in value) {
    const name = checkName(value.block, 'the name of the block')
    if (shelf.names.has(name)) throw new InputError(`there was a block ${JSON.stringify(name)} before`)
    shelf.names.add(name)
    const values = checkList(value.values, 'values')
    if (values.length === 0) throw new InputError('the block has no values')
    for (const [index, each] of values.entries()) {
      const row = { name, value: checkJson(each, `value ${index}`), revision: index + 1, token: randomUUID(), written }
      shelf.blocks.push(row)
    }
    counts.blocks += 1
  } else if ('entry' in value) {
    const row = checkEntry(value.entry as Entry, 'the entry')
    shelf.dimension ??= row.vector?.length
    if (row.vector && row.vector.length !== shelf.dimension)
      throw wrongDimension([shelf.dimension as number, row.vector.length])
    shelf.entries.push(row)
    counts.entries += 1
  } else if ('artifact' in value) {
    const text = checkText(value.text, 'the text of the artifact')
    if (value.artifact !== artifactId(text)) throw new InputError('the text is not the one that the id was made of')
    shelf.artifacts.push({ id: value.artifact, text, written })
    counts.artifacts += 1
  } else if ('session' in value) {
    const id = checkName(value.session, 'the id of the session')
    if (shelf.ids.has(id)) throw new InputError(`there was a session ${JSON.stringify(id)} before`)
    shelf.ids.add(id)
    shelf.sessions.push({ id, batches: batchesOf(value.batches, written) })
    counts.sessions += 1
  } else throw new InputError('it is no block, entry, artifact, session or end')
}

function batchesOf(given: unknown, written: number): BatchRow[] {
  const batches: BatchRow[] = []
  for (const [index, each] of checkList(given, 'batches').entries()) {
    const [id, events] = checkList(each, `batch ${index}`)
    const list = checkList(events, `the events of batch ${index}`)
    const wrong = list.findIndex((event) => typeof (event as { type?: unknown } | null)?.type !== 'string')
    if (wrong >= 0) throw new InputError(`event ${wrong} of batch ${index} has no type`)
    if (list.length === 0) throw new InputError(`batch ${index} has no events`)
    const at = batches.at(-1)?.end ?? 0
    const text = JSON.stringify(list)
    batches.push({ id: checkText(id, `the id of batch ${index}`), at, end: at + list.length, text, written })
  }
  if (batches.length === 0) throw new InputError('the session has no batches')
  return batches
}
