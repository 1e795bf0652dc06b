/** `sql_query` on a real PostgreSQL: what is read, and what a role without rights is refused in a transaction that is read only. */
import { createServer, type Socket } from 'node:net'
import { AbortError, Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPostgres, type LocalPostgres, startPostgres } from '../../memory/test/postgres.ts'
import { type SqlQueryOptions, sqlQuery } from '../src/index.ts'
import { bare, resultOf } from './result-of.ts'

let server: LocalPostgres
let admin: pg.Client
let url = ''

const make = (options: object = {}) => sqlQuery({ postgres: url, ...options } as SqlQueryOptions)
const ask = async (query?: string, options: object = {}) => {
  const result = await resultOf(make(options), query === undefined ? {} : { query })
  return { ...result, text: bare(result.text) }
}

describe.skipIf(!hasPostgres)('sql_query on PostgreSQL', () => {
  beforeAll(async () => {
    server = await startPostgres()
    admin = new pg.Client({ connectionString: server.connectionString })
    await admin.connect()
    await admin.query(`
      CREATE TABLE people (id integer PRIMARY KEY, name text, score numeric, born timestamptz);
      INSERT INTO people VALUES (1, 'Ada', 0.10, '1815-12-10 00:00Z'), (2, 'Grace', 12345678901234567890.5, NULL);
      CREATE SCHEMA inner_office; CREATE TABLE inner_office.desks (number int);
      CREATE TABLE hidden (word text); INSERT INTO hidden VALUES ('hunter2');
      CREATE SEQUENCE counter;
      CREATE FUNCTION bump() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'UPDATE people SET id = id + 10; SELECT 1';
      CREATE ROLE reader LOGIN;
      CREATE ROLE strong LOGIN; GRANT pg_read_server_files TO strong;
      GRANT USAGE ON SCHEMA inner_office TO reader;
      GRANT SELECT ON people, inner_office.desks TO reader;
      GRANT UPDATE, INSERT ON people TO reader; GRANT USAGE ON SEQUENCE counter TO reader;
    `)
    url = server.connectionString.replace('clew@', 'reader@')
  })
  afterAll(async () => {
    await admin?.end()
    await server?.stop()
  })

  it('lists the tables that the role can read', async () => {
    const { text } = await ask()
    expect(text.split('\n')).toEqual([
      'inner_office.desks(number integer)',
      'people(id integer, name text, score numeric, born timestamp with time zone)',
    ])
  })

  it('gives rows as the server writes them', async () => {
    expect((await ask('SELECT name, score, born IS NULL AS unborn FROM people ORDER BY id')).text).toBe(
      'name | score | unborn\nAda | 0.10 | f\nGrace | 12345678901234567890.5 | t\n(2 rows)',
    )
    expect((await ask('WITH t AS (SELECT 1 AS a, 2 AS a) SELECT * FROM t;')).text).toMatch(/ambiguous|a \| a\n1 \| 2/)
    expect((await ask('SELECT NULL::text AS a -- one')).text).toBe('a\nNULL\n(1 row)')
    expect((await ask('VALUES (1), (2)')).text).toBe('column1\n1\n2\n(2 rows)')
  })

  it('bounds rows and cells', async () => {
    const { text } = await ask("SELECT n, repeat('x', 1000) AS x FROM generate_series(1, 1000000) n", {
      maxRows: 2,
      maxCellChars: 5,
    })
    expect(text).toMatch(/^n \| x\n1 \| xxxxx…\n2 \| xxxxx…\n\(The first 2 rows; there are more\./)
    expect((await ask('SELECT 1 AS a', { maxRows: 1 })).text).toBe('a\n1\n(1 row)')
  })

  it('is told where a query is wrong, and the database’s hint', async () => {
    const { text, isError } = await ask('SELECT nmae FROM people')
    expect(isError).toBe(true)
    expect(text).toContain(
      'column "nmae" does not exist at character 8 (Perhaps you meant to reference the column "people.name".)',
    )
  })

  it.each([
    [
      'a statement that writes',
      'WITH t AS (UPDATE people SET id = 9 RETURNING 1) SELECT * FROM t',
      /must not contain data-modifying statements/,
    ],
    ['a table made of a SELECT', 'SELECT 1 AS a INTO TABLE stolen', /INTO is not allowed here/],
    ['a lock', 'SELECT * FROM people FOR UPDATE', /read-only transaction/],
    ['a function that writes with the rights of another', 'SELECT bump()', /read-only transaction/],
    ['a sequence', "SELECT nextval('counter')", /read-only transaction/],
    ['a table of others', 'SELECT * FROM hidden', /permission denied for table hidden/],
    ['a file of the server', "SELECT pg_read_file('/etc/passwd')", /permission denied for function pg_read_file/],
    ['a folder of the server', "SELECT pg_ls_dir('/')", /permission denied for function pg_ls_dir/],
    ['a file through large objects', "SELECT lo_import('/etc/passwd')", /permission denied for function lo_import/],
    [
      'a file written through large objects',
      "SELECT lo_export(1, '/tmp/x')",
      /permission denied for function lo_export/,
    ],
    [
      'a setting that only the server may change',
      "SELECT set_config('log_directory', '/tmp', false)",
      /cannot be changed|permission denied/,
    ],
    [
      'writing after all',
      "SELECT set_config('transaction_read_only', 'off', true)",
      /cannot set transaction read-write mode inside|must be set before any query/,
    ],
    [
      'writing after all, for later',
      "SELECT set_config('transaction_read_only', 'off', false)",
      /read-write mode|before any query/,
    ],
    ['another role', "SELECT set_config('role', 'clew', true)", /permission denied to set role/],
    [
      'another user',
      "SELECT set_config('session_authorization', 'clew', true)",
      /permission denied to set session authorization/,
    ],
    ['EXPLAIN', 'EXPLAIN ANALYZE SELECT 1', /syntax error/],
    ['a parameter', 'SELECT $1', /supplies 0 parameters/],
  ])('the database refuses %s', async (_, query, words) => {
    const { text, isError } = await ask(query)
    expect(isError).toBe(true)
    expect(text).toMatch(/The database refused the query:/)
    expect(text).toMatch(words)
  })

  it.each([
    ['UPDATE people SET id = 9', 'this one with "UPDATE"'],
    ["COPY people TO PROGRAM 'cat > /tmp/x'", 'this one with "COPY"'],
    ['SET transaction_read_only = off', 'this one with "SET"'],
    ['COMMIT', 'this one with "COMMIT"'],
    ['SELECT 1; COMMIT; UPDATE people SET id = 9', 'several statements'],
  ])('does not ask the database for %s', async (query, message) => {
    expect((await ask(query)).text).toContain(message)
  })

  it('takes one statement also where the first look saw one', async () => {
    // What a backslash means in a text, the first look does not know.
    const { text, isError } = await ask(String.raw`SELECT E'\'' ; COMMIT; UPDATE people SET name = 'x' WHERE name = ''`)
    expect(isError).toBe(true)
    expect(text).toContain('cannot insert multiple commands into a prepared statement')
  })

  it('keeps nothing of what a query did', async () => {
    await ask('SELECT lo_create(4711)')
    await ask('SELECT pg_advisory_lock(7)')
    await ask("SELECT set_config('statement_timeout', '0', false)")
    expect((await admin.query('SELECT oid FROM pg_largeobject_metadata')).rows).toEqual([])
    expect((await admin.query('SELECT pg_try_advisory_lock(7) AS free')).rows).toEqual([{ free: true }])
    expect((await admin.query('SELECT id, name FROM people ORDER BY id')).rows).toEqual([
      { id: 1, name: 'Ada' },
      { id: 2, name: 'Grace' },
    ])
  })

  it('is stopped when its time is over, also where it says that it has none', async () => {
    const query = "SELECT set_config('statement_timeout', '0', true), pg_sleep(3600)"
    const { text, isError } = await ask(query, { timeoutMs: 300 })
    expect(isError).toBe(true)
    expect(text).toContain('it took longer than 300 ms and was stopped')
    const active = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'FETCH%'"
    expect((await admin.query(active)).rows).toEqual([])
  })

  it('is stopped where rows are too many bytes to take in', async () => {
    const { text } = await ask("SELECT repeat('x', 9000000) FROM generate_series(1, 50)")
    expect(text).toContain('its rows are more than 33554432 bytes')
  })

  it('is stopped when the run is left', async () => {
    const model = scriptedModel([{ calls: [{ name: 'sql_query', arguments: { query: 'SELECT pg_sleep(3600)' } }] }])
    const controller = new AbortController()
    const agent = new Agent({ name: 'a', model, tools: [make({ timeoutMs: 3_600_000 })] })
    agent.on('tool-start', () => setImmediate(() => controller.abort()))
    await expect(agent.run('go', { signal: controller.signal })).rejects.toThrow(AbortError)
  })

  it.each([
    ['a superuser', 'clew'],
    ['a role that may read files of the server', 'strong'],
  ])('does not work as %s', async (_, role) => {
    const postgres = server.connectionString.replace('clew@', `${role}@`)
    const { text, isError } = await resultOf(sqlQuery({ postgres }), { query: 'SELECT 1' })
    expect(isError).toBe(true)
    expect(text).toContain(`role "${role}" is a superuser or may use files and programs of the server`)
  })

  it('marks what strangers may have written, also where the database quotes it', async () => {
    const result = await resultOf(make(), { query: 'SELECT name::int FROM people' })
    expect(result.text).toMatch(/<untrusted id="[^"]+" tool="sql_query">\n.*\n.*"Ada"\n<\/untrusted/)
  })
})

describe('sql_query on a PostgreSQL that is not there', () => {
  const listen = (onConnection: (socket: Socket) => void) =>
    new Promise<{ postgres: string; close(): void }>((resolve) => {
      const sockets = new Set<Socket>()
      const silent = createServer((socket) => {
        sockets.add(socket)
        onConnection(socket)
      })
      silent.listen(0, '127.0.0.1', () => {
        const { port } = silent.address() as { port: number }
        const close = () => {
          silent.close()
          for (const socket of sockets) socket.destroy()
        }
        resolve({ postgres: `postgres://reader:hunter2@127.0.0.1:${port}/shop`, close })
      })
    })

  it('says so, without its password', async () => {
    const { postgres, close } = await listen(() => {})
    close()
    const { text, isError } = await resultOf(sqlQuery({ postgres }), { query: 'SELECT 1' })
    expect(isError).toBe(true)
    expect(text).toContain('sql_query cannot reach its database (ECONNREFUSED). Check its address, role and password.')
    expect(text).not.toContain('hunter2')
  })

  it('gives up on one that says nothing', async () => {
    const { postgres, close } = await listen(() => {})
    const { text } = await resultOf(sqlQuery({ postgres, timeoutMs: 50 }), { query: 'SELECT 1' })
    close()
    expect(text).toContain('sql_query cannot reach its database (no answer)')
  })

  it('says so of one that hangs up', async () => {
    const { postgres, close } = await listen((socket) => socket.destroy())
    const { text } = await resultOf(sqlQuery({ postgres }), { query: 'SELECT 1' })
    close()
    expect(text).toContain('sql_query cannot reach its database')
  })
})
