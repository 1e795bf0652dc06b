/** What the local server answers, and how that looks on the wire: one JSON text, or the events of a stream. */
import type { IncomingHttpHeaders } from 'node:http'
import type { ChatRequest } from './strict.ts'

/** A generated answer. */
export type LocalAnswer = {
  text?: string
  /** Whole entries; streamed in fragments as OpenRouter does, a signature in a fragment of its own. */
  reasoningDetails?: { type: string; [key: string]: unknown }[]
  /** `arguments` may be a text, to play a model that writes bad JSON. Ids are made where left out. */
  calls?: { id?: string; name: string; arguments?: unknown }[]
  finishReason?: string | null
  nativeFinishReason?: string | null
  refusal?: string
  annotations?: unknown[]
  /** Over what the server counts by itself; null leaves usage out. */
  usage?: { [field: string]: unknown } | null
  /** Display name of the upstream. */
  provider?: string
  /** Milliseconds between the chunks of a stream. */
  pace?: number
}
type ExtraHeaders = { [name: string]: string }

/** An HTTP error before any output. */
export type LocalError = {
  status: number
  error: { message: string; code?: unknown; metadata?: unknown }
  headers?: ExtraHeaders
}
/** A stream byte for byte: JSON texts or objects as events, texts that begin with ":" as comments. `done: false` leaves `[DONE]` out. */
export type LocalStream = { chunks: (string | object)[]; done?: boolean; headers?: ExtraHeaders; pace?: number }
/** A body as it is, under any status and content type. */
export type LocalRaw = { body: string; status?: number; contentType?: string; headers?: ExtraHeaders }
export type LocalReply = string | LocalAnswer | LocalError | LocalStream | LocalRaw

export type ReceivedRequest = {
  method: string
  path: string
  headers: IncomingHttpHeaders
  /** The body byte for byte, as text. */
  text: string
  body: ChatRequest
  /** The client's port: requests with the same one came over the same connection. */
  port: number
  /** Resolves when the exchange is over; `aborted` when the client left before the answer was whole. */
  closed: Promise<'complete' | 'aborted'>
}

export type Respond = (
  request: ChatRequest,
  info: { turn: number; received: ReceivedRequest },
) => LocalReply | Promise<LocalReply>

export type Envelope = { id: string; model: string; provider: string; created: number; usage: object | null }

export function toJsonBody(answer: LocalAnswer, calls: object[], envelope: Envelope): object {
  const { reasoningDetails } = answer
  const { usage, ...rest } = envelope
  return {
    ...rest,
    object: 'chat.completion',
    system_fingerprint: null,
    choices: [
      {
        index: 0,
        logprobs: null,
        ...finishOf(answer),
        message: {
          role: 'assistant',
          content: answer.text ?? '',
          refusal: answer.refusal ?? null,
          reasoning: reasoningDetails ? plainReasoning(reasoningDetails) : null,
          ...(reasoningDetails && { reasoning_details: reasoningDetails }),
          ...(calls.length > 0 && { tool_calls: calls.map((call, index) => ({ index, ...call })) }),
          ...(answer.annotations && { annotations: answer.annotations }),
        },
      },
    ],
    ...(usage && { usage }),
  }
}

/** The shape of August 2026: role and content in every chunk, the finish reason twice, usage in the last chunk. */
export function* toChunks(answer: LocalAnswer, calls: WireCallOut[], envelope: Envelope): Generator<object> {
  const { usage, ...rest } = envelope
  const chunk = (delta: object, finish: object = { finish_reason: null, native_finish_reason: null }) => ({
    ...rest,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { role: 'assistant', content: '', ...delta }, ...finish, logprobs: null }],
  })
  for (const fragment of fragmentsOf(answer.reasoningDetails ?? [])) {
    yield chunk({ reasoning: plainReasoning([fragment]), reasoning_details: [fragment] })
  }
  for (const content of piecesOf(answer.text ?? '', 24)) yield chunk({ content })
  if (answer.refusal) yield chunk({ refusal: answer.refusal })
  for (const [index, { function: fn, ...call }] of calls.entries()) {
    yield chunk({ content: null, tool_calls: [{ index, ...call, function: { name: fn.name, arguments: '' } }] })
    for (const piece of piecesOf(fn.arguments, 20))
      yield chunk({ content: null, tool_calls: [{ index, type: 'function', function: { arguments: piece } }] })
  }
  if (answer.annotations) yield chunk({ annotations: answer.annotations })
  const finish = finishOf(answer)
  yield chunk({}, finish)
  if (usage) yield { ...chunk({}, finish), usage }
}

export type WireCallOut = { id: string; type: 'function'; function: { name: string; arguments: string } }

function finishOf({ finishReason, nativeFinishReason, calls }: LocalAnswer) {
  const reason = finishReason === undefined ? (calls?.length ? 'tool_calls' : 'stop') : finishReason
  return { finish_reason: reason, native_finish_reason: nativeFinishReason === undefined ? reason : nativeFinishReason }
}

/** Text and summaries in pieces with the entry's other keys, then the signature without text; all else whole. */
function* fragmentsOf(
  details: NonNullable<LocalAnswer['reasoningDetails']>,
): Generator<{ type: string; [key: string]: unknown }> {
  for (const detail of details) {
    const key = detail.type === 'reasoning.text' ? 'text' : detail.type === 'reasoning.summary' ? 'summary' : undefined
    const text = key && detail[key]
    if (!key || typeof text !== 'string') {
      yield detail
      continue
    }
    const { [key]: _, signature, ...shared } = detail
    for (const piece of text === '' ? [''] : piecesOf(text, 40)) yield { ...shared, type: detail.type, [key]: piece }
    if (signature !== undefined) yield { ...shared, type: detail.type, signature }
  }
}

function plainReasoning(details: readonly { [key: string]: unknown }[]): string | null {
  const texts = details.map((detail) => detail.text ?? detail.summary).filter((text) => typeof text === 'string')
  return texts.length > 0 ? texts.join('') : null
}

/** Pieces of about `size` characters; no piece ends inside a surrogate pair. */
export function piecesOf(text: string, size: number): string[] {
  const pieces: string[] = []
  let piece = ''
  for (const character of text) {
    piece += character
    if (piece.length >= size) {
      pieces.push(piece)
      piece = ''
    }
  }
  if (piece !== '') pieces.push(piece)
  return pieces
}
