/** An MCP server over HTTP without the SDK: it says what a test has it say, true or not. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Sent = {
  id?: number
  method: string
  params: { [key: string]: never } & { name?: string; _meta?: unknown }
}

/** What to do with a request: `result` and `error` answer it, `stream` opens an event stream, `response` is all of HTTP. */
export type Reply = {
  result(result: unknown): void
  error(code: number, message: string, data?: unknown): void
  stream(): { send(message: object): void; raw(text: string): void; end(): void }
  response: ServerResponse
}

type Script = {
  tools?: unknown[]
  capabilities?: object
  /** What stands in the answer to `initialize` beside. */
  about?: object
  /** True when it took the request upon itself. */
  on?: (sent: Sent, reply: Reply) => true | undefined
  call?: (sent: Sent, reply: Reply) => void
}

export async function rawServer(script: Script) {
  const received: Sent[] = []
  const sessions = new Set<string>()
  const headers: { [name: string]: unknown }[] = []
  let waiting: { met(sent: Sent): boolean; resolve(sent: Sent): void }[] = []
  let listening: ServerResponse | undefined
  const opened = Promise.withResolvers<void>()

  const http = createServer(async (request, response) => {
    if (request.url !== '/mcp') {
      response.writeHead(404).end('Nothing here')
      return
    }
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      listening = response
      opened.resolve()
      return
    }
    if (request.method === 'DELETE') {
      sessions.delete(String(request.headers['mcp-session-id']))
      response.writeHead(200).end()
      return
    }
    let body = ''
    for await (const chunk of request) body += chunk
    const sent = JSON.parse(body) as Sent
    received.push(sent)
    headers.push(request.headers)
    const { id } = sent
    const answer = (message: object) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...message }))
    }
    const reply: Reply = {
      response,
      result: (result) => answer({ result }),
      error: (code, message, data) => answer({ error: { code, message, ...(data !== undefined && { data }) } }),
      stream() {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
        const raw = (text: string) => void response.write(text)
        return {
          raw,
          send: (message) => raw(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`),
          end: () => void response.end(),
        }
      },
    }
    for (const each of waiting.filter(({ met }) => met(sent))) each.resolve(sent)
    waiting = waiting.filter(({ met }) => !met(sent))
    if (script.on?.(sent, reply)) return
    const session = request.headers['mcp-session-id']
    if (sent.method !== 'initialize' && (typeof session !== 'string' || !sessions.has(session))) {
      response.writeHead(404).end('Session not found')
    } else if (id === undefined || !('method' in sent)) response.writeHead(202).end()
    else if (sent.method === 'initialize') {
      const name = `session-${received.filter(({ method }) => method === 'initialize').length}`
      sessions.add(name)
      response.setHeader('mcp-session-id', name)
      reply.result({
        protocolVersion: '2025-11-25',
        capabilities: { tools: { listChanged: true }, ...script.capabilities },
        serverInfo: { name: 'raw', version: '1' },
        ...script.about,
      })
    } else if (sent.method === 'tools/list') reply.result({ tools: script.tools ?? [plain('act')] })
    else if (sent.method === 'tools/call' && script.call) script.call(sent, reply)
    else reply.error(-32601, 'Method not found')
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    received,
    headers,
    script,
    /** As after a restart: no session is known any more. */
    forget: () => sessions.clear(),
    sessions,
    /** The next request of this kind. */
    next: (method: string) =>
      new Promise<Sent>((resolve) => waiting.push({ met: (sent) => sent.method === method, resolve })),
    /** On the stream that the client holds open for what is not an answer. */
    async tell(message: object) {
      await opened.promise
      listening?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
    },
    count: (method: string) => received.filter((sent) => sent.method === method).length,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A tool that takes anything. */
export function plain(name: string, more: object = {}) {
  return { name, description: `The tool ${name}.`, inputSchema: { type: 'object' }, ...more }
}
