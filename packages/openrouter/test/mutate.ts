/** Recorded streams, damaged in every way that a seeded generator comes to, and the check of what a model makes of them. */
import { isClewError, type ModelReply } from '@clew/core'
import { readCases, readRecordings } from '../../../test/shared.ts'
import { type Heard, hear, playing, putTogether } from './hear.ts'
import { mulberry32 } from './serve.ts'

/** The data of the events of a stream. */
type Events = string[]

export function readStreams(): Events[] {
  const recorded = readRecordings().flatMap(({ response }) =>
    response.sse === undefined ? [] : [dataOf(response.sse)],
  )
  const cases = [
    ...readCases<{ chunks: string[] }>('stream-quirks'),
    ...readCases<{ chunks: string[] }>('chat-streams'),
  ]
  return [...recorded, ...cases.map(({ chunks }) => chunks)].filter((events) => events.length > 0)
}

const dataOf = (sse: string): Events =>
  sse
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trim())
    .filter((data) => data !== '[DONE]')

class Dice {
  readonly #random: () => number
  constructor(seed: number) {
    this.#random = mulberry32(seed)
  }
  below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
  oneOf<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!
  }
  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0
  }
  times(most: number, act: () => void): void {
    for (let left = this.below(most + 1); left > 0; left--) act()
  }
}

export type Mutant = { pieces: Uint8Array[]; contentType: string }

/** The mutant of this number: the same for the same streams, seed and number. */
export function mutant(streams: readonly Events[], seed: number, run: number): Mutant {
  const dice = new Dice(Math.imul(seed, 0x9e3779b1) ^ Math.imul(run + 1, 0x85ebca6b))
  const events = thin(dice.oneOf(streams), dice)
  dice.times(2, () => dice.oneOf(eventMutations)(events, dice, streams))
  dice.times(3, () => mutateJson(events, dice.below(events.length), dice))
  if (dice.once(8)) insertError(events, dice)
  const isWhole = dice.once(16)
  let bytes: Uint8Array = Buffer.from(isWhole ? asBody(dice.oneOf(events)) : asStream(events, dice))
  if (dice.below(2) === 0) dice.times(4, () => (bytes = dice.oneOf(byteMutations)(bytes, dice)))
  const pieces = divide(bytes, dice)
  if (dice.once(30)) shuffle(pieces, dice)
  return { pieces, contentType: isWhole ? 'application/json' : 'text/event-stream' }
}

/** Long streams are mostly more of the same: their beginning and their end hold what is special. */
function thin(events: Events, dice: Dice): Events {
  const start = 1 + dice.below(20)
  const end = 1 + dice.below(8)
  if (events.length <= start + end || dice.once(50)) return [...events]
  return [...events.slice(0, start), ...events.slice(-end)]
}

type EventMutation = (events: Events, dice: Dice, streams: readonly Events[]) => void

const eventMutations: EventMutation[] = [
  (events, dice) => events.splice(dice.below(events.length + 1), 0, dice.oneOf(events) ?? ''),
  (events, dice) => void events.splice(dice.below(events.length), 1 + dice.below(3)),
  (events, dice) => shuffle(events, dice),
  (events, dice) =>
    void events.splice(dice.below(events.length + 1), 0, ...events.splice(dice.below(events.length), 1)),
  // Two streams in one: the second one behind, or in the middle of the first.
  (events, dice, streams) => {
    const other = thin(dice.oneOf(streams), dice)
    events.splice(
      dice.below(events.length + 1),
      dice.below(events.length + 1),
      ...other.slice(dice.below(other.length)),
    )
  },
  (events, dice) => events.splice(dice.below(events.length + 1), 0, dice.oneOf(garbage)),
]

const garbage = [
  '',
  'null',
  '[]',
  '"text"',
  '0',
  '{}',
  '{"choices":[]}',
  '{"choices":[null]}',
  '[DONE',
  'undefined',
  '{"',
]

/** Stands for raw text that no value could be written as. */
const marks: { [mark: string]: (dice: Dice) => string } = {
  '"@deep@"': (dice) => {
    const depth = dice.once(20) ? 100_000 : 200 + dice.below(3000)
    const [open, close] = dice.oneOf([
      ['[', ']'],
      ['{"a":', '}'],
      ['{"error":', '}'],
    ] as const)
    return `${open.repeat(depth)}${open.length > 1 ? '1' : ''}${close.repeat(depth)}`
  },
  '"@huge@"': (dice) =>
    dice.oneOf(['1e999', '-1e999', '1e308', '9007199254740993', '123456789'.repeat(50), '-0', '1E-400']),
  '"@proto@"': (dice) =>
    dice.oneOf([
      '{"__proto__":{"x":1}}',
      '{"constructor":{"prototype":{"x":1}}}',
      '{"__proto__":null}',
      '{"__proto__":[]}',
    ]),
}

/** What a field may hold against all rules. Objects without a string of their own break what wants to print them. */
const values: (() => unknown)[] = [
  ...[null, true, false, 0, -1, 1, 0.5, 1e9, 502, '', '0', 'error', 'stop', 'tool_calls', '{}', '[DONE]', 'a\u0000b'],
  ...[
    '\ud800',
    '\udc00x',
    '\ufeff',
    '@deep@',
    '@huge@',
    '@proto@',
    '__proto__',
    'reasoning.text',
    'reasoning.encrypted',
  ],
  ...[[], {}, [null], [[]], [{}], ['text'], { toString: null }, { toString: 1, valueOf: 1 }, { length: -1 }],
  ...[{ type: 'text', text: 'part' }, [{ type: 'text', text: 'part' }], { message: { toString: 1 } }],
].map((value) => () => value)

const keys = (
  '__proto__ constructor toString valueOf then length error message delta choices content text reasoning ' +
  'reasoning_content reasoning_details refusal annotations images image_url url logprobs usage finish_reason ' +
  'native_finish_reason tool_calls function name arguments index id type data signature summary format code metadata ' +
  'raw error_type provider_name headers retry_after availability prompt_tokens completion_tokens cost ' +
  'prompt_tokens_details cached_tokens model provider'
).split(' ')

const indexes = [-1, 1e9, 1, 0, 2 ** 53, 0.5, -0, '0', '1', null, true, [], {}, '@huge@']

type Node = { [key: string]: unknown }

/** Streams that fail are few among the recorded ones, and their errors have many places in which to be wrong. */
function insertError(events: Events, dice: Dice): void {
  const headers = { 'retry-after': '1', 'X-RateLimit-Reset': '1790000000000' }
  const metadata = { provider_name: 'P', raw: '{"error":{"message":"m"}}', error_type: 'overloaded', headers }
  const error = { message: 'Upstream failed', code: 502, metadata, availability: { retryable: true, retry_after: 1 } }
  const choices = dice.oneOf([[], [{ index: 0, delta: {}, finish_reason: 'error', native_finish_reason: 'F', error }]])
  const at = dice.below(events.length + 1)
  events.splice(at, 0, JSON.stringify(dice.oneOf([{ error }, { error, choices }, { choices }])))
  dice.times(3, () => mutateJson(events, at, dice))
}

function mutateJson(events: Events, at: number, dice: Dice): void {
  let root: unknown
  try {
    root = JSON.parse(events[at] ?? '')
  } catch {
    return
  }
  const nodes = nodesOf(root)
  if (nodes.length === 0) return
  const node = dice.oneOf(nodes)
  // A field that is there, most of the time; arrays have only such.
  const own = Object.keys(node)
  const key = own.length > 0 && (Array.isArray(node) || dice.below(4) > 0) ? dice.oneOf(own) : dice.oneOf(keys)
  const kind = dice.below(8)
  if (kind === 0) Reflect.deleteProperty(node, key)
  else if (kind === 1) set(node, key, null)
  else if (kind === 2) set(node, key, dice.once(10) ? 'x'.repeat(1 + dice.below(200_000)) : [node[key]])
  else if (kind === 3) {
    const withIndex = nodes.filter((each) => 'index' in each)
    if (withIndex.length > 0) set(dice.oneOf(withIndex), 'index', dice.oneOf(indexes))
  } else if (kind === 4) {
    // A value of another place.
    const other = dice.oneOf(nodes)
    set(node, key, structuredClone(Object.values(other)[0]))
  } else set(node, key, dice.oneOf(values)())
  let text = JSON.stringify(root) ?? 'null'
  for (const [mark, raw] of Object.entries(marks))
    if (text.includes(mark)) text = text.replaceAll(mark, () => raw(dice))
  events[at] = text
}

/** An own property, even where the name is `__proto__`. */
function set(node: Node, key: string, value: unknown): void {
  // Only the length of an array can be refused.
  if (Array.isArray(node) && key === 'length') return
  Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Objects and arrays, down to a depth that no recorded chunk has. */
function nodesOf(root: unknown): Node[] {
  const found: Node[] = []
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 12) return
    found.push(value as Node)
    for (const each of Object.values(value)) visit(each, depth + 1)
  }
  visit(root, 0)
  return found.length > 0 && isDeep(root) ? [] : found
}

/** What was made deep before cannot be written again. */
function isDeep(root: unknown): boolean {
  let level: unknown[] = [root]
  for (let depth = 0; depth < 50; depth++) {
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
    if (level.length === 0) return false
  }
  return true
}

function asStream(events: Events, dice: Dice): string {
  const eol = dice.oneOf(['\n', '\n', '\n', '\r\n', '\r'])
  const comment = dice.once(4) ? `: OPENROUTER PROCESSING${eol}${eol}` : ''
  const done = dice.once(4) ? '' : `data: [DONE]${eol}${eol}`
  return events.map((data) => `${comment}data: ${data}${eol}${eol}`).join('') + done
}

/** A chunk as a server would send it that does not stream. */
const asBody = (data = ''): string => data.replace('"delta":', '"message":')

const byteMutations: ((bytes: Uint8Array, dice: Dice) => Uint8Array)[] = [
  (bytes, dice) => {
    const copy = Uint8Array.from(bytes)
    const at = dice.below(copy.length)
    if (copy.length > 0) copy[at] = copy[at]! ^ (1 << dice.below(8))
    return copy
  },
  (bytes, dice) => replace(bytes, dice, new Uint8Array(), dice.oneOf([1, 1, 2, 10, 100])),
  (bytes, dice) =>
    replace(
      bytes,
      dice,
      Uint8Array.from({ length: 1 + dice.below(8) }, () => dice.below(256)),
      0,
    ),
  (bytes, dice) => {
    const start = dice.below(bytes.length)
    return replace(bytes, dice, bytes.slice(start, start + dice.below(300)), 0)
  },
  (bytes, dice) => bytes.slice(0, dice.below(bytes.length + 1)),
  (bytes, dice) => Buffer.concat([bytes, Uint8Array.from({ length: dice.below(200) }, () => dice.below(256))]),
  // No UTF-8: a start without its rest, a rest without its start, a surrogate, an overlong slash.
  (bytes, dice) =>
    replace(
      bytes,
      dice,
      Uint8Array.from(dice.oneOf([[0xc3], [0x80], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf0, 0x9f, 0x91]])),
      0,
    ),
  (bytes, dice) =>
    replace(
      bytes,
      dice,
      Buffer.from(dice.oneOf(['\n', '\r', '\n\n', '\r\n\r\n', 'data:', ':', '\0', '"', '}', '[DONE]'])),
      0,
    ),
]

/** The bytes with others in place of `gone` of them, somewhere. */
function replace(bytes: Uint8Array, dice: Dice, by: Uint8Array, gone: number): Uint8Array {
  const at = dice.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + gone)])
}

function divide(bytes: Uint8Array, dice: Dice): Uint8Array[] {
  const edges = Array.from({ length: dice.oneOf([0, 0, 1, 3, 20]) }, () => dice.below(bytes.length + 1))
  edges.sort((a, b) => a - b)
  return [...edges, bytes.length].map((end, index) => bytes.slice(edges[index - 1] ?? 0, end))
}

function shuffle<Each>(list: Each[], dice: Dice): void {
  for (let at = list.length - 1; at > 0; at--) {
    const other = dice.below(at + 1)
    const each = list[at]!
    list[at] = list[other]!
    list[other] = each
  }
}

export type Outcome = { kind: 'reply' | 'error' } | { kind: 'failure'; problem: string; error?: unknown }

export async function play({ pieces, contentType }: Mutant): Promise<Outcome> {
  const heard = await hear(playing(pieces, contentType))
  let problem: string | undefined
  try {
    problem = heard.reply ? problemOf(heard, heard.reply) : problemOfError(heard)
  } catch (error) {
    problem = String(error)
  }
  if (problem !== undefined) return { kind: 'failure', problem, error: heard.error }
  for (const target of [Object.prototype, Array.prototype, Function.prototype]) {
    for (const key in target) return { kind: 'failure', problem: `A prototype now holds "${key}".` }
  }
  if (Object.getPrototypeOf({}) !== Object.prototype || 'x' in {})
    return { kind: 'failure', problem: 'A prototype was changed.' }
  return { kind: heard.reply ? 'reply' : 'error' }
}

/** What is wrong with an error, if anything. */
function problemOfError({ error, deltas }: Heard): string | undefined {
  if (!isClewError(error, 'model')) return `It threw ${error instanceof Error ? error.stack : String(error)}.`
  const { partial, usage, code, status, provider, raw, retryAfterMs, generationId, kind, retryable } = error.details
  const said = putTogether(deltas)
  if (partial && (partial.text !== said.text || partial.reasoning !== said.reasoning))
    return 'The partial answer of the error is not what was shown.'
  if (!partial && deltas.length > 0) return 'The error does not tell the partial answer.'
  if (said.inputs.some((input) => input?.isWhole)) return 'A call of an answer that failed was told to be whole.'
  if (typeof error.message !== 'string' || error.message.trim() === '') return 'The error says nothing.'
  if (!isOneOf(code, 'string', 'number', 'undefined')) return 'The code is neither text nor number.'
  if (!isOneOf(status, 'number', 'undefined') || (status !== undefined && !(status >= 100 && status < 600)))
    return `The status is ${status}.`
  for (const text of [provider, raw, generationId, kind])
    if (!isOneOf(text, 'string', 'undefined')) return `The details of the error hold ${typeof text} for a text.`
  if (!isOneOf(retryable, 'boolean', 'undefined')) return 'retryable is neither true nor false.'
  if (retryAfterMs !== undefined && !isAmount(retryAfterMs)) return `retryAfterMs is ${retryAfterMs}.`
  return problemOfUsage(usage)
}

/** What is wrong with a reply, if anything. */
function problemOf({ deltas }: Heard, reply: ModelReply): string | undefined {
  const said = putTogether(deltas)
  const parts = typeof reply.content === 'string' ? [{ type: 'text' as const, text: reply.content }] : reply.content
  if (!Array.isArray(parts)) return 'The content is neither text nor parts.'
  for (const part of parts) {
    if (part.type === 'text' ? typeof part.text !== 'string' : part.type !== 'image' || typeof part.url !== 'string')
      return `The content holds ${JSON.stringify(part)}.`
  }
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
  if (text !== said.text) return 'The content is not what was shown.'
  if ((reply.reasoning ?? '') !== said.reasoning) return 'The reasoning is not what was shown.'
  for (const list of [reply.reasoningDetails, reply.annotations, reply.logprobs, reply.toolCalls])
    if (list !== undefined && !Array.isArray(list)) return 'The reply holds something else in place of a list.'
  for (const [position, call] of (reply.toolCalls ?? []).entries()) {
    if (typeof call.name !== 'string' || typeof call.arguments !== 'string') return `Call ${position} is broken.`
    if (!isOneOf(call.id, 'string', 'undefined') || call.id === '') return `The id of call ${position} is broken.`
    // A call without a name is never shown.
    const input = said.inputs[position]
    if (call.name === '' ? input : input?.name !== call.name || input.arguments !== call.arguments || !input.isWhole)
      return `Call ${position} is not what was shown.`
  }
  if (said.inputs.length > (reply.toolCalls?.length ?? 0)) return 'More calls were shown than the reply has.'
  if (!['stop', 'tool-calls', 'length', 'content-filter', 'other'].includes(reply.finishReason))
    return `The finish reason is ${reply.finishReason}.`
  for (const each of [reply.rawFinishReason, reply.refusal, reply.source.provider, reply.source.generationId])
    if (!isOneOf(each, 'string', 'undefined')) return `The reply holds ${typeof each} for a text.`
  if (typeof reply.source.model !== 'string') return 'The reply names no model.'
  return problemOfUsage(reply.usage)
}

function problemOfUsage(usage: ModelReply['usage']): string | undefined {
  const wrong = Object.entries(usage ?? {}).find(([, amount]) => !isAmount(amount))
  return wrong && `The usage says ${wrong[0]}: ${wrong[1]}.`
}

const isAmount = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0

const isOneOf = (value: unknown, ...types: string[]) => types.includes(typeof value)
