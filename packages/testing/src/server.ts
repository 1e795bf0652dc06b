/** OpenRouter on localhost: Chat Completions over real HTTP, JSON and SSE, as strict as the providers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Envelope, LocalError, LocalReply, LocalStream, WireCallOut } from './reply.ts'
import { toChunks, toJsonBody } from './reply.ts'
import type { ChatRequest } from './strict.ts'
import { callIds, isSigned, refusal } from './strict.ts'
import { countUsage } from './usage.ts'

export type ReceivedRequest = {
  method: string
  path: string
  headers: IncomingMessage['headers']
  /** The body byte for byte, as text. */
  text: string
  body: ChatRequest
  /** Resolves when the exchange is over; `aborted` when the client left before the answer was whole. */
  closed: Promise<'complete' | 'aborted'>
}

export type Respond = (
  request: ChatRequest,
  info: { turn: number; received: ReceivedRequest },
) => LocalReply | Promise<LocalReply>

export type LocalOpenRouterOptions = {
  /** Answers in order, or a function that answers every request. */
  respond: readonly (LocalReply | Respond)[] | Respond
  /** The only key that is let in. Default: any. */
  apiKey?: string
}

export type LocalOpenRouter = {
  /** For `baseURL`: `http://127.0.0.1:PORT/api/v1`. */
  url: string
  /** The chat requests that came, refused ones included. */
  requests: ReceivedRequest[]
  close(): Promise<void>
  /** Lets the process end while the server is open. */
  unref(): void
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts the server on 127.0.0.1 and a free port. What a provider would refuse is answered with 400 and its reason: calls
 * without results, signed reasoning that is missing or changed, ids twice, a second system message, bad schemas, …
 */
export async function startOpenRouter(options: LocalOpenRouterOptions): Promise<LocalOpenRouter> {
  const requests: ReceivedRequest[] = []
  const signed = new Map<string, unknown[][]>()
  let turns = 0
  let bodyBefore = ''

  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      const message = error instanceof Error ? error.message : String(error)
      if (response.headersSent) response.destroy()
      else
        sendError(response, {
          status: 500,
          error: { message: `The local server's script failed: ${message}`, code: 500 },
        })
    })
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request
    const text = await readBody(request)
    const key = headers.authorization?.match(/^Bearer\s+(\S+)$/i)?.[1]
    if (!key)
      return sendError(response, { status: 401, error: { message: 'Missing Authentication header', code: 401 } })
    if (options.apiKey !== undefined && key !== options.apiKey)
      return sendError(response, { status: 401, error: { message: 'User not found.', code: 401 } })
    if (method === 'GET' && path === '/api/v1/models') return sendJson(response, { data: [] })
    if (method !== 'POST' || path !== '/api/v1/chat/completions') {
      return sendError(response, { status: 404, error: { message: `No route ${method} ${path}`, code: 404 } })
    }
    const received = receive(request, response, text)
    requests.push(received)
    const problem = refusal(received.body, (ids) => signed.get(ids))
    if (problem)
      return sendError(response, {
        status: 400,
        error: { message: problem, code: 400, metadata: { provider_name: 'Localhost' } },
      })
    turns += 1
    // Its own number: others come in while an answer is awaited.
    const turn = turns
    const reply = await nextReply(received, turn)
    await send(response, received, typeof reply === 'string' ? { text: reply } : reply, turn)
  }

  async function nextReply(received: ReceivedRequest, turn: number): Promise<LocalReply> {
    const { respond } = options
    const entry = typeof respond === 'function' ? respond : respond[turn - 1]
    if (entry === undefined) throw new Error(`it has ${respond.length} answers, but was asked for answer ${turn}`)
    return typeof entry === 'function' ? entry(received.body, { turn, received }) : entry
  }

  async function send(
    response: ServerResponse,
    received: ReceivedRequest,
    reply: Exclude<LocalReply, string>,
    turn: number,
  ): Promise<void> {
    if ('error' in reply) return sendError(response, reply)
    if ('body' in reply) {
      response
        .writeHead(reply.status ?? 200, { 'content-type': reply.contentType ?? 'application/json' })
        .end(reply.body)
      return
    }
    if ('chunks' in reply) return sendStream(response, reply)
    const calls = (reply.calls ?? []).map((call, index): WireCallOut => {
      const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {})
      return {
        id: call.id ?? `call_${turn}_${index}`,
        type: 'function',
        function: { name: call.name, arguments: text },
      }
    })
    if (calls.length > 0 && reply.reasoningDetails && isSigned(reply.reasoningDetails)) {
      const ids = callIds(calls)
      // A copy as it goes over the wire: the script may go on to change its own.
      signed.set(ids, [...(signed.get(ids) ?? []), JSON.parse(JSON.stringify(reply.reasoningDetails))])
    }
    const counted =
      reply.usage === null ? null : { ...countUsage(received.text, bodyBefore, reply, calls), ...reply.usage }
    bodyBefore = received.text
    const envelope: Envelope = {
      id: `gen-${turn}`,
      provider: reply.provider ?? 'Localhost',
      model: received.body.model ?? 'local',
      created: Math.floor(Date.now() / 1000),
      usage: counted,
    }
    if (received.body.stream)
      return sendStream(response, {
        chunks: [': OPENROUTER PROCESSING', ...toChunks(reply, calls, envelope)],
        pace: reply.pace ?? 0,
      })
    // Lines of spaces keep the connection alive before the JSON text.
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(`\n         \n${JSON.stringify(toJsonBody(reply, calls, envelope))}`)
  }

  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/api/v1`,
    requests,
    close,
    unref: () => server.unref(),
    [Symbol.asyncDispose]: close,
  }
}

function receive(request: IncomingMessage, response: ServerResponse, text: string): ReceivedRequest {
  const closed = new Promise<'complete' | 'aborted'>((resolve) => {
    response.once('close', () => resolve(response.writableFinished ? 'complete' : 'aborted'))
  })
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    // Refused by the checks, which find no object.
  }
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    text,
    body: body as ChatRequest,
    closed,
  }
}

async function sendStream(response: ServerResponse, { chunks, done = true, pace = 0 }: LocalStream): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  for (const chunk of chunks) {
    if (response.destroyed) return
    const line = typeof chunk === 'string' ? chunk : JSON.stringify(chunk)
    response.write(line.startsWith(':') ? `${line}\n\n` : `data: ${line}\n\n`)
    // A client that left must not keep the process alive.
    if (pace > 0) await delay(pace, undefined, { ref: false })
  }
  response.end(done ? 'data: [DONE]\n\n' : undefined)
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function sendError(response: ServerResponse, { status, error, headers }: LocalError): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ error: { code: status, ...error }, user_id: 'user_local' }))
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('utf8')
}
