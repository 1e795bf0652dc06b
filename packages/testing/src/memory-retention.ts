/** What a memory store does with `retention`: what has expired is there for nobody, and goes when it is pruned. */
import assert from 'node:assert/strict'
import {
  fact,
  hardTexts,
  idsOf,
  linesOf,
  type MemoryCase,
  type MemoryDesk,
  newTenant,
  refused,
  said,
} from './memory-desk.ts'
import type { MemoryLike, RetentionLike } from './memory-like.ts'

const day = 86_400_000
const start = 1_700_000_000_000
const nothing = { blocks: 0, blockVersions: 0, entries: 0, vectors: 0, artifacts: 0, sessions: 0 }
const ofAll: RetentionLike = { entries: 10, blocks: 10, artifacts: 10, sessions: 10 }

/** Views of one place whose clock is set by hand. */
async function clocked({ store, scope }: MemoryDesk, retention: RetentionLike | undefined) {
  const clock = { day: 0 }
  const made = await store({ ...(retention && { retention }), now: () => start + clock.day * day })
  return { clock, open: (parts: Parameters<MemoryDesk['open']>[0]) => made.open(scope(parts)) }
}

const at = (days: number) => ({ at: start + days * day })

/** One of everything, as of now. */
async function fill(memory: MemoryLike, days: number): Promise<string> {
  await memory.writeBlock('plan', 1, 0)
  await memory.writeBlock('plan', 2, 1)
  await memory.add([fact('a', 'tea', { ...at(days), vector: [1, 0] }), fact('b', 'tea', at(days))])
  await memory.session('chat').append(0, said('b1', 'one', 'two'))
  await memory.session('chat').append(2, said('b2', 'three'))
  return await memory.putArtifact('long text')
}
const filled = { blocks: 1, blockVersions: 2, entries: 2, vectors: 1, artifacts: 1, sessions: 1 }

/** What a reader sees: blocks, entries, an artifact, sessions. */
async function seen(memory: MemoryLike, artifact: string): Promise<number[]> {
  const [block, entry, text, chat] = [
    await memory.readBlock('plan'),
    await memory.get('a'),
    await memory.readArtifact(artifact),
    await memory.session('chat').read(),
  ]
  const [blocks, sessions] = [await memory.blocks(), await memory.sessions()]
  const counts = [blocks.length, await memory.count(), text ? 1 : 0, sessions.length]
  assert.equal(block ? 1 : 0, blocks.length, 'blocks() and readBlock() differ')
  assert.equal((await memory.blockHistory('plan')).length, blocks.length, 'the history of a block that expired is told')
  assert.equal(entry ? 2 : 0, counts[1], 'count() and get() differ')
  for (const query of [{}, { text: 'tea' }, { vector: [1, 0] }, { kinds: ['fact'] }])
    assert.equal(
      (await memory.search(query)).length > 0,
      entry !== undefined,
      `search(${JSON.stringify(query)}) differs`,
    )
  assert.equal(chat.events.length, sessions.length * 3, 'sessions() and what is read of one differ')
  assert.equal(chat.at, chat.events.length)
  const lines = (await linesOf(memory)).map((line) => JSON.parse(line) as { [what: string]: unknown })
  const told = ['block', 'entry', 'artifact', 'session'].map(
    (what) => lines.filter((line) => what in line && !line.below).length,
  )
  assert.deepEqual(told, counts, 'an export differs from what is read')
  return counts
}
const [everything, none] = [
  [1, 2, 1, 1],
  [0, 0, 0, 0],
]

export const memoryRetention: MemoryCase[] = [
  [
    'what has expired is read, found, counted and exported no more, before anybody prunes; what is younger stays',
    async (desk) => {
      const tenant = newTenant()
      const { clock, open } = await clocked(desk, ofAll)
      const memory = await open({ tenant, user: 'ada' })
      const artifact = await fill(memory, 0)
      clock.day = 10
      assert.deepEqual(await seen(memory, artifact), everything)
      clock.day = 10.001
      assert.deepEqual(await seen(memory, artifact), none)
      // The setting is a store's: one without it sees what is still there.
      const { open: other } = await clocked(desk, undefined)
      assert.deepEqual(await seen(await other({ tenant, user: 'ada' }), artifact), everything)
    },
  ],
  [
    'each kind has its own time, and what is not named is kept',
    async (desk) => {
      const cases: [RetentionLike, number[]][] = [
        [{ entries: 10 }, [1, 0, 1, 1]],
        [{ blocks: 10 }, [0, 2, 1, 1]],
        [{ artifacts: 10 }, [1, 2, 0, 1]],
        [{ sessions: 10 }, [1, 2, 1, 0]],
        [{ entries: { fact: 10 } }, [1, 0, 1, 1]],
        [{ entries: { other: 10 }, blocks: 30 }, everything as number[]],
      ]
      for (const [retention, expected] of cases) {
        const { clock, open } = await clocked(desk, retention)
        const parts = { tenant: newTenant() }
        const memory = await open(parts)
        const artifact = await fill(memory, 0)
        clock.day = 20
        const reader = await open(parts)
        assert.deepEqual(await seen(reader, artifact), expected, JSON.stringify(retention))
        const { removed, done } = await reader.prune()
        const [blocks, entries, artifacts, sessions] = everything.map((count, index) => count - (expected[index] ?? 0))
        assert.deepEqual(
          removed,
          { blocks, blockVersions: 2 * (blocks ?? 0), entries, vectors: entries ? 1 : 0, artifacts, sessions },
          JSON.stringify(retention),
        )
        assert.equal(done, true)
        assert.deepEqual(await seen(reader, artifact), expected, JSON.stringify(retention))
      }
    },
  ],
  [
    'of kinds with times of their own each goes at its own, whatever characters name it',
    async (desk) => {
      const kinds = [
        'fact',
        '__proto__',
        'constructor',
        ...hardTexts.filter((text) => text !== '__proto__' && text !== 'constructor'),
      ]
      const entries = Object.fromEntries(kinds.map((kind, index) => [kind, index + 1]))
      Object.defineProperty(entries, '__proto__', { value: 2, enumerable: true })
      const { clock, open } = await clocked(desk, { entries })
      const memory = await open({ tenant: newTenant() })
      await memory.add([...new Set(kinds)].map((kind, index) => fact(`e${index}`, 'tea', { kind, ...at(0) })))
      await memory.add([fact('kept', 'tea', { kind: 'other', ...at(-1000) })])
      clock.day = 4.5
      const left = new Set(kinds).size - 4
      assert.equal(await memory.count(), left + 1)
      assert.equal((await memory.search({ text: 'tea', limit: 100 })).length, left + 1)
      assert.deepEqual(await memory.prune(), { removed: { ...nothing, entries: 4 }, done: true })
      assert.deepEqual((await memory.get('kept'))?.kind, 'other')
    },
  ],
  [
    'prune() removes what has expired in its scope and below, in as many steps as one likes, and tells what',
    async (desk) => {
      const tenant = newTenant()
      const { clock, open } = await clocked(desk, ofAll)
      const places = [
        { tenant, user: 'ada' },
        { tenant, user: 'ada', thread: 't' },
        { tenant, user: 'bob' },
      ]
      const [user, thread, other] = (await Promise.all(places.map(open))) as [MemoryLike, MemoryLike, MemoryLike]
      for (const memory of [user, thread, other]) await fill(memory, 0)
      assert.deepEqual(await user.prune(), { removed: nothing, done: true })
      clock.day = 11
      const steps: { removed: { [what: string]: number }; done: boolean }[] = []
      do steps.push(await user.prune({ limit: 3 }))
      while (!steps.at(-1)?.done && steps.length < 20)
      const total = Object.fromEntries(
        Object.keys(nothing).map((what) => [what, steps.reduce((sum, { removed }) => sum + (removed[what] ?? 0), 0)]),
      )
      assert.deepEqual(total, Object.fromEntries(Object.entries(filled).map(([what, count]) => [what, count * 2])))
      for (const { removed } of steps) {
        const { entries, blocks, artifacts, sessions } = removed as typeof nothing
        assert.ok(entries + blocks + artifacts + sessions <= 3, `more than the limit: ${JSON.stringify(removed)}`)
      }
      const { open: unlimited } = await clocked(desk, undefined)
      for (const [index, place] of places.entries()) {
        const memory = await unlimited(place)
        assert.equal(await memory.count(), index === 2 ? 2 : 0)
        assert.equal((await memory.sessions()).length, index === 2 ? 1 : 0)
      }
      for (const limit of [0, -1, Number.NaN, 0.5, 1e6])
        await refused(user.prune({ limit }), 'InputError', `the limit ${limit}`)
      const error = await refused((await unlimited({ tenant })).prune(), 'InputError', 'prune() without a retention')
      assert.match(error.message, /without `retention`/)
    },
  ],
  [
    'a write goes on from what is used: a block that is written, a text that is put again and a session that is told something stay',
    async (desk) => {
      const { clock, open } = await clocked(desk, ofAll)
      const memory = await open({ tenant: newTenant() })
      const artifact = await fill(memory, 0)
      clock.day = 9
      await memory.writeBlock('plan', 3, 2)
      await memory.session('chat').append(3, said('b3', 'four'))
      assert.equal(await memory.putArtifact('long text'), artifact)
      await memory.session('base').append(0, said('b1', 'one'))
      clock.day = 18
      assert.equal((await memory.readBlock('plan'))?.revision, 3)
      assert.equal((await memory.blockHistory('plan')).length, 2)
      assert.equal((await memory.session('chat').read()).at, 4)
      assert.equal((await memory.readArtifact(artifact))?.text, 'long text')
      // Nothing is said, but it is used: what stands on a session keeps it so.
      assert.equal(await memory.session('base').append(1, said('b2')), 1)
      clock.day = 27
      assert.deepEqual(await memory.sessions(), ['base'])
      assert.equal(await memory.readBlock('plan'), undefined)
      assert.equal(await memory.readArtifact(artifact), undefined)
    },
  ],
  [
    'under the name of what has expired another one begins',
    async (desk) => {
      const { clock, open } = await clocked(desk, ofAll)
      const parts = { tenant: newTenant(), user: 'ada' }
      const memory = await open(parts)
      const artifact = await fill(memory, 0)
      // Who writes elsewhere prunes: so this one is written in its own hour.
      await (await open({ tenant: parts.tenant })).writeBlock('other', 1, 0)
      clock.day = 11
      assert.equal(await memory.session('chat').append(0, said('b9', 'anew')), 1)
      assert.deepEqual((await memory.session('chat').read()).events, said('b9', 'anew').events)
      assert.deepEqual(await memory.writeBlock('plan', 'anew', 0), { name: 'plan', value: 'anew', revision: 1 })
      assert.deepEqual(await memory.blockHistory('plan'), [])
      await memory.add([fact('a', 'coffee', at(11))])
      assert.equal((await memory.get('a'))?.text, 'coffee')
      assert.equal(await memory.putArtifact('long text'), artifact)
      assert.equal((await memory.readArtifact(artifact))?.length, 9)
      await refused(memory.writeBlock('plan', 1, 5), 'StaleBlockError', 'a revision that is none')
    },
  ],
  [
    'a write prunes the whole tenant, at most once an hour, and no other tenant',
    async (desk) => {
      const [tenant, other] = [newTenant(), newTenant()]
      const { clock, open } = await clocked(desk, ofAll)
      const gone = await open({ tenant, user: 'gone' })
      await fill(gone, 0)
      await fill(await open({ tenant: other }), 0)
      clock.day = 11
      const { open: unlimited } = await clocked(desk, undefined)
      const left = async (parts: { tenant: string; user?: string }) => (await unlimited(parts)).count()
      assert.equal(await left({ tenant, user: 'gone' }), 2)
      const writer = await open({ tenant, user: 'ada' })
      await writer.writeBlock('plan', 1, 0)
      assert.equal(await left({ tenant, user: 'gone' }), 0)
      assert.deepEqual(await (await unlimited({ tenant, user: 'gone' })).sessions(), [])
      assert.equal(await left({ tenant: other }), 2)
      await writer.add([fact('late', 'tea', at(0))])
      assert.equal(await left({ tenant, user: 'ada' }), 1)
      clock.day += 1 / 25
      await writer.session('chat').append(0, said('b1', 'x'))
      assert.equal(await left({ tenant, user: 'ada' }), 1, 'it is pruned again within the hour')
      clock.day += 1 / 24
      await writer.session('chat').append(1, said('b2', 'x'))
      assert.equal(await left({ tenant, user: 'ada' }), 0)
    },
  ],
  [
    'nothing expires under a hold, here or above; of what is below a prune takes the rest',
    async (desk) => {
      const tenant = newTenant()
      const { clock, open } = await clocked(desk, ofAll)
      const places = [
        { tenant },
        { tenant, user: 'ada' },
        { tenant, user: 'ada', thread: 't' },
        { tenant, user: 'bob' },
      ]
      const [top, user, thread, beside] = (await Promise.all(places.map(open))) as MemoryLike[] as [
        MemoryLike,
        MemoryLike,
        MemoryLike,
        MemoryLike,
      ]
      let artifact = ''
      for (const memory of [top, user, thread, beside]) artifact = await fill(memory, 0)
      await user.hold(true)
      clock.day = 11
      for (const memory of [user, thread]) assert.deepEqual(await seen(memory, artifact), everything)
      for (const memory of [top, beside])
        assert.deepEqual([await memory.count(), (await memory.sessions()).length], [memory === top ? 0 : 0, 0])
      assert.deepEqual((await idsOf(top, { text: 'tea' })).sort(), ['a', 'a', 'b', 'b'])
      for (const memory of [user, thread]) await refused(memory.prune(), 'HeldError', 'prune() under a hold')
      const two = Object.fromEntries(Object.entries(filled).map(([what, count]) => [what, count * 2]))
      assert.deepEqual(await top.prune(), { removed: two, done: true })
      for (const memory of [user, thread]) assert.deepEqual(await seen(memory, artifact), everything)
      // What is held goes on from where it is.
      assert.equal((await user.writeBlock('plan', 3, 2)).revision, 3)
      assert.equal(await user.session('chat').append(3, said('b3', 'four')), 4)
      await refused(thread.session('chat').append(0, said('b9', 'anew')), 'SessionError', 'a session anew under a hold')
      await user.hold(false)
      assert.deepEqual(await seen(thread, artifact), none)
      assert.deepEqual((await user.prune()).removed, { ...filled, entries: 4, vectors: 2, artifacts: 2 })
    },
  ],
  [
    'what was imported is as old as it was',
    async (desk) => {
      const { clock, open } = await clocked(desk, ofAll)
      const tenant = newTenant()
      const from = await open({ tenant, user: 'ada' })
      const artifact = await fill(from, 0)
      const lines = await linesOf(from)
      clock.day = 9
      const to = await open({ tenant, user: 'bob' })
      await to.import(lines)
      assert.deepEqual(await seen(to, artifact), everything)
      assert.deepEqual(await linesOf(to), lines)
      clock.day = 11
      assert.deepEqual(await seen(to, artifact), none)
    },
  ],
]
