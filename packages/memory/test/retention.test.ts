/** `retention`: what is refused, and what beside the contract of all stores follows from it. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DefinitionError, fold } from '@clew/core'
import type { MemoryLike } from '@clew/testing'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import { fileMemory, inMemory, type Memory, type Retention, scope, sessionTree, sqliteMemory } from '../src/index.ts'
import { storeOf } from '../src/store/in-memory.ts'
import { State } from '../src/store/state.ts'
import { undoRetention } from './earlier.ts'
import { temporary } from './temporary.ts'

const folder = temporary()
const day = 86_400_000
const acme = scope({ tenant: 'acme' })

describe('retention', () => {
  it.each([
    [{ entries: 0 }, 'retention.entries is 0; give a number of days above 0 and up to 36500, or leave it out.'],
    [{ blocks: -1 }, 'retention.blocks is -1;'],
    [{ sessions: Number.NaN }, 'retention.sessions is NaN;'],
    [{ artifacts: '30' }, 'retention.artifacts is 30;'],
    [{ sessions: 90 * day }, 'retention.sessions is 7776000000; give a number of days'],
    [{ entries: { fact: 0 } }, 'retention.entries["fact"] is 0;'],
    [{ entries: [30] }, 'retention.entries is 30;'],
    [{ entry: 30 }, 'retention has no "entry". Known: entries, blocks, artifacts, sessions.'],
    [30, 'retention is 30; give { entries, blocks, artifacts, sessions }, or leave it out.'],
  ])('%j is refused when the store is made', (retention, message) => {
    for (const make of [
      () => inMemory({ retention: retention as Retention }),
      () => fileMemory(join(folder, 'never.jsonl'), { retention: retention as Retention }),
      () => sqliteMemory({ file: join(folder, 'never.db'), retention: retention as Retention }),
    ]) {
      expect(make).toThrow(message)
      expect(make).toThrow(DefinitionError)
    }
  })

  it('is what it was when the store was made', async () => {
    const retention = { entries: { fact: 1 } }
    const store = inMemory({ retention, now: () => 10 * day })
    retention.entries.fact = 100
    const memory = await store.open(acme)
    await memory.add([{ id: 'a', kind: 'fact', text: 'tea', at: 8 * day }])
    expect(await memory.get('a')).toBeUndefined()
  })

  it('keeps what a branch stands on for as long as the branch is used', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 })
    const memory = await inMemory({ retention: { sessions: 10 } }).open(acme)
    const tree = sessionTree('chat', (id) => memory.session(id))
    const said = (id: string) => ({ id, events: [{ type: 'turn-start' as const, turn: 1 }] })
    await tree.checkout().append(0, said('b1'))
    const branch = await tree.fork('chat', 1, 'branch')
    const twig = await tree.fork('branch', 1, 'twig')
    for (let week = 1; week < 5; week += 1) {
      vi.setSystemTime(week * 7 * day)
      await twig.append(week, said(`t${week}`))
      expect((await twig.read()).at).toBe(week + 1)
      expect(await tree.heads()).toHaveLength(3)
    }
    expect(await memory.sessions()).toEqual(['chat', 'chat.branches', 'twig'])
    expect(fold((await branch.read()).events).turn).toBe(1)
    vi.setSystemTime(28 * 7 * day)
    expect(await memory.sessions()).toEqual([])
    vi.useRealTimers()
  })

  it.each([
    ['fileMemory', (now: () => number) => fileMemory(join(folder, 'r.jsonl'), { retention: all, now }), ['r.jsonl']],
    [
      'sqliteMemory',
      (now: () => number) => sqliteMemory({ file: join(folder, 'r.db'), retention: all, now }),
      ['r.db', 'r.db-wal'],
    ],
  ] as const)('%s keeps nothing in its files of what has expired and was pruned', async (_, make, files) => {
    const secret = 'verysecretword'
    let clock = 0
    const store = make(() => clock)
    const memory = await store.open(acme)
    const bytes = () =>
      Buffer.concat(
        files
          .map((name) => join(folder, name))
          .filter((path) => existsSync(path))
          .map((path) => readFileSync(path)),
      )
    await memory.add([{ id: 'a', kind: 'fact', text: secret, at: 0 }])
    await memory.writeBlock('plan', secret, 0)
    await memory.putArtifact(secret.repeat(1000))
    await memory
      .session(`chat ${secret}`)
      .append(0, { id: 'b', events: [{ type: 'turn-start', turn: 1, path: [secret] }] })
    expect(bytes().includes(secret)).toBe(true)
    clock = 2 * day
    expect(await memory.prune()).toMatchObject({
      removed: { entries: 1, blocks: 1, artifacts: 1, sessions: 1 },
      done: true,
    })
    expect(bytes().includes(secret)).toBe(false)
    await store.close()
  })

  it('finds what is younger behind any number of entries that have expired and are kept', async () => {
    for (const [name, make] of [
      [
        'inMemory',
        (now: () => number, retention?: Retention) => storeOf(state, { now, ...(retention && { retention }) }),
      ],
      [
        'sqliteMemory',
        (now: () => number, retention?: Retention) =>
          sqliteMemory({ file: join(folder, 'many.db'), now, ...(retention && { retention }) }),
      ],
    ] as const) {
      const writer = await make(() => 0).open(acme)
      const old = Array.from({ length: 500 }, (_, at) => ({
        id: `o${at}`,
        kind: 'fact',
        text: 'tea',
        at,
        vector: [1, 0],
      }))
      await writer.add([
        ...old,
        { id: 'new', kind: 'fact', text: 'tea among other things', at: 9 * day, vector: [0, 1] },
      ])
      const memory = await make(() => 10 * day, { entries: 5 }).open(acme)
      for (const query of [{ text: 'tea' }, { vector: [1, 0] }, {}, { text: 'tea', vector: [1, 0], limit: 1 }])
        expect(
          (await memory.search(query)).map(({ entry }) => entry.id),
          `${name} ${JSON.stringify(query)}`,
        ).toEqual(['new'])
      expect(await memory.count()).toBe(1)
    }
  })

  it('counts what an earlier Clew kept from when its tables were brought forward', async () => {
    const file = join(folder, 'earlier.db')
    const earlier = sqliteMemory({ file })
    await (await earlier.open(acme)).writeBlock('plan', 1, 0)
    await earlier.close()
    const db = new DatabaseSync(file)
    db.exec(`UPDATE clew_version SET version = 1; ${undoRetention('memory_')}`)
    db.close()
    const before = Date.now()
    let clock = before
    const memory = await sqliteMemory({
      file,
      retention: { blocks: 1 },
      now: () => clock,
    }).open(acme)
    expect(await memory.readBlock('plan')).toMatchObject({ revision: 1 })
    clock = before + day - 1
    expect(await memory.readBlock('plan')).toMatchObject({ revision: 1 })
    clock = Date.now() + day + 1
    expect(await memory.readBlock('plan')).toBeUndefined()
  })

  it('a write is a write, whatever becomes of the pruning behind it', async () => {
    const state = new State()
    const clock = { now: 0 }
    const memory = await storeOf(state, { retention: { entries: 1 }, now: () => clock.now }).open(acme)
    await memory.add([{ id: 'a', kind: 'fact', text: 'tea', at: 0 }])
    clock.now = 3 * day
    await memory.hold(true)
    await memory.writeBlock('plan', 1, 0)
    expect(await memory.count()).toBe(1)
    await memory.hold(false)
    await memory.writeBlock('plan', 2, 1)
    expect(state.find(['acme'])?.entries.size).toBe(0)
  })
})

const all = { entries: 1, blocks: 1, artifacts: 1, sessions: 1 }
const state = new State()

it("the contract's idea of a memory is the interface, both ways", () => {
  type Kept = Omit<Memory, 'scope' | 'search'>
  expectTypeOf<Kept>().toExtend<Omit<MemoryLike, 'search'>>()
  expectTypeOf<Omit<MemoryLike, 'search'>>().toExtend<Kept>()
  expectTypeOf<Memory>().toExtend<MemoryLike>()
  expectTypeOf<Parameters<MemoryLike['search']>>().toEqualTypeOf<Parameters<Memory['search']>>()
  type Found = Awaited<ReturnType<Memory['search']>>[number]
  type FoundLike = Awaited<ReturnType<MemoryLike['search']>>[number]
  expectTypeOf<Omit<Found, 'scope'>>().toEqualTypeOf<Omit<FoundLike, 'scope'>>()
})
