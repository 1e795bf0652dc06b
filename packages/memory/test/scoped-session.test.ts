/** Sessions in a scope: of two workers one works, in one process and in several. */
import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, fold, isClewError, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { leaseMs, renewMs, thisProcess } from '../src/holder.ts'
import { fileMemory, inMemory, type MemoryStore, scope, sqliteMemory } from '../src/index.ts'
import { slow, testWorkers } from './every-store.ts'
import { hasPostgres, type LocalPostgres, startPostgres } from './postgres.ts'
import { temporary } from './temporary.ts'

const folder = temporary()
const ada = scope({ tenant: 'acme', user: 'ada' })

describe('fileMemory', () => testWorkers((id) => ({ store: 'file memory', id, path: join(folder, 'all.jsonl') })))
describe('sqliteMemory', () => testWorkers((id) => ({ store: 'sqlite memory', id, file: join(folder, 'all.db') })))
describe.skipIf(!hasPostgres)('postgresMemory', () => {
  let server: LocalPostgres
  beforeAll(async () => {
    server = await startPostgres()
  }, slow)
  afterAll(() => server?.stop())
  testWorkers((id) => ({ store: 'postgres memory', id, connectionString: server.connectionString }))
})

const stores: [name: string, make: () => MemoryStore][] = [
  ['inMemory', () => inMemory()],
  ['fileMemory', () => fileMemory(join(folder, `${randomUUID()}.jsonl`))],
  ['sqliteMemory', () => sqliteMemory({ file: join(folder, `${randomUUID()}.db`) })],
]

describe.each(stores)('%s', (_, make) => {
  it('P139: of two runs at once on one session in a scope the second is refused before it begins; no turn is interleaved, none lost', async () => {
    const store = make()
    const [one, two] = [await store.open(ada), await store.open(ada)]
    let isIn = () => {}
    const began = new Promise<void>((resolve) => {
      isIn = resolve
    })
    let leave = () => {}
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    const work = tool({
      name: 'work',
      async execute() {
        isIn()
        await left
        return 'worked'
      },
    })
    const slowly = new Agent({
      name: 'slow',
      model: scriptedModel([{ calls: [{ name: 'work' }] }, 'First.']),
      tools: [work],
    })
    const first = slowly.run('One.', { session: one.session('chat') }).result()
    await began
    const model = scriptedModel(['Second.'])
    const other = new Agent({ name: 'other', model })
    await expect(other.run('Two.', { session: two.session('chat') })).rejects.toThrow(
      new RegExp(`Session "chat" is being worked on by process ${process.pid} on`),
    )
    expect(model.requests).toEqual([])
    leave()
    expect((await first).text).toBe('First.')
    expect((await other.run('Two.', { session: two.session('chat') })).text).toBe('Second.')
    const { messages } = fold((await one.session('chat').read()).events)
    expect(messages.map(({ role, content }) => `${role} ${content}`)).toEqual([
      'user One.',
      'assistant ',
      'tool worked',
      'assistant First.',
      'user Two.',
      'assistant Second.',
    ])
    await store.close()
  })

  it('an erasure during a run gives its session free for others, and the run brings nothing back', async () => {
    const store = make()
    const memory = await store.open(ada)
    const old = memory.session('chat')
    await old.acquire?.()
    await old.append(0, { id: 'b', events: [{ type: 'turn-start', turn: 1 }] })
    await (await store.open(ada)).erase()
    const fresh = (await store.open(ada)).session('chat')
    const lease = await fresh.acquire?.()
    for (const work of [old.append(1, { id: 'c', events: [{ type: 'turn-start', turn: 2 }] }), old.acquire?.()]) {
      const error = await work?.then(
        () => undefined,
        (error: unknown) => error as Error,
      )
      expect(isClewError(error, 'session')).toBe(true)
      expect(error?.message).toMatch(/was erased/)
    }
    expect(await fresh.read()).toEqual({ events: [], at: 0 })
    await old.close()
    await expect((await store.open(ada)).session('chat').acquire?.()).rejects.toThrow('is being worked on')
    await lease?.release()
    await (await (await store.open(ada)).session('chat').acquire?.())?.release()
    await store.close()
  })

  it('sessions of one id in two scopes have a lease each; closing the store gives all of them back', async () => {
    const store = make()
    for (const place of [ada, scope({ tenant: 'acme' }), scope({ tenant: 'other', user: 'ada' })])
      await (await store.open(place)).session('chat').acquire?.()
    await store.close()
    await store.close()
    expect(readdirSync(folder).filter((name) => name.endsWith('.lease'))).toEqual([])
  })
})

it('a holder on another machine counts until ten seconds after it was last heard of', async () => {
  const file = join(folder, `${randomUUID()}.db`)
  let clock = 1_000_000_000_000
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const store = sqliteMemory({ file, now: () => clock })
  const session = (await store.open(ada)).session('chat')
  const lease = await session.acquire?.()
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(file)
  const far = { ...thisProcess(clock), place: 'elsewhere', host: 'far', pid: 7 }
  const put = (renewed: number) =>
    db
      .prepare('UPDATE memory_leases SET token = ?, holder = ?, renewed = ?')
      .run(far.token, JSON.stringify(far), renewed)
  clock += renewMs
  await vi.advanceTimersByTimeAsync(renewMs)
  expect(db.prepare('SELECT renewed FROM memory_leases').get()).toEqual({ renewed: clock })
  put(clock)
  await vi.advanceTimersByTimeAsync(renewMs)
  expect(warned).toHaveBeenCalledWith(expect.stringMatching(/lease on session "chat" was lost/), expect.anything())
  await lease?.release()
  clock += leaseMs - 1
  await expect(session.acquire?.()).rejects.toThrow('process 7 on far')
  clock += 1
  await (await session.acquire?.())?.release()
  expect(db.prepare('SELECT * FROM memory_leases').all()).toEqual([])
  db.close()
  await store.close()
  vi.useRealTimers()
  warned.mockRestore()
})
