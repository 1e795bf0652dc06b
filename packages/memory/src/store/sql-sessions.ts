/** Sessions in a database: a batch is one row, its events as the text that they were. */
import { stale } from '../failure.ts'
import type { BatchRow, Expiry, SessionRows } from './backend.ts'
import { isNewSession } from './check.ts'
import { lapsedSession } from './expired.ts'
import { type Dialect, decode, encode, exactly, isExactly, keyOf, type Program, query, type Row } from './sql.ts'
import { isFresh } from './sql-expiry.ts'
import { isHeld } from './sql-scopes.ts'

type Path = readonly string[]

export function sqlSessions(dialect: Dialect) {
  const { prefix, lock } = dialect
  const table = `${prefix}batches`
  const isOne = `${isExactly} AND key = $4`

  function* read(path: Path, id: string, expiry?: Expiry): Program<BatchRow[]> {
    const rows = yield* query(`SELECT * FROM ${table} WHERE ${isOne} ORDER BY at`, ...exactly(path), keyOf(id))
    const batches = rows.map(batchOf)
    if (expiry && lapsedSession(batches.at(-1), expiry) && !(yield* isHeld(dialect, path))) return []
    return batches
  }

  function* insert(path: Path, session: string, { id, at, end, text, written }: BatchRow): Program<void> {
    yield* query(
      `INSERT INTO ${table} (tenant, usr, thread, key, at, "end", session, id, events, written)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      ...[...exactly(path), keyOf(session), at, end, encode(session), encode(id), text, written],
    )
  }

  return {
    read,

    *append(path: Path, id: string, batch: BatchRow): Program<number> {
      // Of two writers at once, the second looks when the first has ended.
      yield* lock(`session ${JSON.stringify([path, id])}`, false)
      const last = `SELECT max(at) FROM ${table} WHERE ${isOne}`
      const rows = yield* query(
        `SELECT id, at, "end" FROM ${table} WHERE ${isOne} AND (at = $5 OR at = (${last})) ORDER BY at`,
        ...[...exactly(path), keyOf(id), batch.at],
      )
      const there = rows.find(({ at }) => at === batch.at)
      if (there && decode(there.id as string) === batch.id) return there.end as number
      const end = (rows.at(-1)?.end as number | undefined) ?? 0
      if (batch.at !== end) throw stale(id, end, batch.at)
      if (batch.end > end) yield* insert(path, id, batch)
      else
        yield* query(
          `UPDATE ${table} SET written = $5 WHERE ${isOne} AND at = (${last})`,
          ...exactly(path),
          keyOf(id),
          batch.written,
        )
      return batch.end
    },

    *ids(path: Path, expiry?: Expiry): Program<string[]> {
      const fresh = isFresh(dialect, 'batches', expiry?.sessions, '$4')
      const text = `SELECT session FROM ${table} AS here WHERE ${isExactly} AND at = 0 AND ${fresh.where}`
      const rows = yield* query(text, ...exactly(path), ...fresh.values)
      return rows.map(({ session }) => decode(session as string))
    },

    *load(path: Path, session: SessionRows): Program<void> {
      if (!isNewSession(yield* read(path, session.id), session)) return
      for (const batch of session.batches) yield* insert(path, session.id, batch)
    },
  }
}

function batchOf({ id, at, end, events, written }: Row): BatchRow {
  return {
    id: decode(id as string),
    at: at as number,
    end: end as number,
    text: events as string,
    written: written as number,
  }
}
