/** What sessions need of a PostgreSQL: a pool, its tables, and another try when a connection is lost. */
import { setTimeout as wait } from 'node:timers/promises'
import { SessionError } from '@clew/core'
import { type Share, share } from './shared.ts'

export type Value = string | number | Uint8Array | null
type Answer = { rows: { [column: string]: unknown }[] }

/** What is used of `Pool` and `PoolClient` of `pg`. */
export type PostgresPool = {
  query(text: string, values?: Value[]): Promise<Answer>
  connect(): Promise<PostgresClient>
  end(): Promise<void>
  readonly options?: { max?: number | undefined }
}
export type PostgresClient = {
  query(text: string, values?: Value[]): Promise<Answer>
  release(destroy?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
}

/** Of the tables below. A schema of a higher one was written by a later Clew. */
const version = 1

const pools = new Map<string, { resource: Promise<PostgresPool>; users: number }>()

/** The pool that this process has for a connection string. */
export function connect(connectionString: string, by = 'postgresSession'): Share<PostgresPool> {
  return share(pools, connectionString, {
    async open() {
      const { default: pg } = await import('pg').catch((cause) => {
        throw new SessionError(
          `${by}({ connectionString }) needs the package "pg", which is not there. Install it: npm install pg`,
          { cause },
        )
      })
      const pool = new pg.Pool({
        connectionString,
        allowExitOnIdle: true,
        keepAlive: true,
        connectionTimeoutMillis: 10_000,
      })
      // A connection that ends while nobody uses it is replaced by the next use; unheard, the event would end the process.
      pool.on('error', () => {})
      return pool
    },
    close: (pool) => pool.end(),
  })
}

/** Host and database, without user and password, for messages. */
export function place(connectionString: string | undefined): string {
  const url = connectionString !== undefined && URL.canParse(connectionString) ? new URL(connectionString) : undefined
  return url ? `PostgreSQL at ${url.host || 'this machine'}${url.pathname}` : 'PostgreSQL'
}

/** Where sessions and memories are kept in PostgreSQL. */
export type PostgresOptions = {
  /** The schema that holds the tables; made when it is not there. Default: `clew`. */
  schema?: string
} & (
  | {
      /** A `Pool` of `pg`, yours: it is not closed here, and its `error` events are yours to hear. */
      pool: PostgresPool
      connectionString?: undefined
    }
  | {
      /** A pool is made for it, one for all that name it, and closed behind the last. Needs the package `pg`. */
      connectionString: string
      pool?: undefined
    }
)

type Make = (pool: PostgresPool, schema: string) => Promise<void>

/** Makes the tables once for each pool and schema; what failed is tried again. */
export function oncePerSchema(make: Make): Make {
  const prepared = new WeakMap<PostgresPool, Map<string, Promise<void>>>()
  return async (pool, schema) => {
    const done = prepared.get(pool) ?? new Map<string, Promise<void>>()
    prepared.set(pool, done)
    const making = done.get(schema) ?? make(pool, schema)
    done.set(schema, making)
    await making.catch((error) => {
      done.delete(schema)
      throw error
    })
  }
}

/** Makes the tables of sessions once. @throws SessionError when they are a later Clew's. */
export const prepare = oncePerSchema(makeTables)

async function makeTables(pool: PostgresPool, schema: string): Promise<void> {
  const name = `"${schema.replaceAll('"', '""')}"`
  // Looked at first: a user who may not create anything can use what its owner made.
  const { rows } = await pool.query('SELECT to_regclass($1) IS NOT NULL AS there', [`${name}.version`])
  const found = rows[0]?.there
    ? (await pool.query(`SELECT version FROM ${name}.version WHERE part = 'sessions'`)).rows[0]
    : undefined
  if (found && (found.version as number) > version) {
    throw new SessionError(
      `The schema ${name} was written by a newer version of Clew (its sessions are v${found.version}, this reads v${version}). Update Clew to open it.`,
    )
  }
  if (found) return
  // One query string is one transaction. The lock keeps those who begin at once apart: IF NOT EXISTS alone does not.
  await pool.query(`
    SELECT pg_advisory_xact_lock(7161677276571938816);
    CREATE SCHEMA IF NOT EXISTS ${name};
    CREATE TABLE IF NOT EXISTS ${name}.version (part text PRIMARY KEY, version integer NOT NULL);
    CREATE TABLE IF NOT EXISTS ${name}.sessions (
      key text PRIMARY KEY, id text NOT NULL, at integer NOT NULL, holder text
    );
    CREATE TABLE IF NOT EXISTS ${name}.batches (
      session text NOT NULL REFERENCES ${name}.sessions, at integer NOT NULL, "end" integer NOT NULL,
      id text NOT NULL, events text NOT NULL, PRIMARY KEY (session, at)
    );
    INSERT INTO ${name}.version VALUES ('sessions', ${version}) ON CONFLICT DO NOTHING`)
}

/** Waits before each further try, in milliseconds: a server that restarts is back within them. */
const pauses = [50, 150, 500, 1300]

/** What passes by itself: connections lost or refused, a server that starts or stops (08…, 57P0…), transactions that met. */
const passing = /^(08...|57P0[123]|40001|40P01|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/

export async function retrying<Result>(work: () => Promise<Result>): Promise<Result> {
  for (const pause of pauses) {
    try {
      return await work()
    } catch (error) {
      const { code = '', message = '' } = error as { code?: string; message?: string }
      // `pg` has no code for a connection that ended under a query.
      if (!passing.test(code) && !/^(Connection terminated|Client has encountered a connection error)/.test(message))
        throw error
      await wait(pause)
    }
  }
  return await work()
}
