/** Scoped memory on every store. */

import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Agent, fold, InputError, isClewError, type Session, type Tool, tool } from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { memoryContract } from '@clew/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import {
  fileMemory,
  inMemory,
  MemoryError,
  type MemoryStore,
  postgresMemory,
  postgresSession,
  type Receipt,
  type RetentionOptions,
  scope,
  sessionTree,
  sqliteMemory,
  sqliteSession,
} from '../src/index.ts'
import { storeOf } from '../src/store/in-memory.ts'
import { migrate, type Step } from '../src/store/sql-tables.ts'
import { State } from '../src/store/state.ts'
import { undoRetention } from './earlier.ts'
import { slow } from './every-store.ts'
import { hasPostgres, type LocalPostgres, startPostgres } from './postgres.ts'
import { startProxy } from './proxy.ts'
import { compareStores } from './random-vectors.ts'
import { temporary } from './temporary.ts'

const folder = temporary()

const naughty = [...new Set(readCases<{ s: string }>('naughty-strings').map(({ s }) => s))]

const agentOf = (...replies: ScriptedReply[]) => new Agent({ name: 'a', model: scriptedModel(replies) })
const said = async (session: Session) => fold((await session.read()).events).messages.map(({ content }) => content)

/** What holds for every store beside the contract. */
function testStore(make: (options?: RetentionOptions) => MemoryStore): void {
  describe('the contract', () => {
    for (const { name, run } of memoryContract({ scope, store: make })) it(name, run)
  })

  it.skipIf(naughty.length === 0)(
    'naughty strings come back from every field, or are refused before anything is written',
    async () => {
      const store = make()
      const tenant = `naughty-${randomUUID()}`
      const memory = await store.open(scope({ tenant }))
      const isName = (text: string) => text.length > 0 && text.length <= 256
      const entry = (text: string, id = text) => ({ id, kind: id, text, source: { [text]: text }, at: 1 })
      for (const text of naughty.filter((each) => !isName(each)))
        await expect(memory.add([entry('before'), entry(text)])).rejects.toThrow(InputError)
      const entries = naughty.map((text, index) => entry(text, isName(text) ? text : `long ${index}`))
      await memory.add(entries)
      expect(await memory.count()).toBe(naughty.length)
      for (const each of entries) {
        expect(await memory.get(each.id)).toEqual(each)
        expect((await memory.search({ text: each.text, kinds: [each.id] })).length).toBeLessThan(2)
        const block = { name: each.id, value: [each.text, { [each.text]: 1 }], revision: 1 }
        expect(await memory.writeBlock(block.name, block.value, 0)).toEqual(block)
        expect(await memory.readBlock(block.name)).toEqual(block)
        expect((await memory.readArtifact(await memory.putArtifact(each.text)))?.text).toBe(each.text)
      }
      for (const text of naughty.filter(isName)) {
        const inner = await store.open(scope({ tenant, user: text, thread: text }))
        await inner.add([{ id: 'one', kind: 'fact', text, at: 1 }])
        expect((await inner.search({})).map(({ entry }) => entry.text)).toEqual([text])
      }
      expect((await memory.erase()).entries).toBe(naughty.length + naughty.filter(isName).length)
      await store.close()
    },
  )

  it('a run whose scope is erased between its turns fails, and leaves nothing of the conversation', async () => {
    const store = make()
    const place = scope({ tenant: `erased-${randomUUID()}`, user: 'ada' })
    const memory = await store.open(place)
    const session = memory.session('chat')
    await agentOf('Hello, Ada.').run('I am Ada.', { session })
    let receipt: Receipt | undefined
    const leave = tool({
      name: 'leave',
      execute: async () => {
        receipt = await (await store.open(place)).erase()
        return 'done'
      },
    }) as Tool
    const model = scriptedModel([{ calls: [{ name: 'leave' }] }, 'Never said.'])
    const running = new Agent({ name: 'a', model, tools: [leave] }).run('Forget me.', { session })
    const error = await running.then(
      () => undefined,
      (error: unknown) => error as Error,
    )
    expect(isClewError(error, 'run'), String(error)).toBe(true)
    expect(error?.message).toMatch(/Session "chat" could not be appended to: The memory of .* was erased/)
    expect(isClewError(error?.cause, 'session')).toBe(true)
    expect(model.requests).toHaveLength(1)
    expect(receipt).toMatchObject({ sessions: 1 })
    // Nor does a new run through what was opened before.
    await expect(agentOf('Hm.').run('Are you there?', { session })).rejects.toThrow('was erased')
    const again = await store.open(place)
    expect(await again.sessions()).toEqual([])
    expect(await again.erase()).toMatchObject({ sessions: 0 })
    const fresh = (await store.open(place)).session('chat')
    await agentOf('Hello, you.').run('Hello.', { session: fresh })
    expect(await said(fresh)).toEqual(['Hello.', 'Hello, you.'])
    await store.close()
  })

  it('a conversation in a scope has branches, which are erased with it', async () => {
    const store = make()
    const place = scope({ tenant: `tree-${randomUUID()}`, user: 'ada' })
    const memory = await store.open(place)
    const tree = sessionTree('chat', (id) => memory.session(id))
    const trunk = tree.checkout()
    await agentOf('one').run('1', { session: trunk })
    const { at } = await trunk.read()
    const branch = await tree.fork('chat', at, 'french')
    await agentOf('two').run('2', { session: trunk })
    await agentOf('deux').run('2, in French', { session: branch })
    const reader = await make().open(place)
    const other = sessionTree('chat', (id) => reader.session(id))
    expect(await said(other.checkout())).toEqual(['1', 'one', '2', 'two'])
    expect(await said(other.checkout('french'))).toEqual(['1', 'one', '2, in French', 'deux'])
    expect(await other.heads()).toEqual([{ id: 'chat' }, { id: 'french', parent: 'chat', at }])
    expect(await memory.sessions()).toEqual(['chat', 'chat.branches', 'french'])
    expect(await memory.erase()).toMatchObject({ sessions: 3 })
    expect(await other.heads()).toEqual([{ id: 'chat' }])
    await expect(tree.fork('chat', at)).rejects.toThrow('was erased')
    await store.close()
  })

  it('holds an artifact of 50 MB, and reads ranges of it', async () => {
    const store = make()
    const memory = await store.open(scope({ tenant: `big-${randomUUID()}` }))
    const text = 'a ball of 🧶 '.repeat(4_000_000)
    const id = await memory.putArtifact(text)
    expect((await memory.readArtifact(id))?.text === text).toBe(true)
    expect(await memory.readArtifact(id, { from: 40_000_003, to: 40_000_013 })).toEqual({
      text: text.slice(40_000_003, 40_000_013),
      length: text.length,
    })
    expect((await memory.erase()).artifacts).toBe(1)
    await store.close()
  })
}

describe('inMemory', { timeout: slow }, () => {
  const state = new State()
  testStore((options) => storeOf(state, options))
})

describe('fileMemory', { timeout: slow }, () => {
  const path = join(folder, 'deep', 'memory.jsonl')
  testStore((options) => fileMemory(path, options))

  const lines = '{"clew":"memory-log","v":1}\n{"in":["acme"],"add":[{"id":"a","kind":"fact","text":"tea","at":1}]}\n'
  const fresh = (text: string) => {
    const path = join(folder, `${randomUUID()}.jsonl`)
    writeFileSync(path, text)
    return path
  }

  it('leaves out what a crash cut off, and cuts it off before the next change', async () => {
    for (const torn of ['{"in":["acme"],"add":[{"id":"b"', '\0\0\0\0', '\0\0\0\n']) {
      const path = fresh(lines + torn)
      const memory = await fileMemory(path).open(scope({ tenant: 'acme' }))
      expect(await memory.count()).toBe(1)
      await memory.add([{ id: 'c', kind: 'fact', text: 'x', at: 1 }])
      expect(await (await fileMemory(path).open(scope({ tenant: 'acme' }))).count()).toBe(2)
      expect(readFileSync(path, 'utf8').startsWith(`${lines}{"in":["acme"],"add"`)).toBe(true)
    }
  })

  it('refuses a damaged file, a foreign one and one of the future, and leaves them as they are', async () => {
    for (const [text, message] of [
      [`${lines}nothing\n${lines}`, /is damaged at byte \d+: the line is no JSON/],
      ['some notes\n', /is no memory: it does not begin with/],
      ['some notes', /is no memory: it does not begin with/],
      ['{"clew":"memory-log","v":2}\n', /written by a newer version of Clew/],
    ] as const) {
      const path = fresh(text)
      const store = fileMemory(path)
      await expect(store.open(scope({ tenant: 'acme' }))).rejects.toThrow(message)
      await expect(store.open(scope({ tenant: 'acme' }))).rejects.toThrow(MemoryError)
      expect(readFileSync(path, 'utf8')).toBe(text)
    }
  })

  it('after it has forgotten something it goes on with what it and others write', async () => {
    const path = join(folder, 'shared.jsonl')
    const [one, other] = await Promise.all([1, 2].map(() => fileMemory(path).open(scope({ tenant: 'acme' }))))
    const entry = (id: string) => ({ id, kind: 'fact', text: 'tea', at: 1 })
    await one!.add([entry('a'), entry('b')])
    expect(await other!.remove(['a'])).toBe(1)
    await one!.add([entry('c')])
    await other!.add([entry('d')])
    for (const memory of [one, other, await fileMemory(path).open(scope({ tenant: 'acme' }))])
      expect((await memory!.search({ text: 'tea' })).map(({ entry }) => entry.id)).toEqual(['b', 'c', 'd'])
  })

  it('keeps nothing in the file of what was pruned, removed or erased', async () => {
    const path = join(folder, 'forgotten.jsonl')
    await testForgetting(fileMemory(path), () => readFileSync(path))
  })

  it('says what the disk refused', async () => {
    const memory = await fileMemory(join(folder, 'notes')).open(scope({ tenant: 'acme' }))
    mkdirSync(join(folder, 'notes'))
    await expect(memory.add([{ id: 'a', kind: 'f', text: '', at: 1 }])).rejects.toThrow(
      /could not be written \(.*notes\): .*That is a folder/,
    )
  })
})

describe('sqliteMemory', { timeout: slow }, () => {
  const file = join(folder, 'memory.db')
  testStore((options) => sqliteMemory({ file, ...options }))

  it('keeps nothing in its files of what was erased', async () => {
    const file = join(folder, 'forgotten.db')
    const files = () =>
      Buffer.concat([file, `${file}-wal`].filter((path) => existsSync(path)).map((path) => readFileSync(path)))
    await testForgetting(sqliteMemory({ file }), files)
  })

  it('keeps nothing of it in an index that is merged in many slices', async () => {
    const file = join(folder, 'merged.db')
    const store = sqliteMemory({ file })
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((user) => store.open(scope({ tenant: 'acme', user }))))
    const words = (entry: number) => Array.from({ length: 5000 }, (_, at) => `w${(entry * 5000 + at).toString(36)}`)
    const secret = 'zverysecretword'
    await ada!.add([{ id: 'a', kind: 'fact', text: secret, at: 1 }])
    await bob!.add(
      Array.from({ length: 40 }, (_, at) => ({ id: `${at}`, kind: 'fact', text: words(at).join(' '), at })),
    )
    expect(readFileSync(`${file}-wal`).includes(secret)).toBe(true)
    await ada!.erase()
    await store.close()
    expect(readFileSync(file).includes(secret)).toBe(false)
    expect(existsSync(`${file}-wal`)).toBe(false)
  })

  it('a word is as rare as it is in the tenant, whatever other tenants write', async () => {
    const store = sqliteMemory({ file: join(folder, 'rare.db') })
    const [mine, theirs] = await Promise.all(['acme', 'other'].map((tenant) => store.open(scope({ tenant }))))
    const entry = (text: string, at: number) => ({ id: `e${at}`, kind: 'fact', text, at })
    await mine!.add([entry('the samovar', 0), ...Array.from({ length: 9 }, (_, at) => entry('the tea', at + 1))])
    await theirs!.add(Array.from({ length: 200 }, (_, at) => entry('the samovar', at)))
    const found = await mine!.search({ text: 'samovar tea' })
    expect(found.find(({ ranks }) => ranks.text === 1)?.entry.text).toBe('the samovar')
    expect(found).toHaveLength(10)
    await store.close()
  })

  it('stands beside sessions in one file, whoever is first', async () => {
    for (const isFirst of [true, false]) {
      const file = join(folder, `both-${isFirst}.db`)
      const session = sqliteSession('one', { file })
      const store = sqliteMemory({ file })
      const keep = async () => (await store.open(scope({ tenant: 'acme' }))).writeBlock('plan', 1, 0)
      if (isFirst) await keep()
      expect(await session.append(0, { id: 'b', events: [{ type: 'turn-start', turn: 1 }] })).toBe(1)
      if (!isFirst) await keep()
      await Promise.all([session.close(), store.close()])
    }
  })

  it('refuses tables of the future', async () => {
    const file = join(folder, 'future.db')
    const store = sqliteMemory({ file })
    await store.open(scope({ tenant: 'acme' }))
    await store.close()
    const db = new DatabaseSync(file)
    db.exec("UPDATE clew_version SET version = 4 WHERE part = 'memory'")
    db.close()
    await expect(sqliteMemory({ file }).open(scope({ tenant: 'acme' }))).rejects.toThrow(
      `${file} was written by a newer version of Clew (its memory is v4, this reads v3). Update Clew to open it.`,
    )
  })

  it('says what the file is when it is no database', async () => {
    const file = join(folder, 'notes.txt')
    writeFileSync(file, 'some notes, and more of them, so that it is long enough to look at'.repeat(20))
    const opening = sqliteMemory({ file }).open(scope({ tenant: 'acme' }))
    await expect(opening).rejects.toThrow(/could not be read \(.*notes.txt\): .*That file is no SQLite database/)
    await expect(opening).rejects.toThrow(MemoryError)
  })

  it('brings tables forward step by step, each once', () => {
    const db = new DatabaseSync(':memory:')
    db.exec('CREATE TABLE version (part TEXT PRIMARY KEY, version INTEGER)')
    const one = () => ['CREATE TABLE one (a)']
    const two = () => ['ALTER TABLE one ADD COLUMN b', "INSERT INTO one VALUES (1, 'new')"]
    const run = (steps: Step[]) => {
      const types = { real: '', row: '', words: () => [], vectors: () => [], protect: () => [] }
      const program = migrate({ version: 'version', prefix: '', types, place: 'The file' }, steps)
      let step = program.next()
      while (!step.done) step = program.next(db.prepare(step.value.text).all())
      return step.value
    }
    expect(run([one])).toBe(true)
    expect(run([one])).toBe(false)
    expect(run([one, two])).toBe(true)
    expect(run([one, two])).toBe(false)
    expect(db.prepare('SELECT b FROM one').all()).toEqual([{ b: 'new' }])
    expect(() => run([one])).toThrow(/its memory is v2, this reads v1/)
  })
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

  testStore((options) => postgresMemory({ connectionString, ...options }))

  it('shows no row to who does not say its tenant, the owner of the tables included', async () => {
    const memory = await postgresMemory({ pool }).open(scope({ tenant: 'acme', user: 'ada' }))
    await memory.add([{ id: 'a', kind: 'fact', text: 'tea', at: 1 }])
    await memory.writeBlock('plan', 1, 0)
    await memory.putArtifact('text')
    const chat = memory.session('chat')
    await chat.append(0, { id: 'b', events: [{ type: 'turn-start', turn: 1 }] })
    await chat.acquire?.()
    await memory.hold(true)
    for (const table of ['scopes', 'blocks', 'entries', 'words', 'artifacts', 'batches', 'leases']) {
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
    await chat.close()
  })

  it('finds words, and the newest, by their indexes behind the policy', async () => {
    const client = await pool.connect()
    // So few rows would be read and sorted.
    const isOff = ['seqscan', 'bitmapscan', 'sort'].map((way) => `SET LOCAL enable_${way} = off; `).join('')
    await client.query(`BEGIN; ${isOff}SELECT set_config('clew.tenant', 'acme', true)`)
    const planOf = async (text: string) =>
      (await client.query(`EXPLAIN ${text}`)).rows.map((row) => row['QUERY PLAN']).join('\n')
    const words = await planOf(
      "SELECT no, count, length FROM clew.memory_words WHERE tenant = 'acme' AND word IN ('tea', 'coffee')",
    )
    const [all, user] = await Promise.all(
      ['', " AND usr = 'ada'"].map((more) =>
        planOf(`SELECT no FROM clew.memory_entries WHERE tenant = 'acme'${more} ORDER BY at DESC LIMIT 5`),
      ),
    )
    await client.query('ROLLBACK')
    client.release()
    expect(words).toMatch(/Scan using memory_words_by_word/)
    expect(words).toMatch(/Index Cond: .*word = ANY/)
    expect(all).toMatch(/Backward using memory_entries_by_time_0/)
    expect(user).toMatch(/Backward using memory_entries_by_time_1/)
  })

  it('serves a user who may not make tables, once they are there, and refuses those of the future', async () => {
    const string = connectionString.replace('owner@', 'worker@')
    const [owner, worker] = [
      postgresMemory({ pool, schema: 'kept' }),
      postgresMemory({ connectionString: string, schema: 'kept' }),
    ]
    await expect(worker.open(scope({ tenant: 'acme' }))).rejects.toThrow(
      /permission denied.* This user lacks a privilege/,
    )
    await owner.open(scope({ tenant: 'acme' }))
    await pool.query(
      'GRANT USAGE ON SCHEMA kept TO worker; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA kept TO worker',
    )
    const memory = await worker.open(scope({ tenant: 'acme' }))
    await memory.add([{ id: 'a', kind: 'fact', text: 'tea', at: 1 }])
    expect(await memory.search({ text: 'tea' })).toHaveLength(1)
    expect(await memory.erase()).toMatchObject({ entries: 1 })
    const left = "SELECT set_config('clew.tenant', 'acme', false); SELECT * FROM kept.memory_words"
    expect(await pool.query(left)).toMatchObject([{ rowCount: 1 }, { rowCount: 0 }])
    await pool.query('RESET clew.tenant')
    await worker.close()
    await pool.query('UPDATE kept.version SET version = 4')
    await expect(
      postgresMemory({ connectionString: string, schema: 'kept' }).open(scope({ tenant: 'acme' })),
    ).rejects.toThrow(
      'The schema "kept" was written by a newer version of Clew (its memory is v4, this reads v3). Update Clew to open it.',
    )
  })

  it.each([1, 2])(
    'tables of version %s come forward: vectors, which were texts, are found, those of every tenant',
    async (version) => {
      const vectors = [
        [1.5, -0, 1e-45, 3.4028234663852886e38, -1.17549435e-38, 1 / 3],
        Array.from({ length: 6 }, (_, at) => Math.sin(at) * 10 ** (at - 3)),
      ].map((vector) => Array.from(Float32Array.from(vector)))
      const tenants = ['one', 'two']
      const entry = (at: number) => ({ id: 'a', kind: 'fact', text: 'tea', at: 1, vector: vectors[at]! })
      const schema = `odd "old" ${version}`
      const quoted = `"odd ""old"" ${version}"`
      const table = `${quoted}.memory_entries`
      const kept = postgresMemory({ pool, schema, now: () => 0 })
      for (const [at, tenant] of tenants.entries()) {
        const memory = await kept.open(scope({ tenant }))
        await memory.add([entry(at)])
        await memory.writeBlock('plan', 1, 0)
      }
      await pool.query(`ALTER TABLE ${table} DROP COLUMN floats; UPDATE ${table} SET vector = NULL`)
      for (const [at, tenant] of tenants.entries()) {
        const text = Buffer.from(Float32Array.from(vectors[at]!).buffer).toString('base64')
        const update = `UPDATE ${table} SET vector = '${text}'`
        await pool.query(`BEGIN; SELECT set_config('clew.tenant', '${tenant}', true); ${update}; COMMIT`)
      }
      if (version === 1) await pool.query(undoRetention(`${quoted}.memory_`))
      await pool.query(`UPDATE ${quoted}.version SET version = ${version}`)
      const other = new pg.Pool({ connectionString })
      const store = postgresMemory({ pool: other, schema, now: () => 2 * 86_400_000, retention: { blocks: 1 } })
      for (const [at, tenant] of tenants.entries()) {
        const memory = await store.open(scope({ tenant }))
        expect(await memory.get('a')).toEqual(entry(at))
        expect(await memory.search({ vector: vectors[at]! })).toHaveLength(1)
        // The first version did not know when: its blocks count from now on.
        expect((await memory.readBlock('plan'))?.value).toBe(version === 1 ? 1 : undefined)
        await (await memory.session('chat').acquire?.())?.release()
        const seen = `BEGIN; SELECT set_config('clew.tenant', '${tenant}', true); SELECT floats FROM ${table}; COMMIT`
        const [, , rows] = (await other.query(seen)) as unknown as pg.QueryResult[]
        expect(rows!.rows.map(({ floats }) => floats.map(Math.fround))).toEqual([vectors[at]])
      }
      const functions = "SELECT proname FROM pg_proc WHERE proname LIKE 'memory%'"
      expect((await other.query(functions)).rows).toEqual([])
      expect((await other.query(`SELECT version FROM ${quoted}.version`)).rows).toEqual([{ version: 3 }])
      await other.end()
    },
  )

  it('finds the same by vector as a store in the process', async () => {
    await compareStores([inMemory(), postgresMemory({ pool })], 'random')
  })

  it('stands beside sessions in one schema, whoever is first', async () => {
    for (const schema of ['memory first', 'session first']) {
      const session = postgresSession('one', { pool, schema })
      const keep = async () =>
        (await postgresMemory({ pool, schema }).open(scope({ tenant: 'acme' }))).writeBlock('plan', 1, 0)
      if (schema === 'memory first') await keep()
      // As another process: this pool is known to have been looked at.
      expect(await session.append(0, { id: 'b', events: [{ type: 'turn-start', turn: 1 }] })).toBe(1)
      if (schema === 'session first') await keep()
    }
  })

  it('a lost reply to a commit is no second write: the block has one revision more, the session one batch', async () => {
    const proxy = await startProxy(Number(new URL(connectionString).port))
    const store = postgresMemory({ connectionString: `postgres://owner@127.0.0.1:${proxy.port}/postgres` })
    const memory = await store.open(scope({ tenant: `lost-${randomUUID()}` }))
    for (let revision = 0; revision < 3; revision += 1) {
      // With its end: READ COMMITTED stands in every beginning.
      proxy.loseReplyTo('COMMIT\0')
      expect((await memory.writeBlock('plan', revision, revision)).revision).toBe(revision + 1)
    }
    expect(proxy.lost).toBe(3)
    expect(await memory.blockHistory('plan')).toHaveLength(2)
    proxy.loseReplyTo('COMMIT\0')
    const batch = { id: 'b', events: [{ type: 'turn-start' as const, turn: 1 }] }
    expect(await memory.session('chat').append(0, batch)).toBe(1)
    expect(proxy.lost).toBe(4)
    expect(await memory.session('chat').read()).toEqual({ events: batch.events, at: 1 })
    await store.close()
    await proxy.stop()
  })
})

/** A secret is kept in every way, and forgotten in every way; `bytes` gives what the store has on disk. */
async function testForgetting(store: MemoryStore, bytes: () => Buffer): Promise<void> {
  const place = scope({ tenant: 'acme', user: 'ada' })
  const secret = 'verysecretword'
  const entry = { id: 'a', kind: 'fact', text: secret, at: 1 }
  const memory = await store.open(place)
  await memory.add([entry, { ...entry, id: 'b' }, { ...entry, id: 'c', kind: 'old' }])
  await memory.writeBlock('plan', secret, 0)
  await memory.putArtifact(secret.repeat(1000))
  const said = { id: 'b', events: [{ type: 'fork' as const, id: secret, parent: secret, at: 1 }] }
  await memory.session(`chat ${secret}`).append(0, said)
  expect(bytes().includes(secret)).toBe(true)
  expect(await memory.remove(['b'])).toBe(1)
  expect(await memory.prune({ kind: 'old', before: 2 })).toMatchObject({ removed: { entries: 1 }, done: true })
  await memory.erase()
  expect(bytes().includes(secret)).toBe(false)
  await (await store.open(place)).add([entry])
  await (await store.open(place)).session('chat').append(0, said)
  await (await store.open(place)).erase()
  await store.close()
  expect(bytes().includes(secret)).toBe(false)
}
