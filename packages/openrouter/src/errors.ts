/** Failures of the wire as `ModelError` (section 10.1 of the wire contract). */
import { isClewError, isTooDeep, ModelError } from '@clew/core'
import { errorKind } from './error-kind.ts'
import { type Fields, fieldsOf, isObject, isText } from './json.ts'
import { readHint } from './retry-hint.ts'

/** An error object as OpenRouter and its like send it; every field may be missing or of another type. */
export type WireError = { code?: unknown; message?: unknown; metadata?: unknown; [key: string]: unknown } | string

/** What is known of an error beside its object. */
type Circumstances = { status?: number; headers?: Headers | undefined; cause?: unknown }

/** `[provider] innermost text`, with code, status, kind, and whether and when the same request may succeed. */
export function toModelError(error: WireError, { status, headers, cause }: Circumstances = {}): ModelError {
  const wire = typeof error === 'string' ? { message: error } : error
  const metadata = fieldsOf(wire.metadata)
  const availability = fieldsOf(wire.availability)
  const code = [wire.code, availability.code, metadata.error_type, wire.error_type].find(isCode)
  const known = status ?? statusOf(wire.code) ?? statusOf(wire.http_status)
  const provider = textIn(metadata.provider_name)
  const raw = rawText(metadata.raw)
  const text = innermost(raw) ?? textIn(wire.message) ?? textIn(wire.detail) ?? withoutMessage(wire)
  const types = [metadata.error_type, wire.error_type, wire.code, wire.type]
  const kind = errorKind({
    status: known,
    code,
    types,
    text: `${text}\n${raw}`,
  })
  const generationId = headers?.get('x-generation-id') ?? undefined
  const retryAfterMs = readHint(headers, metadata, availability)
  return new ModelError(
    `${known === undefined ? '' : `${known}: `}${provider ? `[${provider}] ` : ''}${text}${advice(known, text)}`,
    {
      ...(kind && { kind }),
      ...(code !== undefined && { code }),
      ...(known !== undefined && { status: known }),
      ...(provider !== undefined && { provider }),
      ...(raw !== undefined && { raw }),
      ...(generationId !== undefined && { generationId }),
      retryable: isRetryable(known, availability.retryable, text, types),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
    cause === undefined ? undefined : { cause },
  )
}

/** What the `openai` client threw: an answer with an error status, a connection that failed, or something of its own. */
export function fromClientError(error: unknown, baseURL: string): unknown {
  const ours = causes(error).find((cause) => isClewError(cause))
  if (ours) return ours
  const { status, error: body, message, headers } = fieldsOf(error)
  if (typeof status === 'number') {
    const circumstances = { status, headers: headers instanceof Headers ? headers : undefined, cause: error }
    // A gateway in between answers with a page of its own.
    const isPage = body === undefined && /<html|<!doctype/i.test(String(message))
    const hint = status === 404 ? ` ${wrongPath(baseURL)}` : ''
    if (isPage) return toModelError(`The server answered with a web page instead of JSON.${hint}`, circumstances)
    if (isObject(body)) return toModelError(body, circumstances)
    const text = String(body ?? message).replace(new RegExp(`^${status}\\s+`), '')
    return toModelError(hint === '' ? text : `${text}.${hint}`, circumstances)
  }
  const reasons = new Set(causes(error).map((cause) => cause.message.replace(/\.$/, '')))
  return new ModelError(
    `${baseURL} could not be reached: ${[...reasons].join(': ')}. Check the network and the base URL.`,
    { code: 'unreachable', retryable: true },
    { cause: error },
  )
}

/** The commonest mistake: a path without its version. */
export function wrongPath(baseURL: string): string {
  return `Check the base URL (${baseURL}): it usually ends in /v1.`
}

function causes(error: unknown): Error[] {
  const found: Error[] = []
  for (let at = error; at instanceof Error && !found.includes(at); at = at.cause) found.push(at)
  return found
}

/** Section 10.2. What OpenRouter says of it counts first; a limit of the day is not waited for. */
function isRetryable(status: number | undefined, said: unknown, text: string, types: unknown[]): boolean {
  if (typeof said === 'boolean') return said
  if (types.includes('insufficient_quota')) return false
  if (status === 429) return !/per[- ]day|daily/i.test(text)
  // An error within a stream may have a word instead of a number.
  if (status === undefined) return types.some((type) => passingTypes.includes(type as string))
  return status === 408 || status >= 500
}

const passingTypes = [
  'rate_limit_exceeded',
  'timeout',
  'server',
  'server_error',
  'unmapped',
  'provider_unavailable',
  'provider_overloaded',
]

/** What it said instead. */
function withoutMessage(wire: Fields): string {
  const text = rawText(wire)
  const said = text === undefined ? '' : `: ${text.slice(0, 300)}`
  return `The provider reported an error without a message${said}.`
}

function advice(status: number | undefined, text: string): string {
  if (status !== 401) return ''
  return `${text.endsWith('.') ? '' : '.'} Check the API key: the setting apiKey, or the environment variable (OPENROUTER_API_KEY for OpenRouter).`
}

function statusOf(code: unknown): number | undefined {
  const status = typeof code === 'string' ? Number(code) : code
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined
}

function isCode(code: unknown): code is string | number {
  return typeof code === 'number' || isText(code)
}

function rawText(raw: unknown): string | undefined {
  if (raw === undefined || raw === null) return undefined
  if (typeof raw === 'string') return raw
  // Nothing, or nested deeper than the stack is: no words for a person in there.
  return isTooDeep(raw) || Object.keys(raw).length === 0 ? undefined : JSON.stringify(raw)
}

/** The upstream's own words: `raw` is often JSON text around the message that helps. */
function innermost(raw: string | undefined): string | undefined {
  if (raw === undefined || raw.trim() === '') return undefined
  try {
    const parsed = fieldsOf(JSON.parse(raw))
    const inner = parsed.error ?? parsed.message ?? parsed.detail
    return textIn(inner) ?? textIn(fieldsOf(inner).message) ?? raw
  } catch {
    return raw
  }
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}
