/** Sessions in a database: a batch is one row, its events as the text that they were. */
import { stale } from '../failure.ts'
import type { BatchRow, SessionRows } from './backend.ts'
import { isNewSession } from './check.ts'
import { type Dialect, decode, encode, exactly, isExactly, type Program, query, type Row } from './sql.ts'
import { keyOf } from './sql-records.ts'

type Path = readonly string[]

export function sqlSessions({ prefix, lock }: Dialect) {
  const table = `${prefix}batches`
  const isOne = `${isExactly} AND key = $4`

  function* read(path: Path, id: string): Program<BatchRow[]> {
    const rows = yield* query(`SELECT * FROM ${table} WHERE ${isOne} ORDER BY at`, ...exactly(path), keyOf(id))
    return rows.map(batchOf)
  }

  function* insert(path: Path, session: string, { id, at, end, text }: BatchRow): Program<void> {
    yield* query(
      `INSERT INTO ${table} (tenant, usr, thread, key, at, "end", session, id, events)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      ...[...exactly(path), keyOf(session), at, end, encode(session), encode(id), text],
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
      return batch.end
    },

    *ids(path: Path): Program<string[]> {
      const rows = yield* query(`SELECT session FROM ${table} WHERE ${isExactly} AND at = 0`, ...exactly(path))
      return rows.map(({ session }) => decode(session as string))
    },

    *load(path: Path, session: SessionRows): Program<void> {
      if (!isNewSession(yield* read(path, session.id), session)) return
      for (const batch of session.batches) yield* insert(path, session.id, batch)
    },
  }
}

function batchOf({ id, at, end, events }: Row): BatchRow {
  return { id: decode(id as string), at: at as number, end: end as number, text: events as string }
}
