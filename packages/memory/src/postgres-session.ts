/**
 * `postgresSession()`: a session in PostgreSQL, for workers on many machines.
 *
 * A batch is one row: its events as the text that they were (`jsonb` sorts keys and refuses `\u0000`). Compare and append
 * are one statement: it moves the position on, which locks the session's row, and inserts the batch if it moved. So a lost
 * connection leaves all of it or nothing, and the same statement is sent again: a batch that stands there already is known
 * by its id. The lease is an advisory lock, which the server takes back when the holder's connection ends.
 */
import { createHash } from 'node:crypto'
import type { Lease, LoggedEvent, Session } from '@clew/core'
import { checkId, closed, failure, stale } from './failure.ts'
import { acquireAdvisory } from './postgres-lease.ts'
import { connect, type PostgresOptions, type PostgresPool, place, prepare, retrying } from './postgres-pool.ts'
import type { Share } from './shared.ts'

/** A lease takes one of the pool's connections. */
export type PostgresSessionOptions = PostgresOptions

/**
 * The session `id`; the database is asked with the first use.
 * @throws SessionError for an id that cannot be kept; from its methods when the database cannot be reached (after five
 * tries within about two seconds), refuses, was written by a later Clew, or when the session is held.
 */
export function postgresSession(id: string, options: PostgresSessionOptions): Required<Session> {
  checkId(id)
  const { schema = 'clew', pool: given, connectionString } = options
  const tables = `"${schema.replaceAll('"', '""')}"`
  // Of one length for every id: an index entry has to fit into a third of a page.
  const key = createHash('sha256').update(id).digest('hex')
  const where = place(connectionString)
  let connection: Share<PostgresPool> | undefined
  let lease: Lease | undefined
  let isClosed = false

  /** Every failure becomes a `SessionError`; a lost connection is tried again, so `work` may run twice. */
  async function attempt<Result>(doing: string, work: (pool: PostgresPool) => Promise<Result>): Promise<Result> {
    try {
      return await retrying(async () => {
        if (isClosed) throw closed(id)
        if (!given) connection ??= connect(connectionString as string)
        const opened = connection
        const pool = given ?? (await (opened as Share<PostgresPool>).resource.catch(forget(opened)))
        await prepare(pool, schema)
        return await work(pool)
      })
    } catch (cause) {
      throw failure(id, doing, where, cause)
    }
  }
  const forget = (opened: typeof connection) => (error: unknown) => {
    if (connection === opened) connection = undefined
    throw error
  }

  return {
    id,
    read: () =>
      attempt('read', async (pool) => {
        const text = `SELECT "end", events FROM ${tables}.batches WHERE session = $1 ORDER BY at`
        const { rows } = await pool.query(text, [key])
        const events = rows.flatMap((row) => JSON.parse(row.events as string) as LoggedEvent[])
        return { events, at: (rows.at(-1)?.end as number | undefined) ?? 0 }
      }),

    async append(at, { id: batchId, events }) {
      // Now, not when the database answers: what the caller does with its objects later is not appended.
      const text = JSON.stringify(events)
      const end = at + events.length
      return await attempt('appended to', async (pool) => {
        if (events.length > 0) {
          const { rows } = await pool.query(appendTo(tables), [key, id, at, end, batchId, text])
          if (rows.length > 0) return end
        }
        const found = await pool.query(
          `SELECT (SELECT at FROM ${tables}.sessions WHERE key = $1) AS at, batches.id, batches."end"
             FROM (SELECT) AS one LEFT JOIN ${tables}.batches ON session = $1 AND batches.at = $2`,
          [key, at],
        )
        const row = found.rows[0] as { at: number | null; id: string | null; end: number }
        if (row.id === batchId) return row.end
        const position = row.at ?? 0
        if (position !== at || events.length > 0) throw stale(id, position, at)
        return at
      })
    },

    acquire: () =>
      attempt('acquired', async (pool) => {
        const acquired = await acquireAdvisory(pool, {
          id,
          lock: `${schema} ${key}`,
          ...holderOf(pool, tables, key, id),
        })
        lease = acquired
        if (!isClosed) return acquired
        await acquired.release()
        throw closed(id)
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

/** Who has the lease, in the row of the session. */
function holderOf(pool: PostgresPool, tables: string, key: string, id: string) {
  return {
    async read() {
      const { rows } = await pool.query(`SELECT holder FROM ${tables}.sessions WHERE key = $1`, [key])
      return (rows[0]?.holder as string | null | undefined) ?? undefined
    },
    async write(holder: string, ask: PostgresPool['query']) {
      const text = `INSERT INTO ${tables}.sessions (key, id, at, holder) VALUES ($1, $2, 0, $3) ON CONFLICT (key) DO UPDATE SET holder = $3`
      await ask(text, [key, id, holder])
    },
  }
}

/** Gives a row if it appended. A session that is not there yet begins at position 0. */
const appendTo = (tables: string) => `
  WITH moved AS (
    INSERT INTO ${tables}.sessions AS session (key, id, at)
    SELECT $1, $2, $4::integer WHERE $3::integer = 0 OR EXISTS (SELECT FROM ${tables}.sessions WHERE key = $1)
    ON CONFLICT (key) DO UPDATE SET at = excluded.at WHERE session.at = $3
    RETURNING key
  )
  INSERT INTO ${tables}.batches (session, at, "end", id, events)
  SELECT key, $3, $4, $5::text, $6::text FROM moved RETURNING 1`
