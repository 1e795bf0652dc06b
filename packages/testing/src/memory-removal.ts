/** How a memory store forgets: prune, erase, and the hold that forbids both. */
import assert from 'node:assert/strict'
import { fact, idsOf, linesOf, type MemoryCase, type MemoryDesk, newTenant, refused, said } from './memory-desk.ts'
import type { MemoryLike } from './memory-like.ts'

/** One of everything in a user's scope and in a thread of it. */
async function furnish({ open }: MemoryDesk, tenant: string) {
  const user = await open({ tenant, user: 'ada' })
  const thread = await open({ tenant, user: 'ada', thread: 't' })
  for (const memory of [user, thread]) {
    await memory.writeBlock('plan', 1, 0)
    await memory.writeBlock('plan', 2, 1)
    await memory.add([fact('a', 'tea', { vector: [1, 2] }), fact('b', 'tea'), fact('c', 'tea')])
    await memory.putArtifact('text'.repeat(200_000))
    await memory.session('chat').append(0, said('b1', 'tea'))
    await memory.session('chat').append(1, said('b2', 'and milk'))
  }
  return { user, thread }
}
const half = { blocks: 1, blockVersions: 2, entries: 3, vectors: 1, artifacts: 1, sessions: 1 }
const whole = { blocks: 2, blockVersions: 4, entries: 6, vectors: 2, artifacts: 2, sessions: 2 }
const nothing = { blocks: 0, blockVersions: 0, entries: 0, vectors: 0, artifacts: 0, sessions: 0 }

/** The answer of a prune that removed entries. */
export const pruned = (entries: number, done: boolean, vectors = 0) => ({
  removed: { ...nothing, entries, vectors },
  done,
})

const writes: [name: string, write: (memory: MemoryLike, lines: string[]) => Promise<unknown>][] = [
  ['writeBlock', (memory) => memory.writeBlock('late', 1, 0)],
  ['add', (memory) => memory.add([fact('late', 'late')])],
  ['remove', (memory) => memory.remove(['a'])],
  ['putArtifact', (memory) => memory.putArtifact('late')],
  ['hold', (memory) => memory.hold(true)],
  ['prune', (memory) => memory.prune({ kind: 'fact', before: 1e15 })],
  ['erase', (memory) => memory.erase()],
  ['importing', (memory, lines) => memory.import(lines)],
]

export const memoryRemoval: MemoryCase[] = [
  [
    'prune removes old entries of one kind in its scope and below, oldest first, in as many steps as one likes',
    async ({ open, reopen }) => {
      const tenant = newTenant()
      const [user, thread, other] = [
        await open({ tenant, user: 'ada' }),
        await open({ tenant, user: 'ada', thread: 't' }),
        await open({ tenant, user: 'bob' }),
      ]
      for (const memory of [user, thread, other])
        await memory.add([
          ...Array.from({ length: 4 }, (_, at) => fact(`f${at}`, 'tea', { at })),
          fact('kept', 'tea', { kind: 'belief', at: 0 }),
        ])
      assert.deepEqual(await user.prune({ kind: 'fact', before: 3, limit: 2 }), pruned(2, false))
      assert.deepEqual(await idsOf(user, { kinds: ['fact'] }).then((ids) => ids.sort()), [
        'f1',
        'f1',
        'f2',
        'f2',
        'f3',
        'f3',
      ])
      assert.deepEqual(await user.prune({ kind: 'fact', before: 3, limit: 3 }), pruned(3, false))
      assert.deepEqual(
        await (await reopen({ tenant, user: 'ada' })).prune({ kind: 'fact', before: 3, limit: 3 }),
        pruned(1, true),
      )
      assert.deepEqual(await user.prune({ kind: 'fact', before: 3 }), pruned(0, true))
      assert.deepEqual((await idsOf(user, { text: 'tea' })).sort(), ['f3', 'f3', 'kept', 'kept'])
      assert.equal(await other.count(), 5)
      for (const limit of [0, -1, Number.NaN, 0.5])
        await refused(user.prune({ kind: 'fact', before: 3, limit }), 'InputError', `the limit ${limit}`)
      await refused(user.prune({ kind: 'fact', before: Number.NaN }), 'InputError', 'a time that is none')
      await refused(user.prune({ kind: '', before: 3 }), 'InputError', 'an empty kind')
    },
  ],
  [
    'erase removes everything of its scope and below, and tells what',
    async (desk) => {
      const tenant = newTenant()
      const { user, thread } = await furnish(desk, tenant)
      const above = await desk.open({ tenant })
      const beside = await desk.open({ tenant, user: 'bob', thread: 't' })
      for (const memory of [above, beside]) await memory.add([fact('a', 'tea')])
      assert.deepEqual(await thread.erase(), half)
      assert.equal(await user.count(), 3)
      assert.deepEqual(await user.erase(), half)
      for (const place of [
        { tenant, user: 'ada' },
        { tenant, user: 'ada', thread: 't' },
      ]) {
        const memory = await desk.reopen(place)
        assert.equal(await memory.count(), 0)
        assert.deepEqual(await memory.blocks(), [])
        assert.deepEqual(await memory.blockHistory('plan'), [])
        assert.deepEqual(await memory.search({ text: 'tea' }), [])
        assert.deepEqual(await memory.sessions(), [])
        assert.deepEqual(await memory.session('chat').read(), { events: [], at: 0 })
        assert.deepEqual(await memory.search({ vector: [1, 2, 3] }), [])
        assert.equal((await linesOf(memory)).length, 2)
        assert.deepEqual(await memory.erase(), nothing)
      }
      assert.equal(await above.count(), 1)
      assert.equal(await beside.count(), 1)
      // Handles above and beside are still good.
      await above.add([fact('b', 'tea')])
      await beside.add([fact('b', 'tea')])
      assert.deepEqual(await above.erase(), { ...nothing, entries: 4 })
      const again = await furnish(desk, tenant)
      assert.equal((await again.user.readBlock('plan'))?.revision, 2)
      assert.deepEqual(await (await desk.open({ tenant })).erase(), whole)
    },
  ],
  [
    'a handle that was open when its scope, or one above, was erased writes nothing any more',
    async (desk) => {
      const lines = await linesOf((await furnish(desk, newTenant())).thread)
      for (const depth of [1, 2, 3]) {
        const tenant = newTenant()
        const { thread } = await furnish(desk, tenant)
        const parts = { tenant, ...(depth > 1 && { user: 'ada' }), ...(depth > 2 && { thread: 't' }) }
        await (await desk.reopen(parts)).erase()
        for (const [name, write] of writes)
          await refused(write(thread, lines), 'ErasedError', `${name} after the erasure of ${JSON.stringify(parts)}`)
        const error = await refused(thread.add([fact('a', 'x')]), 'ErasedError', 'add')
        assert.match(error.message, /was erased .*[Oo]pen it again/)
        const fresh = await desk.open({ tenant, user: 'ada', thread: 't' })
        assert.equal((await linesOf(fresh)).length, 2)
        await fresh.add([fact('a', 'x')])
        // Erased once more, the handles between are turned away too.
        await (await desk.open(parts)).erase()
        await refused(fresh.add([fact('b', 'x')]), 'ErasedError', 'add after the second erasure')
      }
    },
  ],
  [
    'writers that are under way while a scope is erased bring nothing back, 10 times',
    async ({ open, reopen }) => {
      for (let round = 0; round < 10; round += 1) {
        const tenant = newTenant()
        const parts = { tenant, user: 'ada', thread: 't' }
        const writers = [await open(parts), await reopen(parts)]
        const eraser = await reopen(round % 2 ? { tenant, user: 'ada' } : parts)
        const work = (memory: MemoryLike, index: number) => [
          memory.add([fact(`e${index}`, 'tea')]),
          memory.writeBlock(`b${index}`, 1, 0),
          memory.putArtifact(`text ${index}`),
        ]
        const under = writers.flatMap((memory, index) => [...work(memory, index), ...work(memory, index + 2)])
        const erasing = eraser.erase()
        under.push(...writers.flatMap((memory, index) => work(memory, index + 4)))
        for (const outcome of await Promise.allSettled([...under, erasing]))
          if (outcome.status === 'rejected') assert.equal(outcome.reason?.name, 'ErasedError', String(outcome.reason))
        await erasing
        assert.equal((await linesOf(await reopen(parts))).length, 2, 'something was brought back')
      }
    },
  ],
  [
    'a hold here, above or below keeps everything until it ends, and is named',
    async (desk) => {
      const tenant = newTenant()
      const { user, thread } = await furnish(desk, tenant)
      const places = [{ tenant }, { tenant, user: 'ada' }, { tenant, user: 'ada', thread: 't' }]
      for (const [depth, place] of places.entries()) {
        const holder = await desk.reopen(place)
        await holder.hold(true)
        await holder.hold(true)
        const name = String(desk.scope(place))
        for (const each of places) {
          const memory = await desk.open(each)
          for (const [what, doing] of [
            ['prune', () => memory.prune({ kind: 'fact', before: 1e15 })],
            ['erase', () => memory.erase()],
          ] as const) {
            const error = await refused(doing(), 'HeldError', `${what} under a hold`)
            assert.ok(error.message.includes(`a legal hold on ${name}.`), `the hold is not named: ${error.message}`)
          }
        }
        // What is said in scopes above the held one may change.
        for (const memory of [user, thread].slice(Math.max(0, depth - 1))) {
          await refused(memory.remove(['a']), 'HeldError', 'remove under a hold')
          await refused(memory.add([fact('new', 'x'), fact('a', 'x')]), 'HeldError', 'replacing under a hold')
        }
        await thread.add([fact(`new${depth}`, 'x')])
        await thread.writeBlock('plan', depth, 2 + depth)
        await holder.hold(false)
      }
      const beside = await desk.open({ tenant, user: 'bob' })
      await beside.hold(true)
      assert.deepEqual(await thread.erase(), { ...half, blockVersions: 5, entries: 6 })
      assert.deepEqual(await user.prune({ kind: 'fact', before: 1e15 }), pruned(3, true, 1))
      await refused(user.hold('yes' as never), 'InputError', 'a hold that is no boolean')
    },
  ],
]
