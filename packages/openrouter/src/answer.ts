/** One answer over HTTP: the request goes out, and what comes back is decoded while it comes (sections 1, 7 and 8 of the wire contract). */
import type { ModelDelta, ModelReply } from '@clew/core'
import { isClewError, isTooDeep, ModelError } from '@clew/core'
import type OpenAI from 'openai'
import type { StreamLimits } from './bounded-reader.ts'
import { AnswerDecoder } from './decode.ts'
import { fromClientError, wrongPath } from './errors.ts'
import type { Attempt } from './retry.ts'
import { readEvents, readText } from './sse.ts'

export type Exchange = {
  client: OpenAI
  model: string
  body: string
  signal: AbortSignal
  limits: StreamLimits | undefined
  thinkTags: boolean
}

/** @throws ModelError for every kind of failure, with what had arrived; nothing of a failed answer is a reply. */
export async function* answer(
  { client, model, body, signal, limits, thinkTags }: Exchange,
  attempt: Attempt,
): AsyncGenerator<ModelDelta[], ModelReply> {
  attempt.whole = false
  const response = await post(client, body, signal)
  const headerId = response.headers.get('x-generation-id') ?? undefined
  const decoder = new AnswerDecoder(model, { headerId, thinkTags })
  const pieces = isEventStream(response)
    ? readStream(response.body, decoder, limits)
    : readWhole(response, decoder, limits)
  let complete = false
  try {
    for (;;) {
      const next = await pieces.next()
      if (next.done) {
        complete = next.value
        break
      }
      attempt.shown = true
      yield next.value
    }
  } catch (error) {
    if (signal.aborted || (isClewError(error) && !isClewError(error, 'model'))) throw error
    // Finish and usage are there: what broke off is the connection, not the answer.
    if (!decoder.isSettled) throw decoder.failed(brokenOff(error))
  } finally {
    await pieces.return(false)
  }
  // Set not before it is read: a connection that breaks off is no last word.
  attempt.whole = !isEventStream(response)
  const { deltas, reply } = decoder.finish(complete)
  if (deltas.length > 0) yield deltas
  return reply
}

/** What happened on the way, as an error that may pass. */
export function brokenOff(error: unknown): ModelError {
  if (isClewError(error, 'model')) return error
  const message = `The answer broke off: ${error instanceof Error ? error.message : String(error)}.`
  return new ModelError(message, { code: 'incomplete-stream', retryable: true }, { cause: error })
}

async function post(client: OpenAI, body: string, signal: AbortSignal): Promise<Response> {
  try {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
    return await client.post('/chat/completions', { body, headers, signal, maxRetries: 0, stream: true }).asResponse()
  } catch (error) {
    if (signal.aborted) throw error
    throw fromClientError(error, client.baseURL)
  }
}

/** Everything is a stream but JSON and pages: some servers leave the content type out, or name another. */
function isEventStream(response: Response): response is Response & { body: ReadableStream<Uint8Array> } {
  return response.body !== null && !/json|html/i.test(response.headers.get('content-type') ?? '')
}

type Limits = StreamLimits | undefined

/** Returns whether the server said that it was done. */
async function* readStream(
  body: ReadableStream<Uint8Array>,
  decoder: AnswerDecoder,
  limits: Limits,
): AsyncGenerator<ModelDelta[], boolean> {
  const stream = readEvents(body, limits)
  let next = await stream.events.next()
  try {
    while (!next.done) {
      const deltas: ModelDelta[] = []
      let last: ModelDelta[] = []
      let failure: ModelError | undefined
      for (const data of next.value) {
        const chunk = parseEvent(data)
        if (chunk instanceof ModelError) {
          failure = chunk
          break
        }
        last = decoder.push(chunk)
        for (const delta of last) deltas.push(delta)
      }
      // Some hosts tell finish and usage in every event: while events bring something, they get more time.
      if (decoder.isSettled) stream.hurry(last.length === 0 ? 'bare' : 'full')
      if (deltas.length > 0) yield deltas
      // What came before it was shown, however the network cut the stream.
      if (failure) throw failure
      next = await stream.events.next()
    }
    return next.value
  } finally {
    await stream.events.return(false)
  }
}

/** An event that cannot be taken is an error to be thrown when what came before it was shown. */
function parseEvent(data: string): unknown {
  let event: unknown
  try {
    event = JSON.parse(data)
  } catch (cause) {
    const message = `The stream held an event that is no JSON: ${excerpt(data)}`
    return new ModelError(message, { code: 'bad-stream', retryable: true }, { cause })
  }
  // What cannot be written again cannot be sent back. Short events are not looked at: there are thousands of them.
  if (data.length > 1000 && isTooDeep(event))
    return new ModelError('The stream held an event that is nested too deep.', { code: 'bad-stream', retryable: true })
  return event
}

/** Some servers answer a streamed request with one JSON text; it may begin with whitespace that kept the line alive. */
async function* readWhole(
  response: Response,
  decoder: AnswerDecoder,
  limits: Limits,
): AsyncGenerator<ModelDelta[], boolean> {
  const text = (await readText(response.body, limits)).trim()
  let whole: unknown
  try {
    whole = JSON.parse(text)
  } catch (cause) {
    // A stream under the name of JSON.
    if (/^(data|event|id|retry)?:/.test(text)) return yield* readStream(new Blob([text]).stream(), decoder, limits)
    const isPage = /<html|<!doctype/i.test(text)
    const hint = isPage ? ` ${wrongPath(response.url.replace(/\/chat\/completions$/, ''))}` : ''
    const message = `The server's answer is no Chat Completion: ${excerpt(text) || '(empty)'}${hint}`
    throw new ModelError(message, { status: response.status, raw: text.slice(0, 10_000) }, { cause })
  }
  if (isTooDeep(whole)) throw new ModelError("The server's answer is nested too deep.", { status: response.status })
  const deltas = decoder.push(whole)
  if (deltas.length > 0) yield deltas
  return true
}

function excerpt(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
