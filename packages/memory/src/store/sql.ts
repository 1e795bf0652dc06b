/**
 * `Program`: work on a database as a generator of statements, so that one text serves SQLite, where a transaction may not
 * wait, and PostgreSQL, where every statement does.
 */
import { createHash } from 'node:crypto'
import type { Value } from '../postgres-pool.ts'
import type { Expiry } from './backend.ts'
import { isLapsed } from './sql-expiry.ts'

/** `$1` and on stand for the values. */
export type Statement = { text: string; values: Value[] }
export type Row = { [column: string]: unknown }
export type Program<Result> = Generator<Statement, Result, Row[]>

export function* query(text: string, ...values: Value[]): Program<Row[]> {
  return yield { text, values }
}

/** Where the two databases differ. */
export type Dialect = {
  /** What stands before the names of tables. */
  prefix: string
  /** How many entries go into one statement. */
  atOnce: number
  /** Kept until the transaction ends; several may have one that is `shared`. */
  lock(key: string, isShared: boolean): Program<void>
  /** A condition: the column has a member of the parameter's JSON list. */
  isOneOf(column: string, parameter: string, type: 'text' | 'bigint'): string
  /** Of a written entry, for `RETURNING`: whether it took another's place; true where the database cannot tell. */
  isReplacing: string
  words: WordIndex
  vectors: Vectors
}

/** How vectors stand in the table of entries. */
export type Vectors = {
  /** `vector`, which `read` takes, and what stands beside it; NULL where there is none. */
  columns: string[]
  /** A value for each. */
  write(vector: Float32Array): Value[]
  read(value: unknown): Float32Array
  /**
   * An expression: the cosine distance to the parameter, the last that `write` gave, as near as 32-bit arithmetic comes to it, and
   * NULL where that fails. Undefined where the database cannot measure any.
   */
  distance(parameter: string, dimension: number): Program<string | undefined>
}

/** Between these lengths of vectors squares neither overflow nor vanish in 32-bit arithmetic. */
export const lengths = { least: 1e-15, most: 1e15 }
export const reliable = (length: string, distance: string) =>
  `CASE WHEN ${length} BETWEEN ${lengths.least} AND ${lengths.most} THEN ${distance} END`

/** Which entries have which words. */
export type WordIndex = {
  /** The words of entries that are there by now; new ones take the place of those they had. */
  put(path: readonly string[], entries: Indexed[]): Program<void>
  /** All words of entries that are gone. */
  drop(nos: RowNumber[]): Program<void>
  /** Those with any of the words, best first: at most `most`. */
  find(path: readonly string[], query: { words: string[]; kinds?: string[] }, most: number): Program<Scored[]>
}
export type Indexed = {
  no: RowNumber
  kind: string
  words: Map<string, number>
  length: number
  isReplacing: boolean
}
export type Scored = { no: RowNumber; score: number }
/** PostgreSQL's driver gives it as a text. */
export type RowNumber = number | string

/**
 * Databases cannot hold NUL, and replace half characters: these, and the sign that says so (SUB), are written as that sign
 * and four hex digits.
 */
export function encode(text: string): string {
  if (text.isWellFormed() && !strange.test(text)) return text
  return text.replaceAll(everyStrange, (unit) => `\x1a${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export function decode(text: string): string {
  if (!text.includes('\x1a')) return text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is the one.
  return text.replaceAll(/\x1a([0-9a-f]{4})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones.
const strange = /[\0\x1a]/
// With the flag u, half a character matches only where it is half.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones.
const everyStrange = /[\0\x1a]|\p{Surrogate}/gu

/** Of one length for every id: an index entry has to fit into a third of a page. */
export function keyOf(id: string): string {
  return createHash('sha256').update(Buffer.from(id, 'utf16le')).digest('base64url')
}

/** The columns of a scope, for `tenant = $1 AND …`: exactly it. */
export function exactly(path: readonly string[]): [tenant: string, user: string, thread: string] {
  return [path[0] as string, path[1] ?? '', path[2] ?? '']
}
export const isExactly = 'tenant = $1 AND usr = $2 AND thread = $3'

/** It and those below, as a condition and its values. */
export function covered(path: readonly string[]): { where: string; values: string[] } {
  const where = ['tenant = $1', 'usr = $2', 'thread = $3'].slice(0, path.length).join(' AND ')
  return { where, values: [...path] }
}

/** `covered()`, of some kinds alone if they are given; with `expiry` (then the rows are called `here`) what has expired is left out. */
export function among(
  { isOneOf, prefix }: Pick<Dialect, 'isOneOf' | 'prefix'>,
  path: readonly string[],
  kinds?: string[],
  expiry?: Expiry,
): { where: string; values: (string | number)[] } {
  const scope = covered(path)
  const values: (string | number)[] = [...scope.values, ...(kinds ? [JSON.stringify(kinds.map(encode))] : [])]
  const listed = kinds ? ` AND ${isOneOf('kind', `$${values.length}`, 'text')}` : ''
  if (!expiry) return { where: scope.where + listed, values }
  const lapsed = isLapsed({ prefix }, expiry.entries, encode, values.length)
  return { where: `${scope.where}${listed} AND NOT ${lapsed.where}`, values: [...values, ...lapsed.values] }
}

export function pathOf({ tenant, usr, thread }: Row): string[] {
  return [tenant, usr, thread].filter((part) => part !== '') as string[]
}
