/** Scoped memory on every store. */

import { join } from 'node:path'
import { memoryContract } from '@clew/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileMemory, postgresMemory, scope, sqliteMemory } from '../src/index.ts'
import { storeOf } from '../src/store/in-memory.ts'
import { State } from '../src/store/state.ts'
import { slow } from './every-store.ts'
import { hasPostgres, type LocalPostgres, startPostgres } from './postgres.ts'
import { temporary } from './temporary.ts'

describe('inMemory', { timeout: slow }, () => {
  const state = new State()
  for (const { name, run } of memoryContract({ scope, store: () => storeOf(state) })) it(name, run)
})

describe('fileMemory', { timeout: slow }, () => {
  const path = join(temporary(), 'deep', 'memory.jsonl')
  for (const { name, run } of memoryContract({ scope, store: () => fileMemory(path) })) it(name, run)
})

describe('sqliteMemory', { timeout: slow }, () => {
  const file = join(temporary(), 'memory.db')
  for (const { name, run } of memoryContract({ scope, store: () => sqliteMemory({ file }) })) it(name, run)
})

describe.skipIf(!hasPostgres)('postgresMemory', { timeout: slow }, () => {
  let server: LocalPostgres
  /** No superuser: those are above all policies. */
  let connectionString = ''
  let pool: pg.Pool
  beforeAll(async () => {
    server = await startPostgres()
    const admin = new pg.Pool({ connectionString: server.connectionString })
    await admin.query('CREATE ROLE owner LOGIN; CREATE ROLE worker LOGIN; GRANT CREATE ON DATABASE postgres TO owner')
    await admin.end()
    connectionString = server.connectionString.replace('clew@', 'owner@')
    pool = new pg.Pool({ connectionString })
    pool.on('error', () => {})
  }, slow)
  afterAll(async () => {
    await pool?.end()
    await server?.stop()
  })

  describe('the contract', () => {
    for (const { name, run } of memoryContract({ scope, store: () => postgresMemory({ connectionString }) }))
      it(name, run)
  })

  it('shows no row to who does not say its tenant, the owner of the tables included', async () => {
    const memory = await postgresMemory({ pool }).open(scope({ tenant: 'acme', user: 'ada' }))
    await memory.add([{ id: 'a', kind: 'fact', text: 'tea', at: 1 }])
    await memory.writeBlock('plan', 1, 0)
    await memory.putArtifact('text')
    await memory.hold(true)
    for (const table of ['scopes', 'blocks', 'entries', 'words', 'artifacts']) {
      const seen = async (tenant?: string) => {
        const client = await pool.connect()
        await client.query('BEGIN')
        if (tenant !== undefined) await client.query("SELECT set_config('clew.tenant', $1, true)", [tenant])
        const { rows } = await client.query(`SELECT tenant FROM clew.memory_${table}`)
        await client.query('ROLLBACK')
        client.release()
        return new Set(rows.map((row) => row.tenant))
      }
      expect(await seen(), table).toEqual(new Set())
      expect(await seen('other'), table).toEqual(new Set())
      expect(await seen('acme'), table).toEqual(new Set(['acme']))
      const writing = pool.query(
        `INSERT INTO clew.memory_${table} SELECT (jsonb_populate_record(NULL::clew.memory_${table}, '{"tenant":"acme"}')).*`,
      )
      await expect(writing, table).rejects.toThrow(/row-level security|GENERATED ALWAYS|non-DEFAULT/)
    }
  })
})
