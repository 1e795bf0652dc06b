/**
 * `sqliteMemory()`: a memory store in a SQLite file, for the processes of one machine.
 *
 * All stores of a process that name the same file share one connection. What is erased is overwritten in the file.
 */
import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { ClewError } from '@clew/core'
import { reasonOf } from '../failure.ts'
import { type Share, share } from '../shared.ts'
import { openSqlite, transaction } from '../sqlite-file.ts'
import { storeOver } from './handle.ts'
import type { MemoryStore } from './memory.ts'
import { closedMemory, MemoryError } from './memory-error.ts'
import type { Dialect, Program } from './sql.ts'
import { type Driver, sqlBackend } from './sql-backend.ts'
import { migrate } from './sql-tables.ts'

export type SqliteMemoryOptions = {
  /** The database; made, with its folder, when it is not there. Default: `.clew/memory.db` below the working directory. */
  file?: string
}

const connections = new Map<string, { resource: Promise<DatabaseSync>; users: number }>()

const dialect: Dialect = {
  prefix: 'memory_',
  // One transaction at a time writes, in the whole file.
  *lock() {},
  eachWord: (parameter) => `SELECT key AS word, value AS count FROM json_each(${parameter})`,
}

/** The file is opened with the first use. Its memories stand beside sessions, where they are in the same file. */
export function sqliteMemory(options: SqliteMemoryOptions = {}): MemoryStore {
  const file = resolve(options.file ?? '.clew/memory.db')
  let connection: Share<DatabaseSync> | undefined
  let isClosed = false

  async function attempt<Result>(doing: string, work: (db: DatabaseSync) => Result): Promise<Result> {
    if (isClosed) throw closedMemory()
    try {
      connection ??= share(connections, file, { open: () => open(file), close: (db) => db.close() })
      const opened = connection
      const db = await opened.resource.catch((error) => {
        if (connection === opened) connection = undefined
        throw error
      })
      if (isClosed) throw closedMemory()
      return work(db)
    } catch (cause) {
      if (cause instanceof ClewError) throw cause
      throw new MemoryError(`The memory could not be ${doing} (${file}): ${reasonOf(cause)}`, { cause })
    }
  }

  const driver: Driver = {
    dialect,
    read: (_, program) => attempt('read', (db) => transaction(db, () => drive(db, program()), 'DEFERRED')),
    write: (_, program) => attempt('written', (db) => transaction(db, () => drive(db, program()))),
    scrub: () => attempt('scrubbed', scrub).catch(() => {}),
    async close() {
      isClosed = true
      await connection?.leave()
    },
  }
  return storeOver(sqlBackend(driver))
}

async function open(file: string): Promise<DatabaseSync> {
  const db = await openSqlite(file, (db) => {
    db.exec('CREATE TABLE IF NOT EXISTS clew_version (part TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
    const types = { real: 'REAL', number: 'INTEGER', row: 'INTEGER PRIMARY KEY AUTOINCREMENT', protect: () => [] }
    drive(db, migrate({ version: 'clew_version', prefix: dialect.prefix, types, place: file }))
  })
  db.exec('PRAGMA secure_delete = ON')
  return db
}

/** The write-ahead log has what was erased until it is emptied; a reader under way leaves that to the next time. */
function scrub(db: DatabaseSync): void {
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}

function drive<Result>(db: DatabaseSync, program: Program<Result>): Result {
  let step = program.next()
  while (!step.done) {
    const { text, values } = step.value
    const named = Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value]))
    step = program.next(db.prepare(text).all(named))
  }
  return step.value
}
