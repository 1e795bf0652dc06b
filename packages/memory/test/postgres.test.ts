/** Sessions in PostgreSQL. */
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isClewError, SessionError } from '@clew/core'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { thisProcess } from '../src/holder.ts'
import { postgresSession } from '../src/index.ts'
import { batch } from './child.ts'
import { slow, testStore } from './every-store.ts'
import { freePort, hasPostgres, type LocalPostgres, startPostgres } from './postgres.ts'
import { startProxy } from './proxy.ts'
import { temporary } from './temporary.ts'

const folder = temporary()

describe.skipIf(!hasPostgres)('postgresSession', () => {
  let server: LocalPostgres
  let connectionString = ''
  let pool: pg.Pool
  beforeAll(async () => {
    server = await startPostgres()
    connectionString = server.connectionString
    pool = new pg.Pool({ connectionString })
    pool.on('error', () => {})
  }, slow)
  afterAll(async () => {
    await pool?.end()
    await server?.stop()
  })

  testStore((id) => ({ store: 'postgres', id, connectionString }))

  const newId = () => `p-${randomUUID()}`

  describe('when connections are lost', { timeout: slow }, () => {
    it('the server restarts in the middle: appends go on, nothing is lost, nothing is there twice', async () => {
      const session = postgresSession(newId(), { pool })
      let at = await session.append(0, batch('0'))
      let isRestarting = true
      const restarted = server.restart().finally(() => {
        isRestarting = false
      })
      for (let after = 0; after < 5; after += isRestarting ? 0 : 1) {
        const next = batch(String(at))
        // Should all tries have been in vain, the same batch may be appended again.
        const appended = await session.append(at, next).catch((error) => {
          expect(isClewError(error, 'session')).toBe(true)
          return session.append(at, next)
        })
        expect(appended).toBe(at + 1)
        at = appended
      }
      await restarted
      const { events } = await session.read()
      expect(events.map((event) => event.path?.[0])).toEqual(events.map((_, index) => String(index)))
      expect(events).toHaveLength(at)
    })

    it('the reply to a commit is lost: the append gives its end, and the batch is there once', async () => {
      const proxy = await startProxy(Number(new URL(connectionString).port))
      const session = postgresSession(newId(), {
        connectionString: `postgres://clew@127.0.0.1:${proxy.port}/postgres`,
      })
      expect(await session.append(0, batch('a'))).toBe(1)
      for (let at = 1; at < 5; at++) {
        proxy.loseReplyTo('INSERT INTO')
        expect(await session.append(at, batch(String(at)))).toBe(at + 1)
        expect(proxy.lost).toBe(at)
      }
      expect((await session.read()).events.map((event) => event.path?.[0])).toEqual(['a', '1', '2', '3', '4'])
      await session.close()
      await proxy.stop()
    })

    it('a lease whose connection ends is lost, and told; another worker gets it', async () => {
      const id = newId()
      const [one, two] = [postgresSession(id, { pool }), postgresSession(id, { connectionString })]
      const told = new Promise<string>((resolve) => {
        vi.spyOn(process, 'emitWarning').mockImplementation((warning) => resolve(String(warning)))
      })
      const lease = await one.acquire()
      await expect(two.acquire()).rejects.toThrow(`process ${process.pid} on`)
      await pool.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
      expect(await told).toContain(`The lease on session "${id}" was lost`)
      vi.restoreAllMocks()
      const next = await two.acquire()
      await lease.release()
      await expect(one.acquire()).rejects.toThrow(SessionError)
      await next.release()
      await (await one.acquire()).release()
      await two.close()
    })

    it('a lease of a process that is seen to be dead is waited for, until the server has noticed', async () => {
      const id = newId()
      const [one, two] = [postgresSession(id, { pool }), postgresSession(id, { connectionString })]
      const lease = await one.acquire()
      await pool.query('UPDATE clew.sessions SET holder = $2 WHERE id = $1', [
        id,
        JSON.stringify({ ...thisProcess(0), began: '1' }),
      ])
      const taking = two.acquire()
      await two.read()
      await lease.release()
      await (await taking).release()
      await two.close()
    })

    it('nothing answers: a SessionError says where, without the password', async () => {
      const port = await freePort()
      const session = postgresSession('one', { connectionString: `postgres://clew:secret@127.0.0.1:${port}/postgres` })
      const error = await session.append(0, batch('a')).catch((error) => error)
      expect(isClewError(error, 'session')).toBe(true)
      expect(error.message).toContain(`(PostgreSQL at 127.0.0.1:${port}/postgres)`)
      expect(error.message).toMatch(/ECONNREFUSED.* Nothing answers there: see that PostgreSQL runs/)
      expect(error.message).not.toContain('secret')
      await session.close()
    })

    it('there is no such database, or no such user: told at once, with the next move', async () => {
      const other = connectionString.replace(/postgres$/, 'nowhere')
      await expect(postgresSession('one', { connectionString: other }).read()).rejects.toThrow(
        /"nowhere" does not exist\. There is no such database: create it/,
      )
    })
  })

  describe('tables', () => {
    it('are made once, by whoever is first of many, in the schema that is named', async () => {
      const schema = 'odd "schema" – ŧ'
      const pools = Array.from({ length: 8 }, () => new pg.Pool({ connectionString }))
      const id = newId()
      const outcomes = await Promise.allSettled(
        pools.map((each) => postgresSession(id, { pool: each, schema }).append(0, batch('a'))),
      )
      // All had the same batch: one appended it, the others were told its end.
      expect(outcomes).toEqual(pools.map(() => ({ status: 'fulfilled', value: 1 })))
      expect(await postgresSession(id, { pool }).read()).toEqual({ events: [], at: 0 })
      await Promise.all(pools.map((each) => each.end()))
    })

    it('of the future are refused', async () => {
      const session = postgresSession('one', { pool, schema: 'future' })
      await session.append(0, batch('a'))
      await pool.query('UPDATE future.version SET version = 2')
      const other = new pg.Pool({ connectionString })
      await expect(postgresSession('one', { pool: other, schema: 'future' }).read()).rejects.toThrow(
        'The schema "future" was written by a newer version of Clew (its sessions are v2, this reads v1). Update Clew to open it.',
      )
      await other.end()
    })

    it('serve a user who may not make any, once they are there', async () => {
      await pool.query('CREATE ROLE worker LOGIN')
      const worker = connectionString.replace('clew@', 'worker@')
      const session = postgresSession('one', { connectionString: worker, schema: 'owned' })
      await expect(session.append(0, batch('a'))).rejects.toThrow(/permission denied.* This user lacks a privilege/)
      await postgresSession('one', { pool, schema: 'owned' }).read()
      await pool.query(
        'GRANT USAGE ON SCHEMA owned TO worker; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA owned TO worker',
      )
      expect(await session.append(0, batch('a'))).toBe(1)
      await (await session.acquire()).release()
      await session.close()
    })
  })

  describe('a pool', () => {
    it('of yours is used and stays open', async () => {
      const session = postgresSession(newId(), { pool })
      await session.append(0, batch('a'))
      await session.close()
      await expect(session.read()).rejects.toThrow(/is closed\. Open it anew/)
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    })

    it('gives one connection for all of its leases, and has it back behind the last', async () => {
      const small = new pg.Pool({ connectionString, max: 2 })
      const sessions = Array.from({ length: 12 }, () => postgresSession(newId(), { pool: small }))
      const leases = await Promise.all(sessions.map((session) => session.acquire()))
      expect(await Promise.all(sessions.map((session) => session.append(0, batch('a'))))).toEqual(sessions.map(() => 1))
      const locks = "SELECT count(*)::integer AS count FROM pg_locks WHERE locktype = 'advisory'"
      expect((await pool.query(locks)).rows).toEqual([{ count: 12 }])
      await leases[0]!.release()
      // At once, though the connection still serves the others.
      const other = postgresSession(sessions[0]!.id, { pool })
      await (await other.acquire()).release()
      await Promise.all(leases.map((lease) => lease.release()))
      expect((await pool.query(locks)).rows).toEqual([{ count: 0 }])
      await small.end()
    })

    it('of one connection is refused a lease', async () => {
      const single = new pg.Pool({ connectionString, max: 1 })
      const session = postgresSession(newId(), { pool: single })
      expect(await session.append(0, batch('a'))).toBe(1)
      await expect(session.acquire()).rejects.toThrow(/has one connection \(max: 1\).* Give it two or more/)
      await single.end()
    })
  })
})

it('without the package pg, the error says how to install it', () => {
  const root = join(import.meta.dirname, '..')
  const modules = join(folder, 'node_modules', '@clew')
  mkdirSync(modules, { recursive: true })
  cpSync(join(root, 'dist'), join(modules, 'memory'), { recursive: true })
  writeFileSync(join(modules, 'memory', 'package.json'), '{ "type": "module", "exports": "./index.js" }')
  symlinkSync(join(root, 'node_modules', '@clew', 'core'), join(modules, 'core'))
  writeFileSync(
    join(folder, 'main.mjs'),
    `import { postgresSession } from '@clew/memory'
     const session = postgresSession('one', { connectionString: 'postgres://127.0.0.1/none' })
     await session.read().catch((error) => console.log(error.name, error.message))
     await session.close()`,
  )
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'main.mjs')])
  expect(String(stderr)).toBe('')
  expect(String(stdout)).toBe(
    'SessionError postgresSession({ connectionString }) needs the package "pg", which is not there. Install it: npm install pg\n',
  )
})
