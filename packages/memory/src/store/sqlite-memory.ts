/**
 * `sqliteMemory()`: a memory store in a SQLite file, for the processes of one machine.
 *
 * All stores of a process that name the same file share one connection. What is erased is overwritten in the file.
 */
import { resolve } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { ClewError } from '@clew/core'
import { reasonOf } from '../failure.ts'
import { type LeaseRow, takeRow } from '../row-lease.ts'
import { type Share, share } from '../shared.ts'
import { openSqlite, transaction } from '../sqlite-file.ts'
import { storeOver } from './handle.ts'
import type { MemoryStore } from './memory.ts'
import { closedMemory, MemoryError } from './memory-error.ts'
import type { RetentionOptions } from './retention.ts'
import { type Dialect, exactly, isExactly, type Program, query } from './sql.ts'
import { type Driver, sqlBackend } from './sql-backend.ts'
import { migrate } from './sql-tables.ts'
import { defineBytes, loadDistance, migrateSqliteVectors, sqliteVectors, vectorExtension } from './sqlite-vectors.ts'
import { sqliteWords, sqliteWordTables } from './sqlite-words.ts'

export type SqliteMemoryOptions = RetentionOptions & {
  /** The database; made, with its folder, when it is not there. Default: `.clew/memory.db` below the working directory. */
  file?: string
}

/** Of the index of words, merged at a time: some tens of milliseconds. */
const mergedPages = 100

const connections = new Map<string, { resource: Promise<DatabaseSync>; users: number }>()

const dialect: Dialect = {
  prefix: 'memory_',
  // One transaction at a time writes, in the whole file.
  *lock() {},
  atOnce: 1,
  isReplacing: '1',
  isOneOf: (column, parameter) => `${column} IN (SELECT value FROM json_each(${parameter}))`,
  words: sqliteWords('memory_'),
  vectors: sqliteVectors,
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
    acquire: (path, { id, key, check }) =>
      attempt('leased', (db) =>
        transaction(db, () => {
          drive(db, check())
          return takeRow(id, leaseRow(db, path, key), options.now ?? Date.now)
        }),
      ),
    async scrub() {
      for (
        let isFirst = true;
        await attempt('scrubbed', (db) => scrub(db, isFirst)).catch(() => false);
        isFirst = false
      )
        await setImmediate()
    },
    async close() {
      isClosed = true
      await connection?.leave()
    },
  }
  return storeOver(sqlBackend(driver), options)
}

async function open(file: string): Promise<DatabaseSync> {
  const extension = await vectorExtension()
  const prepare = (db: DatabaseSync) => {
    loadDistance(db, extension)
    db.exec('PRAGMA secure_delete = ON')
    defineBytes(db)
    db.exec('CREATE TABLE IF NOT EXISTS clew_version (part TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
    const row = 'INTEGER PRIMARY KEY AUTOINCREMENT'
    const types = { real: 'REAL', row, words: sqliteWordTables, vectors: migrateSqliteVectors, protect: () => [] }
    drive(db, migrate({ version: 'clew_version', prefix: dialect.prefix, types, place: file }))
  }
  return await openSqlite(file, prepare, { allowExtension: true })
}

function leaseRow(db: DatabaseSync, path: readonly string[], key: string): LeaseRow {
  const one = `${isExactly} AND key = $4`
  const run = (text: string, ...values: (string | number)[]) => drive(db, query(text, ...exactly(path), key, ...values))
  return {
    read: () => run(`SELECT holder, renewed FROM memory_leases WHERE ${one}`)[0] as ReturnType<LeaseRow['read']>,
    write: (holder, renewed) => {
      const text = 'INSERT OR REPLACE INTO memory_leases VALUES ($1, $2, $3, $4, $5, $6, $7)'
      run(text, holder.token, JSON.stringify(holder), renewed)
    },
    renew: (token, renewed) =>
      run(`UPDATE memory_leases SET renewed = $6 WHERE ${one} AND token = $5 RETURNING 1 AS one`, token, renewed)
        .length > 0,
    drop: (token) => {
      run(`DELETE FROM memory_leases WHERE ${one} AND token = $5`, token)
    },
  }
}

/**
 * One slice of the work behind an erasure, short enough for others to come in between; gives whether there is more. The
 * words of what was erased are in the index until its parts are merged, and in the write-ahead log until that is emptied;
 * a reader under way leaves the latter to the next time.
 */
function scrub(db: DatabaseSync, isFirst: boolean): boolean {
  const changes = () => db.prepare('SELECT total_changes() AS count').get()?.count as number
  const before = changes()
  db.exec(`INSERT INTO memory_words (memory_words, rank) VALUES ('merge', ${isFirst ? -mergedPages : mergedPages})`)
  // The statement itself counts as one.
  if (changes() - before > 1) return true
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return false
}

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>()

/** Prepared once: most of the time of a short statement goes into that. */
function prepared(db: DatabaseSync, text: string): StatementSync {
  const known = statements.get(db) ?? new Map<string, StatementSync>()
  statements.set(db, known)
  const statement = known.get(text) ?? db.prepare(text)
  known.set(text, statement)
  return statement
}

function drive<Result>(db: DatabaseSync, program: Program<Result>): Result {
  let step = program.next()
  while (!step.done) {
    const { text, values } = step.value
    const named = Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value]))
    step = program.next(prepared(db, text).all(named))
  }
  return step.value
}
