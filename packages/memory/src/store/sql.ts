/**
 * `Program`: work on a database as a generator of statements, so that one text serves SQLite, where a transaction may not
 * wait, and PostgreSQL, where every statement does.
 */
import type { Value } from '../postgres-pool.ts'

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
  /** Kept until the transaction ends; several may have one that is `shared`. */
  lock(key: string, isShared: boolean): Program<void>
  /** A query that gives `word` and `count` of a parameter's JSON object. */
  eachWord(parameter: string): string
}

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

export function pathOf({ tenant, usr, thread }: Row): string[] {
  return [tenant, usr, thread].filter((part) => part !== '') as string[]
}
