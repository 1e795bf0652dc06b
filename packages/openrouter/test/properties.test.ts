/** Properties of what is made of a stream: whatever the answer, however it is cut, wherever it ends or fails. */
import { Agent, isClewError, type Json, tool } from '@clew/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { mergeDetail } from '../src/reasoning.ts'
import {
  type Answer,
  answers,
  type Chunk,
  fragment,
  type ReasoningIn,
  reasoningPlaces,
  replyTo,
  Tape,
  tapes,
  toolNames,
  toText,
  withoutNulls,
} from './answers.ts'
import { type Heard, hear, playing, putTogether } from './hear.ts'
import type { Detail } from './reading.ts'
import { cutAt } from './serve.ts'

/** Always the same runs; fast-check prints the counterexample and how to get back to it. */
const runs = (numRuns: number) => ({ seed: 20_261_123, numRuns })

/** Byte edges: none, at every byte, or anywhere. */
const cuts = fc.oneof(
  fc.constant<number[] | 'every'>([]),
  fc.constant<number[] | 'every'>('every'),
  fc.array(fc.nat(), { minLength: 1, maxLength: 40 }),
)

function cut(bytes: Uint8Array, edges: number[] | 'every'): Uint8Array[] {
  if (edges === 'every') return cutAt(bytes, Array<number>(bytes.length).fill(1))
  const sorted = edges.map((edge) => edge % (bytes.length + 1)).sort((a, b) => a - b)
  return cutAt(
    bytes,
    sorted.map((edge, index) => edge - (sorted[index - 1] ?? 0)),
  )
}

/** What the calls of the answer ran, when an agent with all the tools plays it. */
async function ranBy(bytes: Uint8Array): Promise<{ name: string; input: unknown }[]> {
  const ran: { name: string; input: unknown }[] = []
  const tools = toolNames.map((name) =>
    tool({ name, input: { type: 'object' }, effect: 'pure', execute: (input) => void ran.push({ name, input }) }),
  )
  try {
    await new Agent({ name: 'a', model: playing([bytes]), tools }).run('Hi')
  } catch (error) {
    if (!isClewError(error, 'run') || !isClewError(error.cause, 'model')) throw error
  }
  return ran
}

const inputsOf = (answer: Answer): unknown[] =>
  answer.calls.map(({ name, arguments: text }) => ({ name, input: JSON.parse(text || '{}') }))

/** Holds a reply and its deltas against the answer that was sent. */
function expectWhole({ reply, error, deltas }: Heard, answer: Answer, place: ReasoningIn): void {
  expect(error).toBeUndefined()
  const { reasoningDetails, ...rest } = reply!
  const { reasoningDetails: details, ...expected } = replyTo(answer, place)
  expect(rest).toStrictEqual(expected)
  expect(reasoningDetails?.map(withoutNulls)).toStrictEqual(
    details && JSON.parse(JSON.stringify(details.map(withoutNulls))),
  )
  expect(putTogether(deltas)).toStrictEqual({
    text: answer.text,
    reasoning: expected.reasoning ?? '',
    inputs: answer.calls.map((call) => ({ name: call.name, arguments: call.arguments, isWhole: true })),
  })
}

/** Holds an answer that failed against the deltas that it had shown. */
function expectFailed({ reply, error, deltas }: Heard, answer: Answer): void {
  expect(reply).toBeUndefined()
  if (!isClewError(error, 'model')) throw error
  const { text, reasoning, inputs } = putTogether(deltas)
  expect(error.details.partial).toStrictEqual({ text, reasoning })
  expect(answer.text.startsWith(text)).toBe(true)
  expect(replyTo(answer, 'both').reasoning?.startsWith(reasoning) ?? reasoning === '').toBe(true)
  expect(inputs.some((input) => input?.isWhole)).toBe(false)
}

it('an answer is what was sent, however it is divided into chunks and bytes', () =>
  fc.assert(
    fc.asyncProperty(
      answers(),
      tapes,
      cuts,
      fc.constantFrom(...reasoningPlaces),
      async (given, numbers, edges, place) => {
        const tape = new Tape(numbers)
        const { body, end, answer } = fragment(given, tape, place)
        const { text } = toText([...body, ...end], tape.oneOf(true, false), tape)
        expectWhole(await hear(playing(cut(Buffer.from(text), edges))), answer, place)
      },
    ),
    runs(1200),
  ))

it('the calls of a whole answer run once each, in order, unless the answer was cut', () =>
  fc.assert(
    fc.asyncProperty(answers(1), tapes, async (given, numbers) => {
      const tape = new Tape(numbers)
      const { body, end, answer } = fragment(given, tape)
      const ran = await ranBy(Buffer.from(toText([...body, ...end], true, tape).text))
      if (answer.finish !== 'length') expect(ran).toEqual(inputsOf(answer))
    }),
    runs(150),
  ))

it('a stream that ends early is an error that keeps what was shown, and nothing of it runs', () =>
  fc.assert(
    fc.asyncProperty(
      answers(1),
      tapes,
      fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
      async (given, numbers, lengths) => {
        const tape = new Tape(numbers)
        const { body, end, answer } = fragment(given, tape)
        const { text, ends } = toText([...body, ...end], true, tape)
        const bytes = Buffer.from(text)
        const endOf = (event: number) => Buffer.byteLength(text.slice(0, ends[event]))
        // Without its line end, an event is still whole; CR and LF are one byte each.
        const finishedAt = Buffer.byteLength(text.slice(0, ends[body.length]).trimEnd())
        for (const length of [
          ...lengths.map((each) => each % bytes.length),
          endOf(body.length - 1),
          endOf(body.length),
        ]) {
          const prefix = bytes.subarray(0, length)
          const heard = await hear(playing([prefix]))
          if (heard.reply) {
            expect(length).toBeGreaterThanOrEqual(finishedAt)
            const { usage } = heard.reply
            expectWhole(heard, { ...answer, usage: usage && answer.usage }, 'details')
          } else {
            // The event that finishes it is enough, when nothing broken follows.
            expect(length).not.toBe(endOf(body.length))
            expectFailed(heard, answer)
            expect(await ranBy(prefix)).toEqual([])
          }
        }
      },
    ),
    runs(200),
  ))

it('no prefix of a stream runs half a call', async () => {
  const answer: Answer = {
    text: 'é👩‍👩‍👧',
    details: [],
    calls: toolNames.map((name, index) => ({ id: `c${index}`, name, arguments: `{"city":"Zürich ${index}"}` })),
    finish: 'tool_calls',
    usage: { prompt_tokens: 1, completion_tokens: 2 },
  }
  const { body, end } = fragment(answer, new Tape(Array.from({ length: 60 }, (_, index) => index * 7 + 3)))
  const { text, ends } = toText([...body, ...end], true, new Tape([]))
  const bytes = Buffer.from(text)
  const finishedAt = Buffer.byteLength(text.slice(0, ends[body.length]).trimEnd())
  let whole = 0
  for (let length = 0; length <= bytes.length; length++) {
    const ran = await ranBy(bytes.subarray(0, length))
    if (ran.length === 0) continue
    whole += 1
    expect(length).toBeGreaterThanOrEqual(finishedAt)
    expect(ran).toHaveLength(3)
    expect(ran).toEqual(expect.arrayContaining(inputsOf(answer)))
  }
  expect(whole).toBeGreaterThan(0)
})

it('calls whose fragments are mixed are whole, in order of their first appearance', () =>
  fc.assert(
    fc.asyncProperty(
      answers(2).filter(({ calls }) => calls.length > 1),
      fc.array(fc.nat(3), { minLength: 100, maxLength: 100 }),
      fc.uniqueArray(fc.nat(1000), { minLength: 4, maxLength: 4 }),
      async ({ calls }, order, indexes) => {
        // One character a fragment, so that any two calls are under way at once.
        const queues = calls.map(({ id, name, arguments: text }, position) => [
          { index: indexes[position], id, function: { name, arguments: '' } },
          ...[...text].map((character) => ({ index: indexes[position], function: { arguments: character } })),
        ])
        const appeared = new Set<number>()
        const fragments: object[] = []
        for (let at = 0; queues.some((queue) => queue.length > 0); at++) {
          const position = order[at % order.length]! % queues.length
          // Who is drawn but has nothing left, gives way to the next that has.
          const from = queues[position]!.length > 0 ? position : queues.findIndex((queue) => queue.length > 0)
          appeared.add(from)
          fragments.push(queues[from]!.shift()!)
        }
        const chunks = fragments.map((each) => ({ choices: [{ delta: { tool_calls: [each] } }] }))
        const { text } = toText(
          [...chunks, { choices: [{ delta: {}, finish_reason: 'tool_calls' }] }],
          true,
          new Tape([]),
        )
        const { reply, deltas } = await hear(playing([Buffer.from(text)]))
        const expected = [...appeared].map((position) => calls[position]!)
        expect(reply?.toolCalls).toEqual(expected)
        expect(putTogether(deltas).inputs).toEqual(
          expected.map((call) => ({ name: call.name, arguments: call.arguments, isWhole: true })),
        )
      },
    ),
    runs(200),
  ))

/** Every form of section 8.4 of the wire contract that comes behind the first event: as a chunk, or as a change of one. */
const errorForms: { [form: string]: (chunk: Chunk) => Chunk } = {
  'a bare error event': () => ({ error, user_id: 'u' }),
  'an error beside finish_reason "error"': () => ({ error, choices: [choice({ finish_reason: 'error' })] }),
  'an error beside finish_reason null, with usage': () => ({
    error,
    choices: [choice({ finish_reason: null })],
    usage,
  }),
  'an error beside finish_reason "stop"': () => ({
    error,
    choices: [choice({ finish_reason: 'stop', native_finish_reason: 'MALFORMED_FUNCTION_CALL' })],
  }),
  'an error in the choice': () => ({ choices: [choice({ error, finish_reason: 'error' })] }),
  'an error in the choice alone': () => ({ choices: [choice({ error, finish_reason: null })] }),
  'finish_reason "error" without an object': () => ({
    choices: [choice({ finish_reason: 'error', native_finish_reason: 'MALFORMED_FUNCTION_CALL' })],
  }),
  'an error whose code is a string': () => ({ error: { ...error, code: 'server_error' } }),
  'an error that is a string': () => ({ error: 'Upstream failed' }),
  'an error beside the content of a chunk': (chunk) => ({ ...chunk, error }),
}
const error = { message: 'Upstream failed', code: 502, metadata: { provider_name: 'SomeHost', raw: 'Upstream failed' } }
const usage = { prompt_tokens: 1, completion_tokens: 0 }
const choice = (fields: object) => ({ index: 0, delta: { role: 'assistant', content: '' }, ...fields })

it.each(Object.keys(errorForms))('%s anywhere in a stream makes it an error, and nothing of it runs', (form) =>
  fc.assert(
    fc.asyncProperty(answers(1), tapes, fc.nat(), fc.boolean(), async (given, numbers, place, goesOn) => {
      const tape = new Tape(numbers)
      const { body, end, answer } = fragment(given, tape)
      const chunks = [...body, ...end]
      const position = 1 + (place % chunks.length)
      const isContent = form.endsWith('the content of a chunk')
      const failing = errorForms[form]!(chunks[position - 1]!)
      const before = chunks.slice(0, isContent ? position - 1 : position)
      const { text } = toText([...before, failing, ...(goesOn ? chunks.slice(position) : [])], goesOn, tape)
      const bytes = Buffer.from(text)
      const heard = await hear(playing([bytes]))
      expectFailed(heard, answer)
      if (!isClewError(heard.error, 'model')) return
      if (!form.startsWith('finish_reason')) expect(heard.error.message).toContain('Upstream failed')
      // What came behind the error is read as well, for its usage.
      if (goesOn) expect(heard.error.details.partial?.text).toBe(answer.text)
      expect(await ranBy(bytes)).toEqual([])
    }),
    runs(40),
  ),
)

it('an event that is no JSON makes it an error, unless the answer was whole before', () =>
  fc.assert(
    fc.asyncProperty(answers(1), tapes, cuts, fc.nat(), async (given, numbers, edges, place) => {
      const tape = new Tape(numbers)
      const { body, end, answer } = fragment(given, tape)
      const { text, ends } = toText([...body, ...end], true, tape)
      const position = place % ends.length
      const broken = `${text.slice(0, ends[position])}\n\ndata: {"choices":[\n\n${text.slice(ends[position])}`
      const heard = await hear(playing(cut(Buffer.from(broken), edges)))
      // Finish and usage were there: nothing that matters can follow. What came in one piece with it is shown, too.
      if (answer.usage && position === ends.length - 1) return expectWhole(heard, answer, 'details')
      expectFailed(heard, answer)
      expect(heard.error).toMatchObject({ details: { code: 'bad-stream' } })
      expect(await ranBy(Buffer.from(broken))).toEqual([])
    }),
    runs(200),
  ))

/** Fragments that say who they are: the numbers that they carry grow. */
const marked = fc
  .array(
    fc.record({
      type: fc.constantFrom('reasoning.text', 'reasoning.summary', 'reasoning.encrypted', 'reasoning.of-tomorrow'),
      index: fc.constantFrom(undefined, null, 0, 1),
      id: fc.constantFrom(undefined, null, 'one', 'two'),
      format: fc.constantFrom(undefined, null, 'unknown'),
      isSigned: fc.boolean(),
      isEmpty: fc.boolean(),
    }),
    { maxLength: 14 },
  )
  .map((list) =>
    list.map(({ type, isSigned, isEmpty, ...common }, position): Detail => {
      const known = Object.fromEntries(Object.entries(common).filter(([, value]) => value !== undefined))
      if (type === 'reasoning.summary') return { ...known, type, summary: isEmpty ? '' : `<${position}>` }
      if (type === 'reasoning.encrypted') return { ...known, type, data: `<${position}>` }
      if (type !== 'reasoning.text') return { ...known, type, text: `<${position}>` }
      return {
        ...known,
        type,
        text: isEmpty ? null : `<${position}>`,
        ...(isSigned && { signature: `<${position}s>` }),
      }
    }),
  )

function merge(fragments: readonly Detail[]): Detail[] {
  const merged: Json[] = []
  for (const each of fragments) mergeDetail(merged, each as Json)
  return merged as Detail[]
}

const written = (entries: Detail[]): string =>
  entries.map(({ text, summary, data, signature }) => [text, summary, data, signature].join('')).join('')

it('merging keeps every text, signature and datum once and in order', () =>
  fc.assert(
    fc.property(marked, (fragments) => {
      expect(written(merge(fragments))).toBe(written(fragments))
    }),
    runs(3000),
  ))

it('merging never joins what differs in type, index or id, nor encrypted data without an id', () =>
  fc.assert(
    fc.property(marked, (fragments) => {
      for (const entry of merge(fragments)) {
        const parts = [...written([entry]).matchAll(/<(\d+)s?>/g)].map((match) => fragments[Number(match[1])]!)
        expect(new Set(parts.map((part) => part.type)).size).toBeLessThanOrEqual(1)
        expect(new Set(parts.map((part) => part.index ?? null)).size).toBeLessThanOrEqual(1)
        expect(new Set(parts.flatMap((part) => part.id ?? [])).size).toBeLessThanOrEqual(1)
        if (entry.type === 'reasoning.encrypted' && new Set(parts).size > 1)
          expect(parts.every((part) => typeof part.id === 'string')).toBe(true)
      }
    }),
    runs(3000),
  ))

it('merging does not depend on how finely a text was cut, and what is merged stays as it is', () =>
  fc.assert(
    fc.property(marked, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), (fragments, places) => {
      const finer = fragments.flatMap((each, position): Detail[] => {
        const key = each.type === 'reasoning.text' ? 'text' : each.type === 'reasoning.summary' ? 'summary' : ''
        const whole = each[key]
        if (typeof whole !== 'string') return [each]
        const at = places[position % places.length]!
        // The signature stays with the last of its text.
        const { signature, ...start } = each
        return [
          { ...start, [key]: whole.slice(0, at) },
          { ...each, [key]: whole.slice(at) },
        ]
      })
      const merged = merge(fragments)
      expect(merge(finer)).toEqual(merged)
      expect(merge(merged)).toEqual(merged)
    }),
    runs(1500),
  ))
