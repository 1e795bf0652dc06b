/** `stores`: where sessions are measured, with what differs from one to the next. */
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { memorySession, type Session } from '@clew/core'
import { fileSession, postgresSession, sqliteSession } from '@clew/memory'
import pg from 'pg'
import { hasPostgres, startPostgres } from '../../memory/test/postgres.ts'
import type { Placed } from './talk.ts'

export type Store = {
  name: string
  isServer?: true
  session(id: string): Session
  /** Puts all batches there at once, each as it would stand after an append of its own. */
  fill(id: string, batches: readonly Placed[]): Promise<void>
  /** What of them it keeps as text. */
  kept(batches: readonly Placed[]): unknown[]
  /** Bytes that it has written so far; absent where the system does not count them. */
  written?: (() => number | Promise<number>) | undefined
  close(): Promise<void>
}

/** Each in a folder of the benchmark. */
export const stores: ((folder: string) => Promise<Store>)[] = [
  inMemory,
  inFile,
  inSqlite,
  ...(hasPostgres ? [inPostgres] : []),
]

const eventsOf = (batches: readonly Placed[]) => batches.map(({ events }) => events)

async function inMemory(): Promise<Store> {
  const sessions = new Map<string, Session>()
  return {
    name: 'in memory',
    session: (id) => sessions.get(id) as Session,
    async fill(id, batches) {
      const session = memorySession(id)
      sessions.set(id, session)
      for (const { at, ...batch } of batches) await session.append(at, batch)
    },
    kept: (batches) => eventsOf(batches).flat(),
    // Nothing is written anywhere; what an append allocates takes its place.
    written: () => process.memoryUsage().heapUsed,
    close: async () => {},
  }
}

async function inFile(folder: string): Promise<Store> {
  const pathOf = (id: string) => join(folder, `${id}.jsonl`)
  return {
    name: 'file',
    session: (id) => fileSession(pathOf(id)),
    async fill(id, batches) {
      const lines = batches.map(({ id, at, events }) => JSON.stringify({ id, at, events }))
      await writeFile(pathOf(id), ['{"clew":"session","v":1}', ...lines, ''].join('\n'))
    },
    kept: (batches) => [...batches],
    written: processWritten,
    close: async () => {},
  }
}

async function inSqlite(folder: string): Promise<Store> {
  const file = join(folder, 'sessions.db')
  return {
    name: 'SQLite',
    session: (id) => sqliteSession(id, { file }),
    async fill(id, batches) {
      const session = sqliteSession(id, { file })
      await session.read()
      const db = new DatabaseSync(file)
      db.exec('BEGIN')
      const insert = db.prepare('INSERT INTO batches VALUES (?, ?, ?, ?, ?)')
      for (const { id: batch, at, events } of batches)
        insert.run(id, at, at + events.length, batch, JSON.stringify(events))
      db.exec('COMMIT')
      db.close()
      await session.close()
    },
    kept: eventsOf,
    written: processWritten,
    close: async () => {},
  }
}

async function inPostgres(): Promise<Store> {
  const server = await startPostgres()
  const pool = new pg.Pool({ connectionString: server.connectionString })
  return {
    name: 'PostgreSQL',
    isServer: true,
    session: (id) => postgresSession(id, { pool }),
    async fill(id, batches) {
      const session = postgresSession(id, { pool })
      const [first, ...rest] = batches as [Placed, ...Placed[]]
      await session.append(0, first)
      await pool.query(
        `WITH session AS (UPDATE clew.sessions SET at = $2 WHERE id = $1 RETURNING key)
         INSERT INTO clew.batches (session, at, "end", id, events)
         SELECT key, batch.* FROM session, unnest($3::integer[], $4::integer[], $5::text[], $6::text[]) AS batch`,
        [
          id,
          endOf(batches.at(-1) as Placed),
          rest.map(({ at }) => at),
          rest.map(endOf),
          rest.map((batch) => batch.id),
          rest.map(({ events }) => JSON.stringify(events)),
        ],
      )
      await session.close()
    },
    kept: eventsOf,
    async written() {
      const { rows } = await pool.query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS bytes")
      return Number(rows[0].bytes)
    },
    async close() {
      await pool.end()
      await server.stop()
    },
  }
}

const endOf = ({ at, events }: Placed) => at + events.length

/** What this process has given to write calls; Linux counts it. */
const processWritten = existsSync('/proc/self/io')
  ? () => Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
  : undefined
