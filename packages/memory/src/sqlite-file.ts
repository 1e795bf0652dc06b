/** `openSqlite()`: a SQLite file, opened for several processes, and `transaction()` on it. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DatabaseSync, DatabaseSyncOptions } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'

/** How long, in milliseconds, a statement waits for another process's transaction. */
const busyMs = 5000

/** KiB of the file that are kept in memory, so that a long session that is read again and again is read once. */
const cacheKib = 16_384

/** `prepare` makes the tables, in a transaction. */
export async function openSqlite(
  file: string,
  prepare: (db: DatabaseSync) => void,
  options: DatabaseSyncOptions = {},
): Promise<DatabaseSync> {
  await mkdir(dirname(file), { recursive: true })
  const { DatabaseSync } = await import('node:sqlite')
  for (let tries = 1; ; tries += 1) {
    const db = new DatabaseSync(file, options)
    try {
      db.exec(
        `PRAGMA busy_timeout = ${busyMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${cacheKib}`,
      )
      transaction(db, () => prepare(db))
      return db
    } catch (error) {
      db.close()
      // Two processes that make one file at once: the change to WAL does not wait for the other as transactions do.
      if (tries === 20 || ((error as { errcode?: number }).errcode ?? 0) % 256 !== 5) throw error
      await wait(10 + Math.random() * 20)
    }
  }
}

/** All of `work` or nothing; it may not wait, since others use the connection. */
export function transaction<Result>(db: DatabaseSync, work: () => Result, kind = 'IMMEDIATE'): Result {
  db.exec(`BEGIN ${kind}`)
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    try {
      db.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back already, as it does when the disk is full.
    }
    throw error
  }
}
