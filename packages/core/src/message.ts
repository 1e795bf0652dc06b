/** What the model reads and writes: messages, their parts, tool calls, usage. All of it is plain JSON. */
import type { Json } from './json.ts'

export type TextPart = { type: 'text'; text: string }
/** `url` is an https URL or a data URL. To make one from bytes, a Blob or a file, see `image()` of `@clew/openrouter`. */
export type ImagePart = { type: 'image'; url: string; detail?: 'auto' | 'low' | 'high' }
/** `data` is an https URL or a data URL, for example of a PDF. */
export type FilePart = { type: 'file'; filename: string; data: string }
/** `data` is raw base64, no URL; `format` is for example `wav` or `mp3`. */
export type AudioPart = { type: 'audio'; data: string; format: string }
export type VideoPart = { type: 'video'; url: string }
export type ContentPart = TextPart | ImagePart | FilePart | AudioPart | VideoPart

/** A text, or parts of several kinds. */
export type Content = string | ContentPart[]

/** Accepted as input only when the caller opts in with `allowSystemMessages`; standing words belong in `instructions`. */
export type SystemMessage = { role: 'system'; content: string }
export type UserMessage = { role: 'user'; content: Content }

/**
 * One call of a tool as the model asked for it.
 * `arguments` is always the text of a JSON object: what could not be read was replaced once, on arrival, by `{}`,
 * and a name that no provider accepts back was made legal. `raw` then keeps what the model wrote; it is never sent.
 */
export type ToolCall = {
  /** Ours, unique in the root run. */
  id: string
  /** The provider's, unique in its turn. Opaque. */
  wireId: string
  name: string
  arguments: string
  raw?: { name?: string; arguments?: string }
}

/** Where an assistant message came from. Signed reasoning can be read only by the provider that made it. */
export type Source = { model: string; provider?: string; generationId?: string }

export type AssistantMessage = {
  role: 'assistant'
  content: Content
  /** The reasoning as text, for people. Never sent back. */
  reasoning?: string
  /** `reasoning_details` as received: opaque, in order, sent back unchanged with this message. `[]` is a value, too. */
  reasoningDetails?: Json[]
  toolCalls?: ToolCall[]
  refusal?: string
  annotations?: Json[]
  source?: Source
  /** The answer was left before its end; only its text was kept. */
  aborted?: true
}

/** The result of one call. `callId` is the call's `id`, not the provider's. */
export type ToolMessage = { role: 'tool'; callId: string; name: string; content: Content; isError?: true }

export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage

/** Sums over model calls. Every number is finite; what no answer told is absent (`usd`) or counted in `unreported`. */
export type Usage = {
  /** Model calls made. */
  requests: number
  /** Prompt tokens, cached ones included. */
  inputTokens: number
  /** Completion tokens, reasoning included. */
  outputTokens: number
  cachedTokens: number
  cacheWriteTokens: number
  reasoningTokens: number
  /** US dollars as the provider reported them; absent when it reported none. */
  usd?: number
  /** Model calls whose answer told no usage. Absent when all did. */
  unreported?: number
}

/** Nothing spent. */
export const noUsage: Usage = {
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
}

/** Both together. */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum: Usage = {
    requests: a.requests + b.requests,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  }
  if (a.usd !== undefined || b.usd !== undefined) sum.usd = (a.usd ?? 0) + (b.usd ?? 0)
  if (a.unreported || b.unreported) sum.unreported = (a.unreported ?? 0) + (b.unreported ?? 0)
  return sum
}

const partKeys: { [type: string]: string[] } = {
  text: ['text'],
  image: ['url'],
  file: ['filename', 'data'],
  audio: ['data', 'format'],
  video: ['url'],
}

/** True for a well-formed part of a message's content, with nothing beside what such a part has. */
export function isContentPart(value: unknown): value is ContentPart {
  if (!isRecord(value) || typeof value.type !== 'string' || !Object.hasOwn(partKeys, value.type)) return false
  const keys = partKeys[value.type]!
  const mayHave = ['type', ...keys, ...(value.type === 'image' ? ['detail'] : [])]
  return keys.every((key) => typeof value[key] === 'string') && Object.keys(value).every((key) => mayHave.includes(key))
}

/** The text of a content, its other parts left out. */
export function textOf(content: Content): string {
  if (typeof content === 'string') return content
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function isRecord(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Limits add these up: what is no amount counts as nothing. */
export function receiveUsage(usage: Usage | undefined): Usage {
  if (!usage) return { ...noUsage, requests: 1, unreported: 1 }
  const amounts = Object.entries({ ...noUsage, ...usage }).map(([name, value]) => [
    name,
    typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY ? value : 0,
  ])
  return Object.fromEntries(amounts) as Usage
}
