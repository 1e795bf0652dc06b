/** Recorded answers served byte for byte: over real HTTP, or through a `fetch` of the test's own. */
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, isClewError, type Model, type ModelErrorDetails, type ModelReply, tool } from '@clew/core'
import type { ChatRequest } from '@clew/testing'
import { type OpenRouterSettings, openrouter } from '../src/index.ts'
import { aRequest } from './ask.ts'

const settings: OpenRouterSettings = { retries: 0 }

export type Served = { pieces: Uint8Array[]; status?: number; contentType?: string }

/** A model whose requests get the given answers, in order. */
export type Play = {
  model(name?: string): Model
  /** The bodies of the requests. */
  bodies: ChatRequest[]
  /** The sizes of the pieces as they reached the client. */
  arrived: number[]
}

/** Answers of one piece. */
export const json = (text: string, status = 200): Served => ({
  pieces: [Buffer.from(text)],
  contentType: 'application/json',
  status,
})
export const events = (text: string): Served => ({ pieces: [Buffer.from(text)] })

/** What ends a run. */
export const plain = events('data: {"choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}')

/** One server for a test file. A piece is sent when the one before has reached the client, so that none coalesce. */
export async function startServing() {
  const routes = new Map<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>()
  const server = createServer((request, response) => {
    routes
      .get(request.url ?? '')?.(request, response)
      .catch((error) => response.destroy(error))
  })
  // It ends no connection by itself: a test that lets no timer fire for seconds would ask on one that ends in this moment.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  function play(answers: Served[]): Play {
    const path = `/${routes.size}`
    const bodies: ChatRequest[] = []
    const arrived: number[] = []
    const client = new EventEmitter()
    let received = 0
    routes.set(`${path}/chat/completions`, async (request, response) => {
      const text: Buffer[] = []
      for await (const part of request) text.push(part as Buffer)
      const answer = answers[bodies.push(JSON.parse(Buffer.concat(text).toString())) - 1]
      if (!answer) throw new Error(`The test has ${answers.length} answers, but was asked for one more.`)
      const { pieces, status = 200, contentType = 'text/event-stream' } = answer
      // A client that left takes no more.
      response.once('close', () => client.emit('arrival'))
      response.writeHead(status, { 'content-type': contentType })
      received = 0
      let sent = 0
      for (const piece of pieces) {
        response.write(piece)
        sent += piece.length
        while (received < sent && !response.destroyed) await once(client, 'arrival')
      }
      response.end()
    })
    const fetchCounted: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      const counter = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          arrived.push(piece.length)
          received += piece.length
          client.emit('arrival')
          controller.enqueue(piece)
        },
      })
      return new Response(response.body?.pipeThrough(counter), response)
    }
    return {
      model: (name = 'm/x') =>
        openrouter(name, { ...settings, baseURL: origin + path, apiKey: 'k', fetch: fetchCounted }),
      bodies,
      arrived,
    }
  }

  const close = async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { play, close }
}

/** A model that gets exactly these pieces, with no network in between. */
export function exactly(pieces: Uint8Array[]): Model {
  const headers = { 'content-type': 'text/event-stream' }
  return openrouter('m/x', { ...settings, apiKey: 'k', fetch: async () => new Response(streamOf(pieces), { headers }) })
}

export function streamOf(pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  const left = pieces.values()
  return new ReadableStream({
    pull(controller) {
      const { done, value } = left.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
}

/** What came of a request: the reply or the error, and what was shown on the way. */
export type Answered = {
  reply?: ModelReply
  error?: { message: string; details: ModelErrorDetails }
  text: string
  reasoning: string
}

export async function answerOf(model: Model, extra: Parameters<typeof aRequest>[0] = {}): Promise<Answered> {
  const answered: Answered = { text: '', reasoning: '' }
  const answer = model.generate(aRequest(extra))
  try {
    for (;;) {
      const next = await answer.next()
      if (next.done) return { ...answered, reply: next.value }
      for (const delta of next.value) {
        if (delta.type === 'text-delta') answered.text += delta.text
        if (delta.type === 'reasoning-delta') answered.reasoning += delta.text
      }
    }
  } catch (error) {
    if (!isClewError(error, 'model')) throw error
    return { ...answered, error: { message: error.message, details: error.details } }
  }
}

/** Runs an agent that has tools of these names on the model, and returns its second request. */
export async function secondRequest(play: Play, model: string, toolNames: string[]): Promise<ChatRequest> {
  const tools = [...new Set(toolNames)].map((name) =>
    tool({ name, input: { type: 'object' }, effect: 'pure', execute: () => 'done' }),
  )
  await new Agent({ name: 'a', model: play.model(model), tools }).run('Hi')
  const second = play.bodies[1]
  if (!second) throw new Error('There was no second request.')
  return second
}

/** For `it.each` with `%s`, which shows a name whole. */
export const named = <Each extends { name: string }>(list: Each[]) => list.map((each) => [each.name, each] as const)

/** Pieces of these sizes, and what is left. */
export function cutAt(bytes: Uint8Array, sizes: number[]): Uint8Array[] {
  let end = 0
  return slices(
    bytes,
    sizes.map((size) => (end += size)),
  )
}

/** Pieces of random sizes, always the same for a seed; one cut at least is inside a character of several bytes, if there are any. */
export function cutAtRandom(bytes: Uint8Array, seed: number): Uint8Array[] {
  const random = mulberry32(seed)
  const largest = 32 * 2 ** (seed % 8)
  const edges: number[] = []
  for (let at = 0; at < bytes.length; at += 1 + Math.floor(random() * largest)) edges.push(at)
  const inside = insideCharacters(bytes)
  if (inside.length > 0) edges.push(inside[Math.floor(random() * inside.length)]!)
  return slices(
    bytes,
    edges.sort((a, b) => a - b),
  )
}

/** The positions at which a cut divides a character. */
export function insideCharacters(bytes: Uint8Array): number[] {
  return [...bytes.keys()].filter((at) => (bytes[at]! & 0xc0) === 0x80)
}

function slices(bytes: Uint8Array, edges: number[]): Uint8Array[] {
  return [...edges, bytes.length]
    .map((end, index) => bytes.subarray(edges[index - 1] ?? 0, end))
    .filter((piece) => piece.length > 0)
}

export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
