/** `openDatabase()`: the SQLite file of traces, opened for several processes; everything in it is synchronous. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { migrate } from './tables.ts'

/** How long, in milliseconds, a file in use is waited for while it is opened. */
const openMs = 2000

export type Database = {
  readonly db: DatabaseSync
  readonly path: string
  /** Prepared once for each text. */
  sql(text: string): StatementSync
  close(): void
}

/** `readOnly`: nothing can be written, not even tables. @throws what SQLite throws, and `TraceError` for a later Clew's file. */
export function openDatabase(path: string, { readOnly = false } = {}): Database {
  if (!readOnly) mkdirSync(dirname(path), { recursive: true })
  // Loaded when it is needed, and without waiting: spans are made in functions that cannot wait.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const db = new DatabaseSync(path, { readOnly })
  try {
    db.exec(`PRAGMA busy_timeout = ${openMs}`)
    if (!readOnly) {
      // Before the first table. Later it would only wait for whoever writes.
      if (db.prepare('PRAGMA page_count').get()?.page_count === 0) db.exec('PRAGMA auto_vacuum = INCREMENTAL')
      toWal(db)
      // A power failure may cost the last moments of a trace, never the file.
      db.exec('PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304')
    }
    migrate(db, path, readOnly)
  } catch (error) {
    db.close()
    throw error
  }
  const statements = new Map<string, StatementSync>()
  return {
    db,
    path,
    sql(text) {
      const known = statements.get(text)
      if (known) return known
      const made = db.prepare(text)
      statements.set(text, made)
      return made
    },
    close: () => db.close(),
  }
}

/** Two processes that make one file at once: the change to WAL does not wait for the other as transactions do. */
function toWal(db: DatabaseSync): void {
  const until = Date.now() + openMs
  for (;;) {
    try {
      db.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || Date.now() > until) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

/** Another process writes. */
export function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number } | undefined)?.errcode ?? 0) % 256 === 5
}

export function all<Row>(database: Database, text: string, ...values: SQLInputValue[]): Row[] {
  return database.sql(text).all(...values) as Row[]
}

export function one<Row>(database: Database, text: string, ...values: SQLInputValue[]): Row | undefined {
  return database.sql(text).get(...values) as Row | undefined
}
