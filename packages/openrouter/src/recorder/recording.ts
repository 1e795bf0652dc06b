/** A recorded exchange: its form in a file, and the request of a `fetch` call in the same words. */
import type { Json } from '@clew/core'
import { InputError } from '@clew/core'
import { fieldsOf } from '../json.ts'

/** One exchange as a file holds it: the form of the recordings that the tests use. */
export type Recording = {
  source: { host: string; recorded_at: string }
  request: { method: string; path: string; body: Json }
  response: RecordedResponse
}

/** Has exactly one of `body` (a JSON answer), `sse` (the events byte for byte) and `text` (neither). */
export type RecordedResponse = {
  status: number
  headers: { [name: string]: string }
  /** Whitespace that stood before the JSON text. */
  raw_prefix?: string
  body?: Json
  sse?: string
  /** Byte lengths of the network chunks of `sse`. */
  sse_chunk_bytes?: number[]
  text?: string
}

/** @throws InputError naming the file and what is missing in it. */
export function parseRecording(text: string, file: string): Recording {
  const bad = (problem: string, cause?: unknown) =>
    new InputError(`The recording ${file} cannot be replayed: ${problem}. Record it again, or delete it.`, { cause })
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw bad(`it is no JSON (${(cause as Error).message})`, cause)
  }
  const { request, response } = fieldsOf(parsed)
  const { method, path } = fieldsOf(request)
  const { status, headers, sse, text: plain, sse_chunk_bytes: sizes, raw_prefix: prefix } = fieldsOf(response)
  if (typeof method !== 'string') throw bad('request.method is missing')
  if (typeof path !== 'string') throw bad('request.path is missing')
  if (!Number.isInteger(status) || (status as number) < 200 || (status as number) > 599)
    throw bad(`response.status is ${JSON.stringify(status) ?? 'missing'}; it must be 200 to 599`)
  if (typeof headers !== 'object' || headers === null) throw bad('response.headers is missing')
  const answers = ['body', 'sse', 'text'].filter((name) => Object.hasOwn(response as object, name))
  if (answers.length !== 1)
    throw bad(`response has ${answers.join(' and ') || 'none'} of body, sse and text; it must have one`)
  for (const [name, value] of Object.entries({ sse, text: plain, raw_prefix: prefix }))
    if (value !== undefined && typeof value !== 'string') throw bad(`response.${name} is no text`)
  if (sizes !== undefined && !(Array.isArray(sizes) && sizes.every((size) => Number.isInteger(size) && size > 0)))
    throw bad('response.sse_chunk_bytes is no list of byte lengths')
  return parsed as Recording
}

/** A request on its way out. */
export type Sent = {
  method: string
  url: URL
  /** Parsed where it is JSON, else its text; null where there is none, or none that can be read twice. */
  body: Json
  /** The key that it carries. */
  key: string | undefined
}

/** Reads what `fetch` was given, without using up the body of a `Request`. */
export async function readSent(input: RequestInfo | URL, init: RequestInit | undefined): Promise<Sent> {
  const request = input instanceof Request ? input : undefined
  const text = init?.body != null ? textOf(init.body) : request?.body ? request.clone().text() : undefined
  const headers = new Headers(init?.headers ?? request?.headers)
  const authorization = headers.get('authorization') ?? headers.get('x-api-key') ?? headers.get('api-key')
  return {
    method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
    url: new URL(request ? request.url : String(input)),
    key: authorization?.replace(/^Bearer\s+/i, '').trim(),
    body: parseBody(await text),
  }
}

export function signalOf(input: RequestInfo | URL, init: RequestInit | undefined): AbortSignal | undefined {
  return init?.signal ?? (input instanceof Request ? input.signal : undefined)
}

async function textOf(body: BodyInit): Promise<string | undefined> {
  // Reading these two would use them up or change their boundary.
  if (body instanceof ReadableStream || body instanceof FormData) return undefined
  return new Response(body).text()
}

function parseBody(text: string | undefined): Json {
  if (text === undefined || text === '') return null
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** What tells one endpoint from another, whatever the host and its prefix: `GET /models?page=2`, `POST chat/completions`. */
export function endpointOf(method: string, path: string): string {
  if (method === 'GET') return `GET ${path.replace(/^.*?\/v1(?=[/?]|$)/, '')}`
  const segments = path.replace(/\?.*$/, '').split('/')
  return `${method} ${segments
    .filter((segment) => segment !== '')
    .slice(-2)
    .join('/')}`
}
