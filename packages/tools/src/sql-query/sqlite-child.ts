/** The process that asks SQLite. It gets one question on its standard input, and writes one answer to its output. */
import { constants, DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { type Caps, cutCell, type Rows } from './rows.ts'

export type Question = { path: string; sql: string } & Caps
export type Answer = { rows: Rows } | { problem: string } | { unopened: string }

/** Bytes of one value, at most; SQLite's own limit is a billion. */
const maxValueBytes = 32 * 1024 * 1024
/** Characters that are sent back, at most. */
const maxChars = 1_000_000

const readingActions: readonly number[] = [
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_RECURSIVE,
  constants.SQLITE_FUNCTION,
]
/** Those that tell of tables, and what full-text search asks for. None tells where files are. */
const readingPragmas = [
  'table_info',
  'table_xinfo',
  'table_list',
  'index_list',
  'index_info',
  'index_xinfo',
  'foreign_key_list',
  'data_version',
]

/** The one loads code, the other tells an address. */
const badFunctions = ['load_extension', 'fts3_tokenizer']

const question = JSON.parse(await text(process.stdin)) as Question
process.stdout.write(JSON.stringify(answer(question)))

function answer({ path, sql, ...caps }: Question): Answer {
  let database: DatabaseSync
  try {
    database = open(path, caps.timeoutMs)
  } catch (error) {
    return { unopened: (error as Error).message }
  }
  try {
    return { rows: ask(database, sql, caps) }
  } catch (error) {
    return { problem: (error as Error).message }
  }
}

function open(path: string, timeoutMs: number): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, allowExtension: false })
  // Somebody who writes is waited for; the process is killed when its time is over.
  database.exec(`PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = ${timeoutMs}`)
  database.prepare('SELECT count(*) FROM sqlite_schema').get()
  // Node 22 has neither: there the file that is open for reading only, and the first look at the query, have to do.
  const { limits } = database as DatabaseSync & { limits?: { length: number } }
  if (limits) limits.length = maxValueBytes
  database.setAuthorizer?.((action, ...names) => (mayDo(action, names) ? constants.SQLITE_OK : constants.SQLITE_DENY))
  return database
}

function mayDo(action: number, [first, second]: readonly (string | null)[]): boolean {
  if (action === constants.SQLITE_PRAGMA) return readingPragmas.includes(first?.toLowerCase() ?? '')
  if (action === constants.SQLITE_FUNCTION && badFunctions.includes(second?.toLowerCase() ?? '')) return false
  return readingActions.includes(action)
}

function ask(database: DatabaseSync, sql: string, { maxRows, maxCellChars }: Omit<Caps, 'timeoutMs'>): Rows {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  // Early versions of Node 22 have neither: there columns of one name are one.
  statement.setReturnArrays?.(true)
  let columns = statement.columns?.().map(({ name }) => cutCell(name, maxCellChars))
  const rows: Rows['rows'] = []
  let room = maxChars
  for (const row of statement.iterate()) {
    columns ??= Object.keys(row)
    const cells = Object.values(row).map((cell) => cellOf(cell, maxCellChars))
    room -= cells.reduce((sum, cell) => sum + (cell?.length ?? 0), 0)
    if (rows.length === maxRows || room < 0) return { columns, rows, more: true }
    rows.push(cells)
  }
  return { columns: columns ?? [], rows, more: false }
}

function cellOf(value: unknown, maxCellChars: number): string | null {
  if (value === null) return null
  if (value instanceof Uint8Array) return `[${value.length} bytes]`
  return cutCell(String(value), maxCellChars)
}
