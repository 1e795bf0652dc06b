/** `serveHttp()` serves streamable HTTP on this machine, one server of the SDK for each session. */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostHeaderValidation, NodeStreamableHTTPServerTransport, originValidation } from '@modelcontextprotocol/node'
import { localhostAllowedHostnames, localhostAllowedOrigins, type Server } from '@modelcontextprotocol/server'

export type ServeHttpOptions = {
  /** Default: any that is free. */
  port?: number
  /** The address to listen on. Default `127.0.0.1`: whoever reaches it can call every tool. */
  host?: string
  /** Default `/mcp`. */
  path?: string
  /** Names that a request's `Host` may have, without port. Default: this machine's. */
  allowedHosts?: readonly string[]
  /** Host names that a browser's `Origin` may have, without port. Default: this machine's. */
  allowedOrigins?: readonly string[]
  /** Bytes of a request. Default 4 MiB. */
  maxBodyBytes?: number
}

export type HttpService = AsyncDisposable & {
  readonly url: string
  /** Ends all sessions; calls under way are aborted. */
  close(): Promise<void>
}

/** A client that does not come back leaves its session: beyond this many, the one that was used the longest ago ends. */
const maxSessions = 256
const defaultMaxBodyBytes = 4 * 2 ** 20

export async function serveHttp(
  newServer: () => Server,
  { port = 0, host = '127.0.0.1', path = '/mcp', ...options }: ServeHttpOptions = {},
): Promise<HttpService> {
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>()
  const isHostAllowed = hostHeaderValidation([...(options.allowedHosts ?? localhostAllowedHostnames())])
  const isOriginAllowed = originValidation([...(options.allowedOrigins ?? localhostAllowedOrigins())])

  const http = createServer((request, response) => {
    // Against pages that reach this machine through a name of their own (DNS rebinding).
    if (!isHostAllowed(request, response) || !isOriginAllowed(request, response)) return
    if (request.url?.split('?')[0] !== path) {
      refuse(response, 404, `There is nothing here; MCP is at ${path}.`)
      return
    }
    handle(request, response).catch(() => {
      if (!response.headersSent) refuse(response, 500, 'Internal error.')
      else response.destroy()
    })
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = request.headers['mcp-session-id']
    if (id === undefined) return (await newSession()).handleRequest(request, response)
    const session = typeof id === 'string' ? sessions.get(id) : undefined
    if (typeof id !== 'string' || !session) return refuse(response, 404, 'Session not found. Initialize a new one.')
    sessions.delete(id)
    sessions.set(id, session)
    return session.handleRequest(request, response)
  }

  /** It is kept once it is initialized; another request without a session is refused by the transport. */
  async function newSession(): Promise<NodeStreamableHTTPServerTransport> {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      maxRequestBodySize: options.maxBodyBytes ?? defaultMaxBodyBytes,
      onsessioninitialized(id) {
        sessions.set(id, transport)
        const [oldest] = sessions.values()
        if (sessions.size > maxSessions) void oldest?.close()
      },
    })
    await newServer().connect(transport)
    const { onclose } = transport
    transport.onclose = () => {
      if (transport.sessionId !== undefined) sessions.delete(transport.sessionId)
      onclose?.()
    }
    return transport
  }

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, resolve)
  })
  const { port: taken, address, family } = http.address() as AddressInfo

  async function close(): Promise<void> {
    await Promise.all([...sessions.values()].map((session) => session.close()))
    const closed = new Promise((resolve) => http.close(resolve))
    http.closeAllConnections()
    await closed
  }
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}${path}`,
    close,
    [Symbol.asyncDispose]: close,
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message }, id: null }))
}
