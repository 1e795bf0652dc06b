/** A second, simple reading of recorded answers, straight from the wire contract, to hold against what the source assembles. */
import { expect } from 'vitest'
import type { Answered } from './serve.ts'

type Wire = { [key: string]: unknown }
export type Detail = { type?: string; index?: number | null; id?: string | null; [key: string]: unknown }
type Fragment = {
  index?: number | null
  id?: string | null
  function?: { name?: string | null; arguments?: string | null }
}
type Call = { id: string; name: string; arguments: string }
type Usage = {
  prompt_tokens?: number
  completion_tokens?: number
  cost?: number
  prompt_tokens_details?: { cached_tokens?: number | null; cache_write_tokens?: number | null } | null
  completion_tokens_details?: { reasoning_tokens?: number | null } | null
}
type Part = {
  content?: string | null
  reasoning?: string | null
  reasoning_content?: string | null
  reasoning_details?: Detail[] | null
  tool_calls?: Fragment[] | null
}
export type Chunk = {
  model?: string
  error?: unknown
  usage?: Usage | null
  choices?: { delta?: Part; message?: Part; finish_reason?: string | null; error?: unknown }[]
}

export type Reading = {
  model: string
  text: string
  reasoning: string
  details: Detail[] | undefined
  calls: Call[]
  finish: string | undefined
  usage: Usage | undefined
  failed: boolean
}

export function readEventText(text: string): Reading {
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trim())
  return readChunks(data.filter((each) => each !== '' && each !== '[DONE]').map((each) => JSON.parse(each) as Chunk))
}

export function readChunks(chunks: Chunk[]): Reading {
  const parts = chunks.flatMap((chunk) => chunk.choices?.[0]?.delta ?? [])
  const details = parts.flatMap((part) => (Array.isArray(part.reasoning_details) ? [part.reasoning_details] : []))
  return {
    ...readEnds(chunks),
    text: joined(parts.map((part) => part.content)),
    reasoning: joined(parts.map(reasoningOf)),
    details: details.length > 0 ? mergeDetails(details.flat()) : undefined,
    calls: assembleCalls(parts.flatMap((part) => part.tool_calls ?? [])),
  }
}

/** An answer that was not streamed: its entries stay as they are. */
export function readBody(body: Chunk): Reading {
  const message = body.choices?.[0]?.message ?? {}
  const reading = readEnds([body])
  const calls = (message.tool_calls ?? []).map((call) => ({
    id: call.id ?? '',
    name: call.function?.name ?? '',
    arguments: call.function?.arguments ?? '',
  }))
  // An answer without anything is none, and is asked for again.
  const isNone = !message.content && calls.length === 0 && reading.finish === undefined
  return {
    ...reading,
    text: message.content ?? '',
    reasoning: reasoningOf(message),
    details: message.reasoning_details ?? undefined,
    calls,
    failed: reading.failed || isNone,
  }
}

function readEnds(chunks: Chunk[]) {
  const reasons = chunks.flatMap((chunk) => chunk.choices?.[0]?.finish_reason ?? [])
  const isFailure = (chunk: Chunk) => Boolean(chunk.error || chunk.choices?.[0]?.error)
  return {
    model: chunks.find((chunk) => chunk.model)?.model ?? 'm/x',
    finish: reasons.at(-1),
    usage: chunks.flatMap((chunk) => chunk.usage ?? []).at(-1),
    failed: chunks.some(isFailure) || reasons.includes('error'),
  }
}

const joined = (texts: (string | null | undefined)[]) => texts.map((text) => text ?? '').join('')

/** The plain string, which repeats what the details say; the details where there is none. */
function reasoningOf({ reasoning, reasoning_content, reasoning_details }: Part): string {
  return (
    reasoning ||
    reasoning_content ||
    joined((reasoning_details ?? []).map((detail) => (detail.text ?? detail.summary) as string | undefined))
  )
}

/** Section 6.3: first what belongs together, in order, then each run as one entry. */
export function mergeDetails(fragments: Detail[]): Detail[] {
  const runs: Detail[][] = []
  for (const fragment of fragments) {
    const run = runs.at(-1)
    if (run && continues(run, fragment)) run.push(fragment)
    else runs.push([fragment])
  }
  return runs.map(mergeRun)
}

function continues(run: Detail[], { type, index, id }: Detail): boolean {
  if (type !== 'reasoning.text' && type !== 'reasoning.summary') return false
  const isAlike = run.every((entry) => entry.type === type && (entry.index ?? null) === (index ?? null))
  return isAlike && new Set([...run.map((entry) => entry.id), id].filter((each) => each)).size <= 1
}

function mergeRun(run: Detail[]): Detail {
  const keys = [...new Set(run.flatMap((entry) => Object.keys(entry)))]
  return Object.fromEntries(
    keys.map((key) => {
      const values = run.map((entry) => entry[key]).filter((value) => value !== null && value !== undefined)
      if (values.length === 0) return [key, null]
      return [key, ['text', 'summary', 'signature'].includes(key) ? values.join('') : values[0]]
    }),
  )
}

/** Section 9.2, rules 1 to 3. */
function assembleCalls(fragments: Fragment[]): Call[] {
  const calls: Call[] = []
  const byIndex: { [index: number]: Call } = {}
  for (const { index, id, function: fn } of fragments) {
    const known = typeof index === 'number' ? byIndex[index] : fn?.name ? undefined : calls.at(-1)
    const isOther = known && id && known.id !== '' && known.id !== id
    const call = known && !isOther ? known : { id: '', name: '', arguments: '' }
    if (call !== known) calls.push(call)
    if (typeof index === 'number') byIndex[index] = call
    call.id ||= id ?? ''
    call.name ||= fn?.name ?? ''
    call.arguments += fn?.arguments ?? ''
  }
  return calls
}

/** Section 6.4.3: a text of Claude whose signature got lost is left out; all else goes back as it came. */
export function sentBack({ details, model }: Reading): Detail[] | undefined {
  return details?.filter(
    (detail) =>
      detail.type !== 'reasoning.text' ||
      (detail.format !== 'anthropic-claude-v1' && !model.includes('claude')) ||
      detail.signature,
  )
}

const finishReasons: Wire = { length: 'length', content_filter: 'content-filter' }

/** Holds what the model made of an answer against the reading. */
export function expectReading({ reply, error, text, reasoning }: Answered, reading: Reading): void {
  expect(text).toBe(reading.text)
  expect(reasoning).toBe(reading.reasoning)
  if (reading.failed) {
    expect(reply).toBeUndefined()
    expect(error?.details.partial).toEqual({ text: reading.text, reasoning: reading.reasoning })
    return
  }
  expect(error).toBeUndefined()
  expect(reply?.content).toBe(reading.text)
  expect(reply?.reasoning ?? '').toBe(reading.reasoning)
  expect(reply?.reasoningDetails).toStrictEqual(reading.details)
  expect(reply?.toolCalls ?? []).toStrictEqual(reading.calls)
  for (const call of reading.calls) expect(JSON.parse(call.arguments || '{}')).toBeTypeOf('object')
  const ended = finishReasons[reading.finish ?? ''] ?? (reading.calls.length > 0 ? 'tool-calls' : 'stop')
  expect(reply?.finishReason).toBe(ended)
  expect(reply?.usage).toStrictEqual(asCounted(reading.usage))
}

function asCounted(usage: Usage | undefined) {
  if (!usage) return undefined
  const { prompt_tokens = 0, completion_tokens = 0, cost, prompt_tokens_details, completion_tokens_details } = usage
  return {
    requests: 1,
    inputTokens: prompt_tokens,
    outputTokens: completion_tokens,
    cachedTokens: prompt_tokens_details?.cached_tokens ?? 0,
    cacheWriteTokens: prompt_tokens_details?.cache_write_tokens ?? 0,
    reasoningTokens: completion_tokens_details?.reasoning_tokens ?? 0,
    ...(cost !== undefined && { usd: cost }),
  }
}
