/** `askPostgres()`: rows of a PostgreSQL database, read in a transaction that cannot write. */
import type { Duplex } from 'node:stream'
import { DefinitionError } from '@clew/core'
import type { Client, FieldDef } from 'pg'
import { optional } from '../load.ts'
import { Refused, TooLong, TooMuch } from './refused.ts'
import { type Caps, cutCell, type Rows } from './rows.ts'

export const postgresSchema = `
  SELECT CASE table_schema WHEN 'public' THEN '' ELSE table_schema || '.' END || table_name, column_name, data_type
  FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
  ORDER BY table_schema, table_name, ordinal_position`

/** Bytes of an answer, at most: a row comes whole or not at all. */
const maxBytes = 32 * 1024 * 1024

/**
 * Each query has a connection of its own, so that nothing of one is left for the next. A cursor can be declared for one
 * statement that reads, and for nothing else; what it calls runs in a transaction that is read only, and is rolled back.
 * @throws Refused, TooLong, TooMuch, DefinitionError for a role that may do too much, the signal's reason
 */
export async function askPostgres(url: string, sql: string, caps: Caps, signal: AbortSignal): Promise<Rows> {
  const { default: pg } = await optional('pg', 'sql_query', () => import('pg'))
  signal.throwIfAborted()
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: caps.timeoutMs,
    application_name: 'clew sql_query',
    // As the server writes them: numbers keep their digits, times their zone.
    types: { getTypeParser: () => (text: string) => text },
  })
  // What a broken connection says is said by the query that it broke.
  client.on('error', () => {})
  const cut = Promise.withResolvers<never>()
  const leave = (reason: unknown) => {
    cut.reject(reason)
    streamOf(client).destroy()
  }
  const aborted = () => leave(signal.reason)
  signal.addEventListener('abort', aborted, { once: true })
  // The server keeps the time itself; this is for one that does not answer.
  const timer = setTimeout(() => leave(new TooLong(caps.timeoutMs)), caps.timeoutMs + 1_000)
  try {
    return await Promise.race([read(client, sql, caps, leave), cut.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', aborted)
    await closed(client)
  }
}

async function read(client: Client, sql: string, caps: Caps, leave: (reason: unknown) => void): Promise<Rows> {
  await client.connect().catch((error: { code?: string }) => {
    throw new DefinitionError(
      `sql_query cannot reach its database (${error.code ?? 'no answer'}). Check its address, role and password.`,
    )
  })
  countBytes(streamOf(client), leave)
  await client.query('BEGIN TRANSACTION READ ONLY')
  await client.query(`SET LOCAL statement_timeout = ${Math.ceil(caps.timeoutMs)}`)
  await checkRole(client)
  const declare = 'DECLARE clew_rows NO SCROLL CURSOR FOR '
  try {
    // The extended protocol takes one statement; the simple one would run all that stand behind it.
    const query = { text: declare + sql, queryMode: 'extended' }
    await client.query(query)
    const { fields, rows } = await client.query<(string | null)[]>({
      text: `FETCH ${caps.maxRows + 1} FROM clew_rows`,
      rowMode: 'array',
    })
    return rowsOf(fields, rows, caps)
  } catch (error) {
    throw refusal(error as PostgresError, declare.length, caps)
  }
}

function rowsOf(fields: FieldDef[], rows: (string | null)[][], { maxRows, maxCellChars }: Caps): Rows {
  const cut = (text: string | null) => (text === null ? null : cutCell(text, maxCellChars))
  return {
    columns: fields.map(({ name }) => name),
    rows: rows.slice(0, maxRows).map((row) => row.map(cut)),
    more: rows.length > maxRows,
  }
}

/** A transaction that is read only does not keep these from files and programs of the server. */
const strongRoles = ['pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program']

async function checkRole(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string; strong: string }>(
    `SELECT session_user AS name, bool_or(r.rolname = session_user AND r.rolsuper
       OR r.rolname = ANY ($1) AND pg_has_role(session_user, r.oid, 'MEMBER'))::text AS strong FROM pg_roles r`,
    [strongRoles],
  )
  if (rows[0]?.strong === 'false') return
  throw new DefinitionError(
    `sql_query: role "${rows[0]?.name}" is a superuser or may use files and programs of the server, which no transaction keeps it from. Connect as a role that may only SELECT.`,
  )
}

type PostgresError = Error & { code?: string; position?: string; hint?: string }

function refusal(error: PostgresError, offset: number, { timeoutMs }: Caps): Error {
  if (error.code === '57014') return new TooLong(timeoutMs)
  const at = error.position === undefined ? '' : ` at character ${Number(error.position) - offset}`
  return new Refused(`${error.message}${at}${error.hint ? ` (${error.hint})` : ''}`)
}

function countBytes(stream: Duplex, leave: (reason: unknown) => void): void {
  let left = maxBytes
  stream.on('data', (bytes: Buffer) => {
    left -= bytes.length
    if (left < 0) leave(new TooMuch(maxBytes))
  })
}

/** The socket, or what encrypts it. */
function streamOf(client: Client): Duplex {
  return (client as Client & { connection: { stream: Duplex } }).connection.stream
}

/** Closing the connection rolls back. */
async function closed(client: Client): Promise<void> {
  if (streamOf(client).destroyed) return
  await client.end().catch(() => {})
}
