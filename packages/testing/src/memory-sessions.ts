/** What a memory store does with sessions: each keeps the whole session contract, and is erased with its scope. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Session } from '@clew/core'
import { fact, hardTexts, linesOf, type MemoryCase, type MemoryDesk, newTenant, refused, said } from './memory-desk.ts'
import type { MemoryLike } from './memory-like.ts'
import { pruned } from './memory-removal.ts'
import { sessionContract } from './session-contract.ts'

/** Every other one through a new store object. */
function opener({ open, reopen }: MemoryDesk): (id: string) => Promise<Session> {
  const parts = { tenant: newTenant(), user: 'ada' }
  let opened = 0
  return async (id) => {
    const memory = await (opened++ % 2 ? reopen : open)(parts)
    // The contract of sessions has longer ids than a memory takes.
    return memory.session(id.length > 256 ? createHash('sha256').update(id).digest('hex') : id)
  }
}

const names = sessionContract(() => assert.fail('only their names are asked for')).map(({ name }) => name)

const ofEverySession = names.map(
  (name, index): MemoryCase => [
    `a session: ${name}`,
    async (desk) => await sessionContract(opener(desk))[index]?.run(),
  ],
)

/** Refused for good, since the memory was erased. */
async function refusedAsErased(work: Promise<unknown>): Promise<void> {
  const error = await refused(work, 'SessionError', 'an append after the erasure')
  assert.match(error.message, /was erased .*[Oo]pen it again/)
  assert.equal((error.cause as Error | undefined)?.name, 'ErasedError')
}

export const memorySessions: MemoryCase[] = [
  ...ofEverySession,
  [
    'the sessions of exactly one scope are listed by id, those without events left out',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: 'ada' }
      const memory = await open(parts)
      const thread = await open({ ...parts, thread: 't' })
      assert.deepEqual(await memory.sessions(), [])
      const ids = ['chat', 'Chat', 'b', 'z', 'é', '中', '🧶', 'x'.repeat(256), ...hardTexts]
      for (const id of ids) assert.equal(await memory.session(id).append(0, said('b1', id)), 1)
      await memory.session('chat').append(1, said('b2', 'more'))
      await memory.session('empty').append(0, said('b1'))
      await memory.session('read').read()
      await thread.session('of the thread').append(0, said('b1', 'x'))
      for (const reader of [memory, await reopen(parts)]) {
        assert.deepEqual(await reader.sessions(), [...ids].sort())
        for (const id of ids) assert.deepEqual((await reader.session(id).read()).events[0], said('b1', id).events[0])
      }
      assert.deepEqual(await thread.sessions(), ['of the thread'])
      assert.deepEqual(await (await open({ tenant: parts.tenant })).sessions(), [])
    },
  ],
  [
    'a session needs an id of 1 to 256 characters, and has a lease',
    async ({ open }) => {
      const memory = await open({ tenant: newTenant() })
      for (const id of ['', 'x'.repeat(257), undefined, 7, null]) {
        const making = Promise.resolve().then(() => memory.session(id as string))
        await refused(making, 'InputError', `the id ${String(id)}`)
      }
      assert.equal(typeof memory.session('chat').acquire, 'function')
    },
  ],
  [
    'of two batches at one position the slower is told where the log is; one batch sent twice at once stands there once',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: 'ada' }
      for (let round = 0; round < 10; round += 1) {
        const writers = [await open(parts), await reopen(parts)].map((memory) => memory.session(`s${round}`))
        const racing = await Promise.allSettled(
          writers.map((writer, index) => writer.append(0, said(`b${index}`, 'x'))),
        )
        const [slower] = racing.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
        assert.match(String(slower?.message), /^Session "s\d" is at position 1, not 0: another run appended meanwhile/)
        const ends = await Promise.all(writers.map((writer) => writer.append(1, said('same', 'y', 'z'))))
        assert.deepEqual(ends, [3, 3])
        assert.equal((await writers[0]?.read())?.at, 3)
        for (const at of [0, 1, 2, 4])
          for (const writer of writers) {
            const error = await refused(writer.append(at, said('late', 'x')), 'SessionError', `an append at ${at} of 3`)
            assert.match(error.message, new RegExp(`is at position 3, not ${at}:`))
          }
      }
    },
  ],
  [
    'a session stays as it is when entries beside it are forgotten, and scopes beside it are erased',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: 'ada' }
      const memory = await open(parts)
      const batches = [said('b1', 'one', ...hardTexts), said('b2', 'two')] as const
      const end = await memory.session('chat').append(0, batches[0])
      await memory.session('chat').append(end, batches[1])
      await memory.add([fact('a', 'tea'), fact('b', 'tea')])
      assert.equal(await memory.remove(['a']), 1)
      assert.deepEqual(await memory.prune({ kind: 'fact', before: 1e15 }), pruned(1, true))
      await (await open({ ...parts, thread: 't' })).erase()
      await (await open({ ...parts, user: 'bob' })).erase()
      for (const each of [memory, await reopen(parts)]) {
        const chat = each.session('chat')
        assert.deepEqual(await chat.read(), { events: batches.flatMap(({ events }) => events), at: end + 1 })
        for (const [at, batch] of [[0, batches[0]] as const, [end, batches[1]] as const])
          assert.equal(await chat.append(at, batch), at + batch.events.length)
      }
    },
  ],
  [
    'an erasure of its scope, or one above, ends a session: what was opened before appends nothing any more',
    async ({ open, reopen }) => {
      for (const depth of [1, 2, 3]) {
        const tenant = newTenant()
        const parts = { tenant, user: 'ada', thread: 't' }
        const memory = await open(parts)
        const [chat, fresh] = [memory.session('chat'), memory.session('fresh')]
        await chat.append(0, said('b1', 'one', 'two'))
        const erased = { tenant, ...(depth > 1 && { user: 'ada' }), ...(depth > 2 && { thread: 't' }) }
        assert.equal((await (await reopen(erased)).erase()).sessions, 1)
        await refusedAsErased(chat.append(2, said('b2', 'three')))
        await refusedAsErased(chat.append(0, said('b1', 'one', 'two')))
        await refusedAsErased(chat.append(0, said('b2')))
        await refusedAsErased(fresh.append(0, said('b1', 'one')))
        await refusedAsErased(memory.session('later').append(0, said('b1', 'one')))
        assert.deepEqual(await chat.read(), { events: [], at: 0 })
        const again = await open(parts)
        assert.deepEqual(await again.sessions(), [])
        // Begun anew under its id, it takes nothing from who had the old one.
        assert.equal(await again.session('chat').append(0, said('b1', 'anew')), 1)
        await refusedAsErased(chat.append(1, said('b2', 'three')))
        assert.deepEqual(await again.session('chat').read(), { events: said('b1', 'anew').events, at: 1 })
      }
    },
  ],
  [
    'writers of sessions that are under way while their scope is erased bring nothing back, 10 times',
    async ({ open, reopen }) => {
      for (let round = 0; round < 10; round += 1) {
        const tenant = newTenant()
        const parts = { tenant, user: 'ada' }
        const writers = [await open(parts), await reopen(parts)]
        const eraser = await reopen(round % 2 ? { tenant } : parts)
        const work = (memory: MemoryLike, index: number) => talk(memory.session(`s${index}`), 5)
        const under = writers.flatMap((memory, index) => [work(memory, index), work(memory, index + 2)])
        await writers[0]?.session('before').append(0, said('b1', 'x'))
        const erasing = eraser.erase()
        under.push(...writers.map((memory, index) => work(memory, index + 4)))
        for (const outcome of await Promise.allSettled(under))
          if (outcome.status === 'rejected') await refusedAsErased(Promise.reject(outcome.reason))
        assert.ok((await erasing).sessions >= 1)
        assert.deepEqual(await (await reopen(parts)).sessions(), [], 'something was brought back')
      }
    },
  ],
  [
    'a hold keeps sessions from erasure, and lets them go on',
    async ({ open }) => {
      const parts = { tenant: newTenant(), user: 'ada' }
      const memory = await open(parts)
      const chat = memory.session('chat')
      await chat.append(0, said('b1', 'one'))
      const lines = await linesOf(memory)
      await memory.hold(true)
      await refused(memory.erase(), 'HeldError', 'erase under a hold')
      assert.equal(await chat.append(1, said('b2', 'two')), 2)
      await refused(memory.import(lines), 'InputError', 'an import of less than there is')
      assert.deepEqual((await chat.read()).events, [...said('b1', 'one').events, ...said('b2', 'two').events])
      await memory.hold(false)
      assert.equal((await memory.erase()).sessions, 1)
    },
  ],
  [
    'an import refuses a session that has other events here, and leaves it as it is',
    async ({ open }) => {
      const tenant = newTenant()
      const memory = await open({ tenant, user: 'ada' })
      await memory.session('chat').append(0, said('b1', 'one'))
      await memory.session('chat').append(1, said('b2', 'two'))
      await memory.session('new').append(0, said('b1', 'one'))
      const lines = await linesOf(memory)
      const others = [
        [said('b1', 'one')],
        [said('b1', 'one'), said('b2', 'other')],
        [said('b1', 'one'), said('b3', 'two')],
        [said('b1', 'one', 'two')],
        [said('b1', 'one'), said('b2', 'two'), said('b3', 'three')],
      ]
      for (const [index, batches] of others.entries()) {
        const target = await open({ tenant, user: `u${index}` })
        const chat = target.session('chat')
        for (const batch of batches) await chat.append((await chat.read()).at, batch)
        const before = await chat.read()
        const error = await refused(target.import(lines), 'InputError', 'a session that has other events')
        assert.match(error.message, /session "chat" has other events/)
        assert.deepEqual(await target.sessions(), ['chat'])
        assert.deepEqual(await chat.read(), before)
      }
    },
  ],
  [
    'a session of a store that is closed refuses with a SessionError that says so',
    async ({ store, scope }) => {
      const made = await store()
      const chat = (await made.open(scope({ tenant: newTenant() }))).session('chat')
      await chat.append(0, said('b1', 'one'))
      await made.close()
      for (const work of [chat.read(), chat.append(1, said('b2', 'two'))]) {
        const error = await refused(work, 'SessionError', 'the use of a closed store')
        assert.match(error.message, /^Session "chat" could not be (read|appended to): .*closed/)
        assert.equal((error.cause as Error | undefined)?.name, 'MemoryError')
      }
    },
  ],
]

async function talk(session: Session, batches: number): Promise<void> {
  for (let at = 0; at < batches; at += 1) await session.append(at, said(`b${at}`, `word ${at}`))
}
