/** OpenRouter on localhost: Chat Completions and embeddings over real HTTP, JSON and SSE, as strict as the providers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { answerEmbeddings, type RespondEmbeddings } from './embeddings.ts'
import type { LocalError, LocalRaw, LocalReply, LocalStream, ReceivedRequest, Respond } from './reply.ts'
import type { ChatRequest } from './strict.ts'
import { Upstream } from './upstream.ts'

export type LocalOpenRouterOptions = {
  /** Answers in order, or a function that answers every request. */
  respond: readonly (LocalReply | Respond)[] | Respond
  /** The only key that is let in. Default: any. */
  apiKey?: string
  /** What `GET /models` lists, as on the wire. Default: nothing. */
  models?: readonly object[]
  /** Answers `POST /embeddings`. Default: vectors of 1,536 numbers, or as many as asked for, near each other for texts with words in common. */
  embeddings?: RespondEmbeddings
}

export type LocalOpenRouter = {
  /** For `baseURL`: `http://127.0.0.1:PORT/api/v1`. */
  url: string
  /** The chat requests that came, refused ones included. */
  requests: ReceivedRequest[]
  /** The requests for embeddings that came, refused ones included. Their `body` has `model`, `input` and what else was sent. */
  embeddings: (Omit<ReceivedRequest, 'body'> & { body: { [field: string]: unknown } })[]
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
  const embeddings: LocalOpenRouter['embeddings'] = []
  const upstream = new Upstream(options.respond)
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      const message = `The local server's script failed: ${error instanceof Error ? error.message : String(error)}`
      if (response.headersSent) response.destroy()
      // 400, because asking again would not help.
      else send(response, { status: 400, error: { message, code: 400 } })
    })
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readBody(request)
    const refused = refuseAtTheDoor(request, options.apiKey)
    if (refused) return send(response, refused)
    if (request.method === 'GET') return send(response, { body: JSON.stringify({ data: options.models ?? [] }) })
    const received = receive(request, response, text)
    if (request.url === embeddingsPath) {
      const turn = embeddings.push(received)
      return send(response, await answerEmbeddings(received.body, turn, options.embeddings))
    }
    requests.push(received)
    await send(response, await upstream.answer(received))
  }

  // It ends no connection by itself: a program that lets no timer fire for seconds would ask on one that ends in this moment.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  const unref = () => {
    server.on('connection', (socket) => socket.unref())
    server.unref()
  }
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/api/v1`
  return { url, requests, embeddings, close, unref, [Symbol.asyncDispose]: close }
}

const embeddingsPath = '/api/v1/embeddings'
const routes = ['POST /api/v1/chat/completions', `POST ${embeddingsPath}`, 'GET /api/v1/models']

/** Keys and routes. */
function refuseAtTheDoor({ method, url, headers }: IncomingMessage, apiKey?: string): LocalError | undefined {
  const route = `${method} ${url}`
  const key = headers.authorization?.match(/^Bearer\s+(\S+)$/i)?.[1]
  // The list of models is for everybody.
  if (route === 'GET /api/v1/models' && key === undefined) return undefined
  if (!key) return { status: 401, error: { message: 'Missing Authentication header', code: 401 } }
  if (apiKey !== undefined && key !== apiKey) return { status: 401, error: { message: 'User not found.', code: 401 } }
  if (routes.includes(route)) return undefined
  return { status: 404, error: { message: `No route ${route}`, code: 404 } }
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
    port: request.socket.remotePort ?? 0,
    closed,
  }
}

async function send(response: ServerResponse, reply: LocalError | LocalRaw | LocalStream): Promise<void> {
  if ('chunks' in reply) return sendStream(response, reply)
  const { status = 200, headers } = reply
  const type = 'body' in reply ? (reply.contentType ?? 'application/json') : 'application/json'
  const body =
    'body' in reply ? reply.body : JSON.stringify({ error: { code: status, ...reply.error }, user_id: 'user_local' })
  response.writeHead(status, { 'content-type': type, ...headers }).end(body)
}

async function sendStream(
  response: ServerResponse,
  { chunks, done = true, headers, pace = 0 }: LocalStream,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...headers })
  for (const chunk of chunks) {
    if (response.destroyed) return
    const line = typeof chunk === 'string' ? chunk : JSON.stringify(chunk)
    response.write(line.startsWith(':') ? `${line}\n\n` : `data: ${line}\n\n`)
    // A client that left must not keep the process alive.
    if (pace > 0) await delay(pace, undefined, { ref: false })
  }
  response.end(done ? 'data: [DONE]\n\n' : undefined)
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('utf8')
}
