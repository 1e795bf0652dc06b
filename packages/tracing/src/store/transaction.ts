/** `transaction()`: several statements as one. */
import type { DatabaseSync } from 'node:sqlite'

/** All of `work` or nothing. */
export function transaction<Result>(db: DatabaseSync, work: () => Result): Result {
  db.exec('BEGIN IMMEDIATE')
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
