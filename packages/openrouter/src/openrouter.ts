/** `openrouter(model, settings)`: a model on OpenRouter, or on any server that speaks Chat Completions. */
import type { Model, ModelDelta, ModelReply, ModelRequest } from '@clew/core'
import { DefinitionError, isClewError, ModelError } from '@clew/core'
import type OpenAI from 'openai'
import { makeClient, openRouterURL } from './client.ts'
import { AnswerDecoder } from './decode.ts'
import { encodeRequest } from './encode.ts'
import { fromClientError } from './errors.ts'
import type { OpenRouterSettings } from './settings.ts'
import { toWireParameters } from './settings.ts'
import { readEvents } from './sse.ts'

export const defaultModel = 'qwen/qwen3.5-9b'

/**
 * The request is streamed always, so that an abort ends it everywhere and a long answer never looks dead.
 * @throws DefinitionError for a setting that cannot be sent. A missing key is told at the first request.
 */
export function openrouter(model: string = defaultModel, settings: OpenRouterSettings = {}): Model {
  const where = `openrouter(${JSON.stringify(model)})`
  if (typeof model !== 'string' || model.trim() === '')
    throw new DefinitionError(`${where}: give a model id such as "${defaultModel}".`)
  const parameters = toWireParameters(settings, where)
  // The default model thinks or not depending on who hosts it; its card asks to say it.
  if (model.split(':')[0] === defaultModel) parameters.reasoning ??= { enabled: true }
  let client: Promise<OpenAI> | undefined
  return {
    id: model,
    async *generate(request) {
      client ??= makeClient(settings)
      // A client that could not be made (no key yet) is tried again at the next request.
      client.catch(() => (client = undefined))
      return yield* answer(await client, model, parameters, request)
    },
  }
}

async function* answer(
  client: OpenAI,
  model: string,
  parameters: { [field: string]: unknown },
  request: ModelRequest,
): AsyncGenerator<ModelDelta[], ModelReply> {
  const decoder = new AnswerDecoder(model)
  const response = await post(client, encodeRequest(model, parameters, request), request.signal)
  let complete: boolean
  try {
    complete = isEventStream(response) ? yield* readStream(response.body, decoder) : yield* readWhole(response, decoder)
  } catch (error) {
    if (request.signal.aborted || isClewError(error)) throw error
    // Finish and usage are there: what broke off is the connection, not the answer.
    if (decoder.isSettled) return yield* end(decoder, false)
    const message = `The answer broke off: ${error instanceof Error ? error.message : String(error)}.`
    const { partial } = decoder
    throw new ModelError(message, { code: 'incomplete-stream', retryable: true, partial }, { cause: error })
  }
  return yield* end(decoder, complete)
}

async function* end(decoder: AnswerDecoder, complete: boolean): AsyncGenerator<ModelDelta[], ModelReply> {
  const { deltas, reply } = decoder.finish(complete)
  if (deltas.length > 0) yield deltas
  return reply
}

async function post(client: OpenAI, body: string, signal: AbortSignal): Promise<Response> {
  try {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
    return await client.post('/chat/completions', { body, headers, signal, maxRetries: 0, stream: true }).asResponse()
  } catch (error) {
    if (signal.aborted) throw error
    throw fromClientError(error, client.baseURL || openRouterURL)
  }
}

/** Everything is a stream but JSON and pages: some servers leave the content type out, or name another. */
function isEventStream(response: Response): response is Response & { body: ReadableStream<Uint8Array> } {
  return response.body !== null && !/json|html/i.test(response.headers.get('content-type') ?? '')
}

/** Returns whether the server said that it was done. */
async function* readStream(
  body: ReadableStream<Uint8Array>,
  decoder: AnswerDecoder,
): AsyncGenerator<ModelDelta[], boolean> {
  const stream = readEvents(body)
  let next = await stream.events.next()
  try {
    while (!next.done) {
      const deltas: ModelDelta[] = []
      let last: ModelDelta[] = []
      for (const data of next.value) {
        last = decoder.push(parseEvent(data, decoder))
        for (const delta of last) deltas.push(delta)
      }
      // Some hosts tell finish and usage in every event: while events bring something, they get more time.
      if (decoder.isSettled) stream.hurry(last.length === 0 ? 'bare' : 'full')
      if (deltas.length > 0) yield deltas
      next = await stream.events.next()
    }
    return next.value
  } finally {
    await stream.events.return(false)
  }
}

function parseEvent(data: string, decoder: AnswerDecoder): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    const details = { code: 'bad-stream', retryable: true, partial: decoder.partial }
    throw new ModelError(`The stream held an event that is no JSON: ${excerpt(data)}`, details, { cause })
  }
}

/** Some servers answer a streamed request with one JSON text; it may begin with whitespace that kept the line alive. */
async function* readWhole(response: Response, decoder: AnswerDecoder): AsyncGenerator<ModelDelta[], boolean> {
  const text = (await response.text()).trim()
  let whole: unknown
  try {
    whole = JSON.parse(text)
  } catch (cause) {
    const message = `The server's answer is no Chat Completion: ${excerpt(text) || '(empty)'}`
    throw new ModelError(message, { status: response.status, raw: text.slice(0, 10_000) }, { cause })
  }
  const deltas = decoder.push(whole)
  if (deltas.length > 0) yield deltas
  return true
}

function excerpt(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
