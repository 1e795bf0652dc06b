/**
 * `sqliteSession()`: a session in a SQLite file that holds many, for the processes of one machine.
 *
 * A batch is one row: its events as the text that they were, so that nothing of them changes. Compare and append are one
 * `BEGIN IMMEDIATE` transaction, durable when it has returned (WAL, `synchronous = FULL`). All sessions of a process
 * that name the same file share one connection, which is closed behind the last of them.
 */
import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Lease, LoggedEvent, Session } from '@clew/core'
import { SessionError } from '@clew/core'
import { checkId, closed, failure, stale } from './failure.ts'
import { type LeaseRow, takeRow } from './row-lease.ts'
import { type Share, share } from './shared.ts'
import { openSqlite, transaction } from './sqlite-file.ts'

export type SqliteSessionOptions = {
  /** The database; made, with its folder, when it is not there. Default: `.clew/sessions.db` below the working directory. */
  file?: string
  /** The clock, in milliseconds since 1970; for tests. Default: `Date.now`. */
  now?: () => number
}

/** Of the tables below. A file of a higher one was written by a later Clew. */
const version = 1
const tables = `
  CREATE TABLE IF NOT EXISTS clew_version (part TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS batches (
    session TEXT NOT NULL, at INTEGER NOT NULL, end INTEGER NOT NULL, id TEXT NOT NULL, events TEXT NOT NULL,
    PRIMARY KEY (session, at)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS leases (
    session TEXT PRIMARY KEY, token TEXT NOT NULL, holder TEXT NOT NULL, renewed INTEGER NOT NULL
  ) STRICT;`

const connections = new Map<string, { resource: Promise<DatabaseSync>; users: number }>()

/**
 * The session `id` of the database `file`; the file is opened with the first use.
 * @throws SessionError for an id that cannot be kept; from its methods when the file is no such database, was written by
 * a later Clew, cannot be read or written, or when the session is held.
 */
export function sqliteSession(id: string, options: SqliteSessionOptions = {}): Required<Session> {
  checkId(id)
  const { now = Date.now } = options
  const file = resolve(options.file ?? '.clew/sessions.db')
  let connection: Share<DatabaseSync> | undefined
  let lease: Lease | undefined
  let isClosed = false

  /** Every failure becomes a `SessionError`; one of opening is tried anew the next time. */
  async function attempt<Result>(doing: string, work: (db: DatabaseSync) => Result): Promise<Result> {
    if (isClosed) throw closed(id)
    try {
      connection ??= share(connections, file, {
        open: () => openSqlite(file, (db) => makeTables(db, file)),
        close: (db) => db.close(),
      })
      const opened = connection
      const db = await opened.resource.catch((error) => {
        if (connection === opened) connection = undefined
        throw error
      })
      if (isClosed) throw closed(id)
      return work(db)
    } catch (cause) {
      throw failure(id, doing, file, cause)
    }
  }

  return {
    id,
    read: () => attempt('read', (db) => readLog(db, id)),

    async append(at, { id: batchId, events }) {
      // Now, not when the database is open: what the caller does with its objects later is not appended.
      const text = JSON.stringify(events)
      const end = at + events.length
      return await attempt('appended to', (db) =>
        transaction(db, () => {
          const known = db.prepare('SELECT id, end FROM batches WHERE session = ? AND at = ?').get(id, at)
          if (known?.id === batchId) return known.end as number
          const last = db.prepare(lastOf).get(id)
          const position = (last?.end as number | undefined) ?? 0
          if (at !== position) throw stale(id, position, at)
          if (end > at) db.prepare('INSERT INTO batches VALUES (?, ?, ?, ?, ?)').run(id, at, end, batchId, text)
          return end
        }),
      )
    },

    acquire: () =>
      attempt('acquired', (db) => {
        lease = transaction(db, () => takeRow(id, leaseRow(db, id), now))
        return lease
      }),

    async close() {
      isClosed = true
      try {
        await lease?.release()
      } finally {
        await connection?.leave()
      }
    },
  }
}

function leaseRow(db: DatabaseSync, id: string): LeaseRow {
  return {
    read: () =>
      db.prepare('SELECT holder, renewed FROM leases WHERE session = ?').get(id) as ReturnType<LeaseRow['read']>,
    write: (holder, renewed) => {
      db.prepare('INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)').run(
        id,
        holder.token,
        JSON.stringify(holder),
        renewed,
      )
    },
    renew: (token, renewed) =>
      db.prepare('UPDATE leases SET renewed = ? WHERE session = ? AND token = ?').run(renewed, id, token).changes !== 0,
    drop: (token) => {
      db.prepare('DELETE FROM leases WHERE session = ? AND token = ?').run(id, token)
    },
  }
}

const lastOf = 'SELECT end FROM batches WHERE session = ? ORDER BY at DESC LIMIT 1'

/** The batches that stand at 256 positions as one text; of one that is large, the position: texts have a limit. */
const pageOf = `
  SELECT group_concat(iif(octet_length(events) < 1000000, events, at), ',') AS text
    FROM batches WHERE session = ? AND at >= ? AND at < ? + 256`

/** To fetch each batch by itself takes longer than to read it; a text of all is larger than the processor's cache. */
function readLog(db: DatabaseSync, id: string): { events: LoggedEvent[]; at: number } {
  const end = (db.prepare(lastOf).get(id)?.end as number | undefined) ?? 0
  const page = db.prepare(pageOf)
  const large = db.prepare('SELECT events FROM batches WHERE session = ? AND at = ?')
  const events: LoggedEvent[] = []
  for (let at = 0; at < end; at += 256) {
    const batches = JSON.parse(`[${page.get(id, at, at)?.text ?? ''}]`) as (LoggedEvent[] | number)[]
    for (const batch of batches) {
      const found =
        typeof batch === 'number' ? (JSON.parse(large.get(id, batch)?.events as string) as LoggedEvent[]) : batch
      for (const event of found) events.push(event)
    }
  }
  return { events, at: end }
}

/** @throws SessionError when the tables are a later Clew's. */
function makeTables(db: DatabaseSync, file: string): void {
  const there = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'clew_version'").get()
  const row = there && db.prepare("SELECT version FROM clew_version WHERE part = 'sessions'").get()
  if (row && (row.version as number) > version) {
    throw new SessionError(
      `${file} was written by a newer version of Clew (its sessions are v${row.version}, this reads v${version}). Update Clew to open it.`,
    )
  }
  if (row) return
  db.exec(tables)
  db.prepare("INSERT INTO clew_version VALUES ('sessions', ?)").run(version)
}
