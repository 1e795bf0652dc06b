/** Compaction of any history, in any order of compactions and of messages that come in between. */
import type { ContentPart, Json, Message } from '@clew/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atomsOf, type CompactOptions, compact, estimateTokens } from '../src/index.ts'
import { applied, firstFlaw, frozen, isOwn } from './check-compaction.ts'

const words = fc.constantFrom('yes ', 'the red fox ', '天気は晴れ', 'Привет ', '👩‍🚀🧶', '{"a":1}\n', '"\\')
const text = fc.tuple(words, fc.constantFrom(1, 1, 3, 20, 150)).map(([word, times]) => word.repeat(times))
const image: ContentPart = { type: 'image', url: 'https://example.org/a.png' }
const content = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 1, arbitrary: text.map((each) => [{ type: 'text' as const, text: each }, image]) },
  {
    weight: 1,
    arbitrary: text.map((each) => [image, { type: 'text' as const, text: each }, { type: 'text' as const, text: 'b' }]),
  },
)
const call = fc.record({
  name: fc.constantFrom('read', 'search'),
  arguments: fc.oneof(
    fc.constantFrom('{"a":1,"b":"x"}', '{ "b": "x", "a": 1 }', '{}'),
    text.map((long) => JSON.stringify({ path: 'a', text: long, deep: [{ long }] })),
  ),
  content,
  isError: fc.boolean(),
})
const details = fc.constantFrom<Json[] | undefined>(
  undefined,
  [],
  [
    { type: 'reasoning.text', text: 'hm', signature: 's' },
    { type: 'reasoning.encrypted', data: 'x'.repeat(90) },
  ],
)
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.record({ role: fc.constant('user' as const), content }) },
  {
    weight: 8,
    arbitrary: fc.record({
      role: fc.constant('assistant' as const),
      text,
      details,
      calls: fc.array(call, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ role: fc.constant('system' as const), content: text }) },
)
type Piece = typeof piece extends fc.Arbitrary<infer Value> ? Value : never

/** Messages with ids of their own. `open`: the last result is missing. */
function messagesFrom(pieces: readonly Piece[], round: number, open = false): Message[] {
  const messages = pieces.flatMap((each, at): Message[] => {
    if (each.role !== 'assistant') return [each]
    const idOf = (index: number) => `${round}-${at}-${index}`
    const toolCalls = each.calls.map(({ name, arguments: given }, index) => ({
      id: idOf(index),
      wireId: `w${index}`,
      name,
      arguments: given,
    }))
    const results = each.calls.map(
      ({ name, content: result, isError }, index): Message => ({
        role: 'tool',
        callId: idOf(index),
        name,
        content: result,
        ...(isError && { isError: true }),
      }),
    )
    return [
      {
        role: 'assistant',
        content: each.text,
        ...(each.details && { reasoningDetails: each.details }),
        ...(toolCalls.length > 0 && { toolCalls }),
        source: { model: 'm', generationId: `${round}-${at}` },
      },
      ...results,
    ]
  })
  return frozen(open && messages.at(-1)?.role === 'tool' ? messages.slice(0, -1) : messages)
}

type Summariser = 'none' | 'short' | 'half' | 'long' | 'empty' | 'failing'
const summariser = fc.constantFrom<Summariser>('none', 'none', 'short', 'short', 'half', 'long', 'empty', 'failing')

const scenario = fc.record({
  rounds: fc.array(
    fc.record({
      pieces: fc.array(piece, { minLength: 1, maxLength: 10 }),
      /** High water as a share of what stands there by then. */
      room: fc.constantFrom(0.1, 0.5, 0.8, 0.95, 0.99, 1.1),
      shares: fc.constantFrom<[number, number]>([0.75, 0.5], [1, 0.9], [0.3, 0.1], [0.6, 0.59]),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  open: fc.boolean(),
  keepTurns: fc.constantFrom(0, 1, 1, 2),
  maxResultChars: fc.constantFrom(10, 300, 2_000),
  hasArtifacts: fc.boolean(),
  pinned: fc.integer({ min: 2, max: 9 }),
  summariser,
})
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never

/** Plays a scenario and returns all views on the way, or the first thing that is wrong. */
async function play({ rounds, open, pinned, hasArtifacts, summariser: kind, ...options }: Scenario) {
  let view: readonly Message[] = frozen([{ role: 'user', content: 'begin' }])
  const views: (readonly Message[])[] = []
  const stored: string[] = []
  for (const [round, { pieces, room, shares }] of rounds.entries()) {
    const isLast = round === rounds.length - 1
    view = [...view, ...messagesFrom(pieces, round, isLast && open)]
    const asked: (readonly Message[])[] = []
    const all: CompactOptions = {
      ...options,
      window: (room * estimateTokens({ messages: view, tools: [] })) / shares[0],
      high: shares[0],
      low: shares[1],
      isPinned: (message) => !isOwn(message) && JSON.stringify(message.content).length % pinned === 1,
      ...(hasArtifacts && { artifacts: { put: async (full) => `a${stored.push(full)}` } }),
      ...(kind !== 'none' && {
        summarise: async (messages) => {
          asked.push(messages)
          return summaryOf(kind, messages)
        },
      }),
    }
    const given = { messages: frozen(view), tools: [] }
    const compaction = await compact(given, all, AbortSignal.any([]))
    const split = asked.flatMap(atomsOf).find(({ messages }) => messages[0]!.role === 'tool')
    const flaw = split
      ? 'a result was summarised without its call'
      : firstFlaw(given, all, compaction, asked.length > 0 && (kind !== 'short' || isLittle(asked.at(-1)!)))
    if (flaw) return { flaw, view, all, compaction }
    view = applied(view, compaction)
    views.push(view)
  }
  return { views, stored }
}

/** Even a short summary, with its fence, may be longer. */
function isLittle(messages: readonly Message[]): boolean {
  return estimateTokens({ messages, tools: [] }) < 120
}

function summaryOf(kind: Summariser, messages: readonly Message[]): string {
  const whole = JSON.stringify(messages.map((message) => message.content))
  if (kind === 'failing') throw new Error('no model answers')
  if (kind === 'half')
    return Array.from(whole)
      .slice(0, whole.length / 3)
      .join('')
  return { none: '', empty: ' \n', short: 'They spoke. </earlier-conversation>', long: `${whole}${whole}` }[kind]
}

describe('any history', () => {
  it('stays whole, keeps what is fixed and comes below low water, however often it is compacted', {
    timeout: 300_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (each) => {
        expect(await play(each)).not.toHaveProperty('flaw')
      }),
      { numRuns: 3000, seed: 20261123 },
    )
  })

  it('is compacted to the same when it is the same', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (each) => {
        expect(await play(each)).toEqual(await play(each))
      }),
      { numRuns: 100, seed: 20261123 },
    )
  })

  it('is not compacted a second time when it did not grow', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 12 }),
        fc.integer({ min: 30, max: 4_000 }),
        async (pieces, window) => {
          const options: CompactOptions = { window, artifacts: { put: async () => 'a1' } }
          const messages = messagesFrom([{ role: 'user', content: 'begin' }, ...pieces], 0)
          const once = applied(messages, await compact({ messages, tools: [] }, options, AbortSignal.any([])))
          expect(await compact({ messages: once, tools: [] }, options, AbortSignal.any([]))).toBeUndefined()
        },
      ),
      { numRuns: 300, seed: 20261123 },
    )
  })

  it('is cut into atoms that give it back, each a system message, a user message or a turn', () => {
    fc.assert(
      fc.property(fc.array(piece), fc.boolean(), (pieces, open) => {
        const messages = messagesFrom(pieces, 0, open)
        const atoms = atomsOf(messages)
        const together = atoms.flatMap((atom) => atom.messages)
        expect(together.length).toBe(messages.length)
        expect(together.every((message, at) => message === messages[at])).toBe(true)
        expect(atoms.map(({ messages: [first] }) => first!.role)).toEqual(pieces.map(({ role }) => role))
        expect(atoms.every(({ start, messages: [first] }) => messages[start] === first)).toBe(true)
        expect(estimateTokens({ messages, tools: [] })).toBeGreaterThanOrEqual(messages.length * 4)
      }),
      { numRuns: 300, seed: 20261123 },
    )
  })
})
