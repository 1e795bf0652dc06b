/** Vectors in a PostgreSQL that has pgvector: in this process (PGlite), which has one session for all. */

import { memoryContract } from '@clew/testing'
import { PGlite } from '@electric-sql/pglite'
import { vector as pgvector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { inMemory, postgresMemory, scope } from '../src/index.ts'
import { slow } from './every-store.ts'
import { compareStores } from './random-vectors.ts'

const entry = (id: string, vector: number[]) => ({ id, kind: 'fact', text: 'tea', at: 1, vector })

const leases = [
  'a session: a lease keeps others out until it is released',
  'a session: of two that ask for a lease at once one gets it',
  'a session: close releases the lease',
]

describe('postgresMemory with pgvector', { timeout: slow }, () => {
  let db: PGlite
  let server: PGLiteSocketServer
  let pool: pg.Pool
  beforeAll(async () => {
    db = await PGlite.create({ extensions: { vector: pgvector } })
    await db.exec('CREATE ROLE owner LOGIN; GRANT CREATE ON DATABASE postgres TO owner; CREATE EXTENSION vector')
    server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0 })
    await server.start()
    // One connection: there is one session, in which each transaction has to end before the next.
    pool = new pg.Pool({ connectionString: `postgres://postgres@${server.getServerConn()}/postgres`, max: 1 })
    pool.on('error', () => {})
    await asOwner()
  }, slow)
  afterAll(async () => {
    await pool?.end()
    await server?.stop()
    await db?.close()
  })

  /** A superuser would be above the policies. */
  const asOwner = () => db.exec('SET ROLE owner')
  async function asAdmin(text: string): Promise<void> {
    await db.exec('SET ROLE postgres')
    await db.exec(text)
    await asOwner()
  }
  /** What is sent while `work` is done. */
  async function sent(work: () => Promise<unknown>): Promise<string[]> {
    const asking = vi.spyOn(pg.Client.prototype, 'query')
    try {
      await work()
      return asking.mock.calls.map(([text]) => String(text))
    } finally {
      asking.mockRestore()
    }
  }
  const isMeasured = async (work: () => Promise<unknown>) => (await sent(work)).some((text) => text.includes('<=>'))

  it('is no superuser', async () => {
    expect((await pool.query('SELECT current_user AS name')).rows).toEqual([{ name: 'owner' }])
  })

  describe('the contract', () => {
    const cases = memoryContract({ scope, store: (options) => postgresMemory({ pool, ...options }) })
    // A lease keeps a connection, which here is the only one.
    for (const { name, run } of cases) it.skipIf(leases.includes(name))(name, run)
    it('has these cases on leases', () => {
      expect(cases.map(({ name }) => name)).toEqual(expect.arrayContaining(leases))
    })
  })

  it('finds the same by vector as a store in the process', async () => {
    const comparing = () => compareStores([inMemory(), postgresMemory({ pool })], 'random')
    expect(await isMeasured(comparing)).toBe(true)
  })

  it('finds as many as there are of a tenant, however near the vectors of others', async () => {
    const store = postgresMemory({ pool })
    const [mine, theirs] = await Promise.all(['mine', 'theirs'].map((tenant) => store.open(scope({ tenant }))))
    await theirs!.add(Array.from({ length: 500 }, (_, at) => entry(`t${at}`, [1, at / 1e6])))
    await mine!.add(Array.from({ length: 20 }, (_, at) => entry(`m${at}`, [-1, at])))
    const found = await mine!.search({ vector: [1, 0], limit: 20 })
    expect(found.map(({ entry }) => entry.id)).toEqual(Array.from({ length: 20 }, (_, at) => `m${19 - at}`))
  })

  it('a vector of more numbers than the extension takes is found', async () => {
    const memory = await postgresMemory({ pool }).open(scope({ tenant: 'long' }))
    const long = Array.from({ length: 16_001 }, (_, at) => at)
    await memory.add([entry('a', long), entry('b', long.toReversed())])
    const found = await memory.search({ vector: long })
    expect(found.map(({ entry }) => entry.id)).toEqual(['a', 'b'])
  })

  it('the extension may come, stand in a schema of its own, be forbidden and go: the same is found, and nobody creates it', async () => {
    await asAdmin('DROP EXTENSION vector')
    const memory = await postgresMemory({ pool, schema: 'coming' }).open(scope({ tenant: 'acme' }))
    await memory.add([entry('a', [1, 0]), entry('b', [1, 1]), entry('c', [0, 1])])
    const states: [change: string, measured: boolean][] = [
      ['SELECT 1', false],
      ['CREATE SCHEMA "odd ""place"; CREATE EXTENSION vector SCHEMA "odd ""place"', false],
      ['GRANT USAGE ON SCHEMA "odd ""place" TO owner', true],
      ['DROP EXTENSION vector', false],
      ['CREATE EXTENSION vector SCHEMA public', true],
    ]
    for (const [change, measured] of states) {
      await asAdmin(change)
      const texts = await sent(async () => {
        const found = await memory.search({ vector: [1, 0.1] })
        expect(
          found.map(({ entry }) => entry.id),
          change,
        ).toEqual(['a', 'b', 'c'])
      })
      expect(
        texts.some((text) => text.includes('<=>')),
        change,
      ).toBe(measured)
      expect(texts.filter((text) => /CREATE/.test(text))).toEqual([])
    }
  })
})
