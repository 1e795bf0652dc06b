/**
 * `sessionContract()`: what every `Session` keeps to, as tests for any runner:
 *
 *     for (const { name, run } of sessionContract((id) => myStore(id))) it(name, run)
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type Batch, isClewError, type LoggedEvent, type Session } from '@clew/core'

export type ContractCase = { name: string; run(): Promise<void> }

/**
 * `open` gives the session of an id; called again with the same id, it gives the same log through a new object, as a
 * restarted process would. Ids are new in every run, so the store need not be emptied. Each case rejects with an
 * `AssertionError` when the store breaks it. Cases on `acquire` pass where a session has none.
 */
export function sessionContract(open: (id: string) => Session | Promise<Session>): ContractCase[] {
  return cases.map(([name, check]) => ({
    name,
    async run() {
      const opened: Session[] = []
      try {
        await check(async (id) => {
          const session = await open(id)
          opened.push(session)
          return session
        })
      } finally {
        await Promise.allSettled(opened.map((session) => session.close()))
      }
    },
  }))
}

type Open = (id: string) => Promise<Session>

const newId = () => `contract-${randomUUID()}`
const event = (text: string): LoggedEvent => ({
  type: 'run-start',
  v: 1,
  id: 'r',
  agent: 'a',
  input: [{ role: 'user', content: text }],
})
const batch = (...texts: string[]): Batch => ({ id: randomUUID(), events: texts.map(event) })

async function refused(work: Promise<unknown>, what: string): Promise<void> {
  const error = await work.then(
    () => assert.fail(`${what} was not refused`),
    (error: unknown) => error,
  )
  assert.ok(isClewError(error, 'session'), `${what} was refused, but not with a SessionError: ${error}`)
}

/** The log is these texts, for this session and for whoever opens it anew. */
async function holds(open: Open, session: Session, texts: string[]): Promise<void> {
  for (const reader of [session, await open(session.id)]) {
    const { events, at } = await reader.read()
    assert.equal(events.length, texts.length, `${events.length} events were read, not ${texts.length}`)
    const wrong = events.findIndex((each, index) => !isDeepStrictEqual(each, event(texts[index]!)))
    // Named, not shown: a difference of megabytes helps nobody.
    assert.equal(wrong, -1, `event ${wrong} is not what was appended: ${JSON.stringify(events[wrong])?.slice(0, 200)}`)
    assert.equal(at, texts.length, `the position is ${at} behind ${texts.length} events`)
  }
}

/** Text that some encoding, database or JSON library is known to change. */
const hardTexts = [
  '',
  ' \t\r\n\u2028\u2029\u0085',
  'naïve ŒÆ Ω≈ç√ 中文 العربية',
  'é is not e\u0301',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  'nul \u0000 inside',
  'half \ud83d of an emoji',
  '\udc00 the other half',
  '\ufeffwith a mark',
  '\\u0000 \\ " \' ` ; -- $1 ? %s {} </script>',
]

/** As it comes from `JSON.parse`, so that `__proto__` is a key. Floats keep 17 digits, keys their order. */
const hardJson =
  '{"z":1,"a":2,"10":3,"1":4,"__proto__":{"polluted":true},"constructor":{"prototype":1},"":"empty key","nul\\u0000key":1,"ключ":2,' +
  '"numbers":[0,-1,1e21,1e-7,5e-324,1.7976931348623157e308,0.1,0.30000000000000004,9007199254740991,-9007199254740991,123456789.123456789],' +
  '"nothing":[null,false,"",[],{}],"deep":[[[[[[[[{"a":[{}]}]]]]]]]],"date":"2026-11-23T00:00:00.000Z"}'

const hardEvent = (): LoggedEvent => ({
  type: 'model-end',
  turn: 1,
  finishReason: 'tool-calls',
  usage: {
    requests: 1,
    inputTokens: 7,
    outputTokens: 3,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    usd: 1e-7,
  },
  message: {
    role: 'assistant',
    content: hardTexts.join('|'),
    reasoningDetails: [
      { type: 'reasoning.text', text: 'hm', signature: 'c2ln==', format: 'x-v1', index: 0 },
      { type: 'reasoning.of-tomorrow', data: JSON.parse(hardJson), index: 1, id: null },
      { index: 2, type: 'reasoning.encrypted', data: hardTexts },
    ],
    toolCalls: [{ id: 'c', wireId: 'w', name: 'work', arguments: '{"b":1, "a":  2}' }],
  },
})

const oddIds = [
  'with space',
  '../../up/and/../down',
  'C:\\temp\\x',
  '"double" \'single\' `back`',
  "'; DROP TABLE sessions; --",
  '%2e%2e%2f%00',
  'Größe-日本語-🧶',
  'e\u0301',
  '\u00e9',
  'UPPER',
  'upper',
  'trailing ',
  'trailing',
  '.',
  'line\nbreak',
  'null',
  'x'.repeat(2000),
  `${'x'.repeat(1999)}y`,
]

const cases: [name: string, check: (open: Open) => Promise<void>][] = [
  [
    'a new session is empty',
    async (open) => {
      const id = newId()
      const session = await open(id)
      assert.equal(session.id, id)
      await holds(open, session, [])
    },
  ],
  [
    'what was appended is read in order, at its position, also by who opens it anew',
    async (open) => {
      const session = await open(newId())
      assert.equal(await session.append(0, batch('a', 'b')), 2)
      assert.equal(await session.append(2, batch('c')), 3)
      assert.equal(await session.append(3, batch('d', 'e', 'f')), 6)
      await holds(open, session, ['a', 'b', 'c', 'd', 'e', 'f'])
      await session.close()
      const again = await open(session.id)
      assert.equal(await again.append(6, batch('g')), 7)
      await holds(open, again, ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    },
  ],
  [
    'an event comes back byte for byte: every character, number, key and order of keys',
    async (open) => {
      const session = await open(newId())
      const events = [hardEvent(), ...hardTexts.map(event)]
      const before = JSON.stringify(events)
      await session.append(0, { id: randomUUID(), events })
      for (const reader of [session, await open(session.id)]) {
        const read = await reader.read()
        assert.equal(JSON.stringify(read.events), before)
        assert.deepEqual(read.events, JSON.parse(before))
      }
      assert.equal(({} as { polluted?: boolean }).polluted, undefined)
    },
  ],
  [
    'an append at a position that is not the end is refused, and writes nothing',
    async (open) => {
      const session = await open(newId())
      await refused(session.append(1, batch('early')), 'an append at 1 of an empty session')
      await session.append(0, batch('a', 'b'))
      for (const at of [0, 1, 3, 100]) await refused(session.append(at, batch('no')), `an append at ${at} of 2`)
      await holds(open, session, ['a', 'b'])
      assert.equal(await session.append(2, batch('c')), 3)
      await refused((await open(session.id)).append(2, batch('no')), 'an append at 2 of 3, by another worker')
      await holds(open, session, ['a', 'b', 'c'])
    },
  ],
  [
    'the same batch again at its position gives its end and writes nothing, also when it is no longer the last',
    async (open) => {
      const session = await open(newId())
      const [first, second] = [batch('a', 'b'), batch('c')]
      await session.append(0, first)
      assert.equal(await session.append(0, first), 2)
      await session.append(2, second)
      assert.equal(await session.append(0, first), 2)
      assert.equal(await session.append(2, second), 3)
      await holds(open, session, ['a', 'b', 'c'])
    },
  ],
  [
    'the same batch again is known to who opens the session anew',
    async (open) => {
      const session = await open(newId())
      const first = batch('a', 'b')
      await session.append(0, first)
      await session.append(2, batch('c'))
      await session.close()
      const again = await open(session.id)
      assert.equal(await again.append(0, first), 2)
      await holds(open, again, ['a', 'b', 'c'])
    },
  ],
  [
    'another batch at a position that is taken is refused, and so is a known one elsewhere in the middle',
    async (open) => {
      const session = await open(newId())
      const first = batch('a', 'b')
      await session.append(0, first)
      await session.append(2, batch('c'))
      await refused(session.append(0, batch('a', 'b')), 'another batch with the same events')
      await refused(session.append(1, first), 'a known batch at another position')
      await refused(session.append(2, first), 'a known batch at the position of another')
      await holds(open, session, ['a', 'b', 'c'])
    },
  ],
  [
    'a batch without events moves nothing',
    async (open) => {
      const session = await open(newId())
      assert.equal(await session.append(0, batch()), 0)
      assert.equal(await session.append(0, batch('a')), 1)
      assert.equal(await session.append(1, batch()), 1)
      await refused(session.append(0, batch()), 'an empty append at a position that is not the end')
      await holds(open, session, ['a'])
    },
  ],
  [
    'of two writers at one position exactly one wins, 20 times',
    async (open) => {
      const id = newId()
      const writers = [await open(id), await open(id)] as const
      const texts: string[] = []
      for (let round = 0; round < 20; round++) {
        const racing = writers.map((writer, index) => writer.append(round, batch(`${round}-${index}`)))
        const outcomes = await Promise.allSettled(racing)
        const winners = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []))
        assert.equal(winners.length, 1, `round ${round}: ${winners.length} of 2 appends at one position succeeded`)
        await refused(racing[1 - winners[0]!]!, 'the slower append')
        texts.push(`${round}-${winners[0]}`)
      }
      await holds(open, writers[0], texts)
    },
  ],
  [
    'two appends at once through one object are kept apart too',
    async (open) => {
      const session = await open(newId())
      const outcomes = await Promise.allSettled([session.append(0, batch('a')), session.append(0, batch('b'))])
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      assert.equal((await session.read()).at, 1)
    },
  ],
  [
    'holds 10,000 events',
    async (open) => {
      const session = await open(newId())
      const texts = Array.from({ length: 10_000 }, (_, index) => `event ${index}`)
      for (let at = 0; at < texts.length; at += 250)
        assert.equal(await session.append(at, batch(...texts.slice(at, at + 250))), at + 250)
      await holds(open, session, texts)
    },
  ],
  [
    'holds an event of 5 MB',
    async (open) => {
      const session = await open(newId())
      const text = 'a ball of 🧶 '.repeat(350_000)
      await session.append(0, batch('before', text))
      await session.append(2, batch('after'))
      await holds(open, session, ['before', text, 'after'])
    },
  ],
  [
    'sessions are apart, whatever their ids',
    async (open) => {
      const suffix = randomUUID()
      const ids = oddIds.map((id) => `${id}${id.startsWith('x') ? '' : ' '}${suffix}`)
      // Also ids that differ only in their last character.
      const sessions: Session[] = []
      for (const id of [...ids, suffix, `${suffix}/`]) sessions.push(await open(id))
      for (const session of sessions) assert.equal(await session.append(0, batch(session.id)), 1)
      for (const session of sessions) await holds(open, session, [session.id])
    },
  ],
  [
    'what is done with the events after an append changes nothing',
    async (open) => {
      const session = await open(newId())
      const given = batch('a', 'b')
      const appending = session.append(0, given)
      // At once: a store that serialises later has a reference, not a copy.
      given.events.push(event('c'))
      Object.assign(given.events[0]!, { id: 'changed' })
      assert.equal(await appending, 2)
      const read = await session.read()
      Object.assign(read.events[1]!, { id: 'changed' })
      read.events.pop()
      await holds(open, session, ['a', 'b'])
    },
  ],
  [
    'close may come twice; afterwards a session either works or refuses with a SessionError',
    async (open) => {
      const session = await open(newId())
      await session.append(0, batch('a'))
      await session.close()
      await session.close()
      for (const use of [() => session.read(), () => session.append(1, batch())])
        await use().catch((error) => assert.ok(isClewError(error, 'session'), `not a SessionError: ${error}`))
      const again = await open(session.id)
      await holds(open, again, ['a'])
    },
  ],
  [
    'a session that was opened and never used can be closed',
    async (open) => {
      const session = await open(newId())
      await session.close()
    },
  ],
  [
    'a lease keeps others out until it is released',
    async (open) => {
      const id = newId()
      const [one, two, other] = [await open(id), await open(id), await open(newId())]
      if (!one.acquire || !two.acquire) return
      const lease = await one.acquire()
      await refused(two.acquire(), 'a second lease')
      await refused(one.acquire(), 'a second lease through the same object')
      await (await other.acquire?.())?.release()
      // Reading, and the log itself, ask for no lease.
      assert.equal(await two.append(0, batch('a')), 1)
      await lease.release()
      const next = await two.acquire()
      await refused(one.acquire(), 'a lease while the next one holds it')
      // Released twice, a lease takes nothing from its successor.
      await lease.release()
      await refused(one.acquire(), 'a lease while the next one holds it')
      await next.release()
      await (await one.acquire()).release()
      await holds(open, one, ['a'])
    },
  ],
  [
    'of two that ask for a lease at once one gets it',
    async (open) => {
      const id = newId()
      const both = [await open(id), await open(id)]
      if (!both[0]!.acquire) return
      const outcomes = await Promise.allSettled(both.map((session) => session.acquire!()))
      assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
      for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.release()
    },
  ],
  [
    'close releases the lease',
    async (open) => {
      const id = newId()
      const [one, two] = [await open(id), await open(id)]
      if (!one.acquire || !two.acquire) return
      const lease = await one.acquire()
      await one.close()
      const next = await two.acquire()
      await lease.release()
      await refused((await open(id)).acquire!(), 'a lease while the next one holds it')
      await next.release()
    },
  ],
]
