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
  const isStream = response.body && response.headers.get('content-type')?.includes('text/event-stream')
  const complete = isStream
    ? yield* readStream(response.body, decoder, request.signal)
    : yield* readWhole(response, decoder)
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

/** Returns whether the server said that it was done. */
async function* readStream(
  body: ReadableStream<Uint8Array>,
  decoder: AnswerDecoder,
  signal: AbortSignal,
): AsyncGenerator<ModelDelta[], boolean> {
  try {
    for await (const events of readEvents(body)) {
      const deltas: ModelDelta[] = []
      for (const data of events) {
        if (data === '[DONE]') {
          if (deltas.length > 0) yield deltas
          return true
        }
        if (data.trim() === '') continue
        for (const delta of decoder.push(parseEvent(data, decoder))) deltas.push(delta)
      }
      if (deltas.length > 0) yield deltas
    }
    return false
  } catch (error) {
    if (signal.aborted || isClewError(error)) throw error
    const message = `The answer broke off: ${error instanceof Error ? error.message : String(error)}`
    throw new ModelError(
      message,
      { code: 'incomplete-stream', retryable: true, partial: decoder.partial },
      { cause: error },
    )
  }
}

function parseEvent(data: string, decoder: AnswerDecoder): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    const shown = data.length > 200 ? `${data.slice(0, 200)}…` : data
    throw new ModelError(
      `The stream held an event that is no JSON: ${shown}`,
      { code: 'bad-stream', retryable: true, partial: decoder.partial },
      { cause },
    )
  }
}

/** Some servers answer a streamed request with one JSON text; it may begin with whitespace that kept the line alive. */
async function* readWhole(response: Response, decoder: AnswerDecoder): AsyncGenerator<ModelDelta[], boolean> {
  const text = (await response.text()).trim()
  let whole: unknown
  try {
    whole = JSON.parse(text)
  } catch (cause) {
    const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text
    throw new ModelError(
      `The server's answer is no Chat Completion: ${shown || '(empty)'}`,
      { status: response.status, raw: text.slice(0, 10_000) },
      { cause },
    )
  }
  const deltas = decoder.push(whole)
  if (deltas.length > 0) yield deltas
  return true
}
