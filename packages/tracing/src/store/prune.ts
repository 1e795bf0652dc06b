/** `prune()`: whole traces go, the oldest first, until the store is within its bounds. */
import { all, type Database, one } from './database.ts'
import { transaction } from './transaction.ts'

export type Bounds = { maxDays: number; maxBytes: number }

/** From how full on traces go, and until when, so that not every write has to make room. */
export const full = 0.9
const downTo = 0.7

const dayMs = 86_400_000

/** @returns how many bytes may still be written. */
export function prune(database: Database, { maxDays, maxBytes }: Bounds, now = Date.now()): number {
  const cutoff = BigInt(Math.floor(now - maxDays * dayMs)) * 1_000_000n
  const isOver = bytesOf(database) > maxBytes * full
  if (isOver || one(database, 'SELECT 1 FROM traces WHERE last < ? LIMIT 1', cutoff)) {
    while (remove(database, 'SELECT trace_id FROM traces WHERE last < ? ORDER BY last LIMIT 100', cutoff) > 0);
    while (isOver && bytesOf(database) > maxBytes * downTo) {
      // Half of a hundredth of it at a time, and at least one trace; one that goes on stays.
      if (remove(database, `${idle} ORDER BY last LIMIT (SELECT 1 + count(*) / 200 FROM traces)`) === 0) break
    }
    database.db.exec('PRAGMA incremental_vacuum')
  }
  return maxBytes - bytesOf(database)
}

const idle = `
  SELECT trace_id FROM traces WHERE NOT EXISTS (
    SELECT 1 FROM spans WHERE spans.trace_id = traces.trace_id AND "end" IS NULL AND writer IN (SELECT no FROM writers))`

/** What is in use of the file. */
export function bytesOf(database: Database): number {
  const number = (pragma: string) => Object.values(database.sql(`PRAGMA ${pragma}`).get() ?? {})[0] as number
  return (number('page_count') - number('freelist_count')) * number('page_size')
}

function remove(database: Database, which: string, ...values: bigint[]): number {
  return transaction(database.db, () => {
    const ids = JSON.stringify(all<{ trace_id: string }>(database, which, ...values).map(({ trace_id }) => trace_id))
    const those = '(SELECT value FROM json_each(?))'
    database.sql(`DELETE FROM content WHERE span IN (SELECT no FROM spans WHERE trace_id IN ${those})`).run(ids)
    database.sql(`DELETE FROM spans WHERE trace_id IN ${those}`).run(ids)
    return Number(database.sql(`DELETE FROM traces WHERE trace_id IN ${those}`).run(ids).changes)
  })
}
