/** Arbitrary answers of a model, and every legal way to send one as a stream of events. */
import type { ModelReply } from '@clew/core'
import fc from 'fast-check'
import type { Detail } from './reading.ts'

type Call = { id: string; name: string; arguments: string }
type WireUsage = {
  prompt_tokens: number
  completion_tokens: number
  cost?: number
  prompt_tokens_details?: { cached_tokens: number | null } | null
}

export type Answer = {
  text: string
  /** Whole entries, of which no two neighbours belong together. */
  details: Detail[]
  calls: Call[]
  finish: string
  usage: WireUsage | undefined
}

export const toolNames = ['look', 'find', 'write_file']

/** Words, and what cuts badly: characters of two to four bytes, joined emoji, combining marks, line ends of every kind. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '👩‍👩‍👧',
        'e\u0301',
        '\u0301',
        '\u200d',
        '\ufeff',
        '\u2028',
        '\r\n',
        '\r',
        '\n\n',
        'data: [DONE]',
        '\0',
      ),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''))

const texts = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.constant('') })

const detail = fc.oneof(
  fc.record({
    type: fc.constant('reasoning.text'),
    text: texts,
    signature: fc.option(fc.base64String({ minLength: 4 }), { nil: undefined }),
    format: fc.constantFrom('unknown', 'anthropic-claude-v1'),
  }),
  fc.record({ type: fc.constant('reasoning.summary'), summary: texts, format: fc.constant('openai-responses-v1') }),
  fc.record({
    type: fc.constant('reasoning.encrypted'),
    data: fc.base64String({ minLength: 4 }),
    id: fc.option(fc.string({ unit: fc.constantFrom('a', 'b', '1'), minLength: 1, maxLength: 4 }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant('reasoning.of-tomorrow'), text: texts, extra: fc.jsonValue({ maxDepth: 2 }) }),
)

const details = fc.array(detail, { maxLength: 4 }).map((entries): Detail[] =>
  entries.map((entry, position) => {
    const known = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
    // Index 0 is used again where the type tells the entries apart, as hosts do it.
    return { ...known, type: entry.type, index: entries[position - 1]?.type === entry.type ? position : 0 }
  }),
)

const callArguments = fc.oneof(
  fc
    .tuple(
      fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
      fc.constantFrom(undefined, 1, '\t'),
    )
    .map(([value, indent]) => JSON.stringify(value, null, indent)),
  fc.constant(''),
)

const calls = (minLength: number) =>
  fc
    .array(fc.record({ name: fc.constantFrom(...toolNames), arguments: callArguments }), { minLength, maxLength: 4 })
    .map((list) => list.map((call, position): Call => ({ id: `call_${position}`, ...call })))

const count = fc.nat(1_000_000)
const usage = fc.option(
  fc.record(
    {
      prompt_tokens: count,
      completion_tokens: count,
      cost: fc.double({ min: 0, max: 10, noNaN: true }),
      prompt_tokens_details: fc.option(fc.record({ cached_tokens: fc.option(count) })),
    },
    { requiredKeys: ['prompt_tokens', 'completion_tokens'] },
  ),
  { nil: undefined },
)

export const answers = (minCalls = 0): fc.Arbitrary<Answer> =>
  fc
    .record({
      text: texts,
      details,
      calls: calls(minCalls),
      usage,
      word: fc.constantFrom('stop', 'length', 'other', ''),
    })
    .map(({ word, ...answer }) => ({
      ...answer,
      finish: word || (answer.calls.length > 0 ? 'tool_calls' : 'content_filter'),
    }))

/** Choices one after the other; when they are used up, each is the plainest one, so that shrinking ends in something plain. */
export class Tape {
  readonly #numbers: readonly number[]
  #at = 0
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  below(limit: number): number {
    return (this.#numbers[this.#at++] ?? 0) % limit
  }

  oneOf<Value>(...values: Value[]): Value {
    return values[this.below(values.length)]!
  }

  /** The text in one to four pieces, cut anywhere: inside a character, too. */
  pieces(whole: string): string[] {
    const cuts = Array.from({ length: this.below(4) }, () => this.below(whole.length + 1)).sort((a, b) => a - b)
    return [...cuts, whole.length].map((end, index) => whole.slice(cuts[index - 1] ?? 0, end))
  }
}

export const tapes: fc.Arbitrary<number[]> = fc.array(fc.nat(2 ** 20), { maxLength: 300, size: 'max' })

export type Chunk = { [field: string]: unknown }

/** The chunks of a stream, up to the finish and after it, and the answer with its calls in order of their appearance. */
export type Sent = { body: Chunk[]; end: Chunk[]; answer: Answer }

const envelope = { id: 'gen-1', object: 'chat.completion.chunk', model: 'm/served', provider: 'SomeHost' }

/** A legal fragmentation of the answer. `reasoningIn`: what carries the reasoning. */
export function fragment(answer: Answer, tape: Tape, reasoningIn: ReasoningIn = 'details'): Sent {
  const offset = tape.oneOf(0, 1, 7)
  const queues: Chunk[][] = [
    reasoningDeltas(answer.details, tape, reasoningIn),
    tape.pieces(answer.text).map((content) => ({ content })),
    ...answer.calls.map((call, position) => callFragments(call, position + offset, tape)),
  ]
  const appeared: number[] = []
  const body: Chunk[] = []
  for (;;) {
    const left = queues.filter((queue) => queue.length > 0)
    if (left.length === 0) break
    const delta: Chunk = tape.oneOf({ role: 'assistant', content: '' }, { content: null }, {})
    // Mostly one thing a chunk; sometimes one of each that is left, or several fragments of calls at once.
    const taken = tape.below(4) === 3 ? left : [left[tape.below(left.length)]!]
    for (const queue of taken) {
      const position = queues.indexOf(queue) - 2
      if (position >= 0 && !appeared.includes(position)) appeared.push(position)
      const { tool_calls: fragments, ...rest } = queue.shift()!
      Object.assign(delta, rest)
      if (fragments) delta.tool_calls = [...((delta.tool_calls as unknown[]) ?? []), ...(fragments as unknown[])]
    }
    body.push({ ...envelope, choices: [{ index: 0, delta, finish_reason: null, native_finish_reason: null }] })
  }
  return {
    body,
    end: ends(answer, tape),
    answer: { ...answer, calls: appeared.map((position) => answer.calls[position]!) },
  }
}

export type ReasoningIn = 'details' | 'both' | 'reasoning' | 'reasoning_content'
export const reasoningPlaces: ReasoningIn[] = ['details', 'both', 'reasoning', 'reasoning_content']

export const readable = (details: Detail[]): string =>
  details
    .map(({ type, text: said, summary }) => (type === 'reasoning.of-tomorrow' ? '' : (said ?? summary ?? '')))
    .join('')

function reasoningDeltas(entries: Detail[], tape: Tape, place: ReasoningIn): Chunk[] {
  if (place === 'reasoning' || place === 'reasoning_content')
    return tape.pieces(readable(entries)).map((piece) => ({ [place]: piece }))
  const fragments = entries.flatMap((entry) => detailFragments(entry, tape))
  const deltas: Chunk[] = []
  while (fragments.length > 0) {
    const several = fragments.splice(0, 1 + tape.below(3))
    deltas.push({ ...(place === 'both' && { reasoning: readable(several) || null }), reasoning_details: several })
    if (tape.below(6) === 5) deltas.push({ reasoning_details: [] })
  }
  return deltas
}

function detailFragments(entry: Detail, tape: Tape): Detail[] {
  const key = entry.type === 'reasoning.text' ? 'text' : entry.type === 'reasoning.summary' ? 'summary' : undefined
  if (!key) return [entry]
  const { [key]: whole, signature, format, ...common } = entry
  const isFormatLate = tape.below(2) === 1
  const pieces = tape.pieces(whole as string).map(
    (piece, index): Detail => ({
      ...common,
      ...tape.oneOf({}, { id: null }, { id: null, signature: null }),
      ...(isFormatLate ? { format: null } : index === 0 && { format }),
      [key]: piece,
    }),
  )
  const last = isFormatLate ? { format } : {}
  if (signature === undefined && !isFormatLate) return pieces
  // The signature comes with the last of its text, or alone behind it.
  if (tape.below(2) === 0)
    return [...pieces.slice(0, -1), { ...pieces.at(-1), ...last, ...(signature !== undefined && { signature }) }]
  return [...pieces, { ...common, ...last, ...(signature !== undefined && { signature }) }]
}

function callFragments({ id, name, arguments: whole }: Call, index: number, tape: Tape): Chunk[] {
  const [first = '', ...others] = tape.pieces(whole)
  const later = tape.oneOf<object>({}, { id: null }, { id: '' }, { id }, { type: 'function' })
  const laterName = 'id' in later && later.id === id ? tape.oneOf({}, { name }) : tape.oneOf({}, { name: null })
  const start =
    first === ''
      ? tape.oneOf<object>({ name, arguments: '' }, { name }, { name, arguments: null })
      : { name, arguments: first }
  const noise = tape.oneOf<object[]>([], [{ index, function: {} }], [{ index, function: { arguments: null } }])
  return [
    { index, id, type: 'function', function: start },
    ...noise,
    ...others.map((piece) => ({ index, ...later, function: { ...laterName, arguments: piece } })),
  ].map((each) => ({ tool_calls: [each] }))
}

/** Every shape that the end of a stream has had (section 8.3 of the wire contract). */
function ends({ finish, usage: counted }: Answer, tape: Tape): Chunk[] {
  const finished = {
    index: 0,
    delta: { role: 'assistant', content: '' },
    finish_reason: finish,
    native_finish_reason: finish,
  }
  const finishing = { ...envelope, choices: [finished] }
  if (!counted) return [finishing]
  const choices = tape.oneOf<object[]>(
    [],
    [{ ...finished, finish_reason: null, native_finish_reason: null }],
    [finished],
  )
  return tape.below(4) === 3
    ? [{ ...finishing, usage: counted }]
    : [finishing, { ...envelope, choices, usage: counted }]
}

/** The text of the events, each with the position of its end; `done` closes it. */
export type Text = { text: string; ends: number[] }

/** Comments, blank lines, the three line ends, `data:` in several lines, and a last event without its blank line. */
export function toText(chunks: Chunk[], done: boolean, tape: Tape): Text {
  const isUniform = tape.below(2) === 0
  const usual = tape.oneOf('\n', '\r\n', '\r')
  let written = tape.oneOf('', '\ufeff')
  const ends: number[] = []
  for (const chunk of chunks) {
    const eol = isUniform ? usual : tape.oneOf('\n', '\r\n', '\r')
    written += tape.oneOf(
      '',
      `: OPENROUTER PROCESSING${eol}${eol}`,
      `:${eol}`,
      eol,
      `event: message${eol}`,
      `id: 7${eol}`,
      `retry: 1${eol}`,
    )
    const lines = tape.below(5) === 4 ? JSON.stringify(chunk, null, 1).split('\n') : [JSON.stringify(chunk)]
    written += lines.map((line) => `data:${tape.oneOf(' ', '')}${line}${eol}`).join('')
    ends.push(written.length)
    written += eol
  }
  if (done) written += `data: [DONE]${tape.oneOf('\n\n', '\n', '')}`
  else if (tape.below(3) === 2) written = written.slice(0, ends.at(-1)).trimEnd()
  return { text: written, ends }
}

/** What the model must make of a whole answer. */
export function replyTo(
  { text: said, details: entries, calls: asked, finish, usage: counted }: Answer,
  place: ReasoningIn,
): ModelReply {
  const reasoning = readable(entries)
  const isCut = finish === 'length' || finish === 'content_filter'
  const { prompt_tokens = 0, completion_tokens = 0, cost, prompt_tokens_details } = counted ?? {}
  return {
    content: said,
    ...(reasoning !== '' && { reasoning }),
    ...((place === 'details' || place === 'both') &&
      entries.length > 0 && { reasoningDetails: entries as NonNullable<ModelReply['reasoningDetails']> }),
    ...(asked.length > 0 && { toolCalls: asked }),
    finishReason: isCut
      ? finish === 'length'
        ? 'length'
        : 'content-filter'
      : asked.length > 0
        ? 'tool-calls'
        : finish === 'stop'
          ? 'stop'
          : 'other',
    rawFinishReason: finish,
    ...(counted && {
      usage: {
        requests: 1,
        inputTokens: prompt_tokens,
        outputTokens: completion_tokens,
        cachedTokens: prompt_tokens_details?.cached_tokens ?? 0,
        cacheWriteTokens: 0,
        reasoningTokens: 0,
        ...(cost !== undefined && { usd: cost }),
      },
    }),
    source: { generationId: 'gen-1', provider: 'SomeHost', model: 'm/served' },
  }
}

/** An entry without the keys that say nothing. */
export const withoutNulls = (entry: unknown): unknown =>
  Object.fromEntries(Object.entries(entry as object).filter(([, value]) => value !== null))
