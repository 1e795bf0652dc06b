/**
 * `postgresMemory()`: a memory store in PostgreSQL, for workers on many machines.
 *
 * Every call is one transaction that says which tenant it is for; policies on the rows show it that tenant's alone, also
 * to the owner of the tables (not to a superuser, who is above all policies: let your program be another role).
 */
import { createHash } from 'node:crypto'
import { ClewError } from '@clew/core'
import { reasonOf } from '../failure.ts'
import { acquireAdvisory } from '../postgres-lease.ts'
import {
  connect,
  oncePerSchema,
  type PostgresClient,
  type PostgresOptions,
  type PostgresPool,
  place,
  retrying,
} from '../postgres-pool.ts'
import type { Share } from '../shared.ts'
import { storeOver } from './handle.ts'
import type { MemoryStore } from './memory.ts'
import { closedMemory, MemoryError } from './memory-error.ts'
import { migratePostgresVectors, postgresVectors } from './postgres-vectors.ts'
import { postgresWords, postgresWordTables } from './postgres-words.ts'
import type { RetentionOptions } from './retention.ts'
import { type Dialect, exactly, isExactly, type Program, query } from './sql.ts'
import { type Driver, sqlBackend } from './sql-backend.ts'
import { checkVersion, migrate, type Types } from './sql-tables.ts'

/** A lease on a session takes one of the pool's connections, all of them together. */
export type PostgresMemoryOptions = PostgresOptions & RetentionOptions

/** The database is asked with the first use; a lost connection is tried again, five times within about two seconds. */
export function postgresMemory(options: PostgresMemoryOptions): MemoryStore {
  const { schema = 'clew', pool: given, connectionString } = options
  const dialect = dialectOf(schema)
  let connection: Share<PostgresPool> | undefined
  let isClosed = false

  async function attempt<Result>(doing: string, work: (pool: PostgresPool) => Promise<Result>): Promise<Result> {
    try {
      return await retrying(async () => {
        if (isClosed) throw closedMemory()
        if (!given) connection ??= connect(connectionString as string, 'postgresMemory')
        const opened = connection
        const pool =
          given ??
          (await (opened as Share<PostgresPool>).resource.catch((error) => {
            if (connection === opened) connection = undefined
            throw error
          }))
        await prepare(pool, schema)
        return await work(pool)
      })
    } catch (cause) {
      if (cause instanceof ClewError) throw cause
      throw new MemoryError(`The memory could not be ${doing} (${place(connectionString)}): ${reasonOf(cause)}`, {
        cause,
      })
    }
  }

  const driver: Driver = {
    dialect,
    read: (tenant, program) =>
      attempt('read', (pool) =>
        transaction(pool, 'REPEATABLE READ READ ONLY', (client) => drive(client, asTenant(tenant, program))),
      ),
    // What is looked at behind a lock has to be what is there by then.
    write: (tenant, program) =>
      attempt('written', (pool) =>
        transaction(pool, 'READ COMMITTED', (client) => drive(client, asTenant(tenant, program))),
      ),
    acquire: (path, { id, key, check }) =>
      attempt('leased', async (pool) => {
        const run = <Result>(program: () => Program<Result>) =>
          transaction(pool, 'READ COMMITTED', (client) => drive(client, asTenant(path[0] as string, program)))
        await run(check)
        return await acquireAdvisory(pool, {
          id,
          lock: `memory ${schema} ${key}`,
          ...holderOf(run, dialect, path, key),
        })
      }),
    async close() {
      isClosed = true
      await connection?.leave()
    },
  }
  return storeOver(sqlBackend(driver), options)
}

function* asTenant<Result>(tenant: string, program: () => Program<Result>): Program<Result> {
  yield* query(`SELECT set_config('clew.tenant', $1, true)`, tenant)
  return yield* program()
}

/** Who has a lease, where its tenant alone sees it. */
function holderOf(
  run: <Result>(program: () => Program<Result>) => Promise<Result>,
  { prefix }: Dialect,
  path: readonly string[],
  key: string,
) {
  return {
    async read() {
      const text = `SELECT holder FROM ${prefix}leases WHERE ${isExactly} AND key = $4`
      const [row] = await run(() => query(text, ...exactly(path), key))
      return row?.holder as string | undefined
    },
    async write(holder: string) {
      const text = `INSERT INTO ${prefix}leases (tenant, usr, thread, key, token, holder, renewed)
        VALUES ($1, $2, $3, $4, '', $5, 0) ON CONFLICT (tenant, usr, thread, key) DO UPDATE SET holder = excluded.holder`
      await run(() => query(text, ...exactly(path), key, holder))
    },
  }
}

const quoted = (schema: string) => `"${schema.replaceAll('"', '""')}"`

function dialectOf(schema: string): Dialect {
  const dialect: Omit<Dialect, 'words'> = {
    vectors: postgresVectors,
    prefix: `${quoted(schema)}.memory_`,
    *lock(key, isShared) {
      const number = createHash('sha256').update(`clew memory ${schema} ${key}`).digest().readBigInt64BE().toString()
      yield* query(`SELECT pg_advisory_xact_lock${isShared ? '_shared' : ''}(CAST($1 AS bigint))`, number)
    },
    atOnce: 100,
    isReplacing: 'xmax <> 0',
    // An array, not the rows themselves: of those the planner thinks too many to look them up in an index.
    isOneOf: (column, parameter, type) =>
      `${column} = ANY (ARRAY(SELECT CAST(value AS ${type}) FROM json_array_elements_text(CAST(${parameter} AS json))))`,
  }
  return { ...dialect, words: postgresWords(dialect) }
}

const types: Types = {
  real: 'double precision',
  row: 'bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
  words: (prefix, bare) => [...postgresWordTables(prefix, bare), ...protect(`${prefix}words`)],
  vectors: migratePostgresVectors,
  protect,
}

function protect(table: string): string[] {
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY tenant ON ${table} USING (tenant = current_setting('clew.tenant', true))
       WITH CHECK (tenant = current_setting('clew.tenant', true))`,
  ]
}

const prepare = oncePerSchema(makeTables)

async function makeTables(pool: PostgresPool, schema: string): Promise<void> {
  const name = quoted(schema)
  const [version, where] = [`${name}.version`, `The schema ${name}`]
  await transaction(pool, 'READ COMMITTED', async (client) => {
    // Looked at first: a user who may not create anything can use what its owner made.
    const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [version])
    const found = rows[0]?.there
      ? (await client.query(`SELECT version FROM ${version} WHERE part = 'memory'`)).rows[0]
      : undefined
    if (found && checkVersion(found.version as number, where)) return
    // The lock of sessions too: whoever begins at once makes the schema one after the other.
    await client.query('SELECT pg_advisory_xact_lock(7161677276571938816)')
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${name}`)
    await client.query(`CREATE TABLE IF NOT EXISTS ${version} (part text PRIMARY KEY, version integer NOT NULL)`)
    await drive(client, migrate({ version, prefix: `${name}.memory_`, types, place: where }))
  })
}

async function transaction<Result>(
  pool: PostgresPool,
  isolation: string,
  work: (client: PostgresClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  // The query under way rejects as well; unheard, the event would end the process.
  const ignore = () => {}
  client.on('error', ignore)
  let isBroken = false
  try {
    await client.query(`BEGIN ISOLATION LEVEL ${isolation}`)
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      isBroken = true
    })
    throw error
  } finally {
    client.removeListener('error', ignore)
    client.release(isBroken)
  }
}

async function drive<Result>(client: PostgresClient, program: Program<Result>): Promise<Result> {
  let step = program.next()
  while (!step.done) {
    const { text, values } = step.value
    step = program.next((await client.query(text, values)).rows)
  }
  return step.value
}
