/** What may be kept in a memory and asked of it: each function gives the value as a store takes it, or throws `InputError`. */
import { InputError, isTooDeep, type Json } from '@clew/core'
import type { BatchRow, BlockRow, EntryRow, Needle, SessionRows } from './backend.ts'
import type { Entry, MemoryQuery } from './memory.ts'
import { queryWords } from './words.ts'

const maxName = 256
const maxLimit = 1000

/** Ids, names and kinds. */
export function checkName(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new InputError(`${what} is ${show(value)}. Give a text of 1 to 256 characters.`)
  if (value !== '' && value.length <= maxName) return value
  const reason = value === '' ? 'is empty' : `has ${value.length} characters (${show(value)})`
  throw new InputError(`${what} ${reason}. Give a text of 1 to ${maxName} characters.`)
}

export function checkText(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw new InputError(`${what} is ${show(value)}. Give a text.`)
}

export function checkRevision(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw new InputError(
    `The revision is ${show(value)}. Give the one that was read, or 0 for a block that is not there.`,
  )
}

export function checkLimit(value: unknown, most = maxLimit): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most) return value as number
  throw new InputError(`The limit is ${show(value)}. Give a whole number from 1 to ${most}.`)
}

export function checkTime(value: unknown, what: string): number {
  if (Number.isFinite(value)) return (value as number) + 0
  throw new InputError(`${what} is ${show(value)}. Give milliseconds since 1970, as Date.now() does.`)
}

export function checkList(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value
  throw new InputError(`${what} is ${show(value)}. Give a list.`)
}

/** The text of its JSON. @throws InputError where JSON would lose something, naming the place. */
export function checkJson(value: unknown, what: string): string {
  if (isTooDeep(value)) throw new InputError(`${what} has more than 500 levels, or contains itself. Give flatter JSON.`)
  const wrong = notJson(value, '')
  if (wrong)
    throw new InputError(
      `${what} is no JSON: ${wrong}. Give null, booleans, finite numbers, texts, lists and plain objects.`,
    )
  return JSON.stringify(value)
}

function notJson(value: unknown, place: string): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number' && Number.isFinite(value)) return undefined
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const wrong = notJson(value[index], `${place}/${index}`)
      if (wrong) return wrong
    }
    return undefined
  }
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    for (const key of Object.keys(value)) {
      const wrong = notJson((value as { [key: string]: unknown })[key], `${place}/${key}`)
      if (wrong) return wrong
    }
    return undefined
  }
  return `${place ? `at ${place} there is ` : 'it is '}${show(value)}`
}

/** As float32, all finite. */
export function checkVector(value: unknown, what: string): Float32Array {
  if (!Array.isArray(value) || value.length === 0) {
    throw new InputError(
      `${what} is ${Array.isArray(value) ? 'empty' : show(value)}. Give a list of numbers, or leave it out.`,
    )
  }
  const vector = Float32Array.from(value as number[])
  for (const [index, kept] of vector.entries()) {
    if (typeof value[index] === 'number' && Number.isFinite(kept)) continue
    throw new InputError(
      `${what} has ${show(value[index])} at ${index}. Give finite numbers that fit into 32-bit floats.`,
    )
  }
  return vector
}

/** One row for an id, the last one given; in one order, so that two writers do not wait for each other. */
export function checkEntries(entries: Entry[]): EntryRow[] {
  const rows = new Map<string, EntryRow>()
  for (const [index, entry] of checkList(entries, 'What is added').entries()) {
    const row = checkEntry(entry as Entry, `entry ${index}`)
    rows.set(row.id, row)
  }
  const all = [...rows.values()].sort((one, two) => (one.id < two.id ? -1 : 1))
  const dimensions = new Set(all.flatMap(({ vector }) => (vector ? [vector.length] : [])))
  if (dimensions.size > 1) throw wrongDimension([...dimensions] as [number, number])
  return all
}

export function checkEntry(entry: Entry, what: string): EntryRow {
  if (typeof entry !== 'object' || entry === null)
    throw new InputError(`The ${what} is ${show(entry)}. Give { id, kind, text, at }.`)
  return {
    id: checkName(entry.id, `The id of ${what}`),
    kind: checkName(entry.kind, `The kind of ${what}`),
    text: checkText(entry.text, `The text of ${what}`),
    at: checkTime(entry.at, `The time (at) of ${what}`),
    ...(entry.source !== undefined && { source: checkJson(entry.source, `The source of ${what}`) }),
    ...(entry.vector !== undefined && { vector: checkVector(entry.vector, `The vector of ${what}`) }),
  }
}

export function checkQuery(query: MemoryQuery): Needle {
  if (typeof query !== 'object' || query === null)
    throw new InputError(`The query is ${show(query)}. Give { text, vector, limit, kinds }.`)
  const kinds = query.kinds && checkList(query.kinds, 'kinds').map((kind) => checkName(kind, 'A kind'))
  if (kinds?.length === 0) throw new InputError('kinds is empty, so nothing could be found. Name one, or leave it out.')
  return {
    limit: query.limit === undefined ? 10 : checkLimit(query.limit),
    ...(query.text !== undefined && { words: queryWords(checkText(query.text, 'The text of the query')) }),
    ...(query.vector !== undefined && { vector: checkVector(query.vector, 'The vector of the query') }),
    ...(kinds && { kinds: [...new Set(kinds)] }),
  }
}

export function wrongDimension([one, other]: [number, number]): InputError {
  return new InputError(
    `A vector has ${other} numbers, another of this scope ${one}. Take one embedder for a scope; to change it, replace all entries at once.`,
  )
}

/** Vectors of another dimension are left out, as long as there are some that can be compared. */
export function checkQueryDimension(wanted: number, there: Set<number>): void {
  const [other] = there
  if (other !== undefined && !there.has(wanted)) throw wrongDimension([other, wanted])
}

/** Those to write: a block that is there already with the same values is left as it is. */
export function newBlocks(there: BlockRow[], given: BlockRow[]): BlockRow[] {
  const known = Map.groupBy(there, ({ name }) => name)
  return [...Map.groupBy(given, ({ name }) => name)].flatMap(([name, rows]) => {
    const values = known.get(name)
    if (!values) return rows
    if (values.length === rows.length && values.every(({ value }, index) => value === rows[index]?.value)) return []
    throw new InputError(
      `The block ${JSON.stringify(name)} has other values here than in the import. Import it into a scope without it. Nothing was imported.`,
    )
  })
}

/** Whether to write it: a session that is there already with the same batches is left as it is. */
export function isNewSession(there: BatchRow[], { id, batches }: SessionRows): boolean {
  if (there.length === 0) return true
  const isSame = ({ id, text }: BatchRow, other: BatchRow | undefined) => id === other?.id && text === other.text
  if (there.length === batches.length && there.every((batch, index) => isSame(batch, batches[index]))) return false
  throw new InputError(
    `The session ${JSON.stringify(id)} has other events here than in the import. Import it into a scope without it. Nothing was imported.`,
  )
}

export function parseJson(text: string): Json {
  return JSON.parse(text) as Json
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'object without prototype'}`
  return typeof value === 'function' ? 'a function' : typeof value === 'bigint' ? `${value}n` : String(value)
}
