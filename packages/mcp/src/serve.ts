/** `serveMcp()` offers tools and agents of ours as an MCP server. */
import { DefinitionError, type Json, type Tool } from '@clew/core'
import {
  type LoggingLevel,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { answerCall } from './answer-call.ts'
import type { Elicitation, ElicitationAnswer } from './options.ts'
import { type HttpService, type ServeHttpOptions, serveHttp } from './serve-http.ts'
import { toRemote } from './to-remote.ts'

export type ServeOptions<Context = unknown> = {
  /** What the server calls itself. */
  name: string
  /** Default `0.0.0`. */
  version?: string
  /** How the tools are to be used, for those who connect. */
  instructions?: string
  /** Tools, and agents as `agent.asTool({ description: '…' })`. */
  tools: readonly Tool<never, Context>[]
  /** What tools get as `execution.context`, made anew for each call. */
  context?: (caller: Caller) => Context
}

/** Who calls, and what can be asked of them while their call is worked on. */
export type Caller = {
  /** What the client says of itself. */
  readonly client: { readonly name: string; readonly version: string } | undefined
  /** The session of streamable HTTP. */
  readonly sessionId: string | undefined
  /** `_meta` of the call, for example `{ traceparent }`. A stranger's word. */
  readonly meta: { readonly [key: string]: Json }
  /** A line for the client's log, if it wants lines of this level. */
  log(level: LoggingLevel, data: Json): Promise<void>
  /** Asks the person at the client. Rejects where the client cannot. */
  elicit(request: Elicitation): Promise<ElicitationAnswer>
  /** Asks the client's model. Rejects where the client does not let us. */
  sample(request: { prompt: string; maxTokens: number }): Promise<string>
}

export type McpService = {
  /** Speaks over this process's standard input and output: nothing else may write to stdout. Over when the input ends. */
  stdio(): Promise<{ closed: Promise<void>; close(): Promise<void> }>
  http(options?: ServeHttpOptions): Promise<HttpService>
}

/**
 * A call goes through the same door as an agent's: input is checked, timeouts and the cap on results hold. What needs
 * approval is asked of the person at the client, and refused where the client cannot ask.
 * @throws DefinitionError for two tools of one name, and for a tool without `execute`.
 */
export function serveMcp<Context = unknown>(options: ServeOptions<Context>): McpService {
  checkTools(options.tools)
  const newServer = () => connectable(options)
  return {
    async stdio() {
      const server = newServer()
      const closed = new Promise<void>((resolve) => {
        server.onclose = resolve
      })
      await server.connect(new StdioServerTransport())
      return { closed, close: () => server.close() }
    },
    http: (given) => serveHttp(newServer, given),
  }
}

/** One for each connection: the SDK keeps what was negotiated in it. */
function connectable<Context>(options: ServeOptions<Context>): Server {
  const { name, version = '0.0.0', instructions, tools } = options
  const server = new Server(
    { name, version },
    { capabilities: { tools: {}, logging: {} }, ...(instructions !== undefined && { instructions }) },
  )
  server.setRequestHandler('tools/list', async () => ({ tools: await Promise.all(tools.map(toRemote)) }))
  server.setRequestHandler('tools/call', async ({ params }, call) => {
    const context = options.context?.(callerOf(server, call))
    return answerCall(params, call, { tools: tools as readonly Tool<never, never>[], caller: name, context })
  })
  return server
}

function callerOf(server: Server, { mcpReq, sessionId }: ServerContext): Caller {
  const { progressToken: _, ...meta } = mcpReq._meta ?? {}
  return {
    client: server.getClientVersion(),
    sessionId,
    meta: meta as Caller['meta'],
    log: (level, data) => mcpReq.log(level, data),
    async elicit(asked) {
      const { action, content } = await mcpReq.elicitInput(
        asked.mode === 'url'
          ? { ...asked, elicitationId: crypto.randomUUID() }
          : { mode: 'form', message: asked.message, requestedSchema: asked.schema as never },
        { signal: mcpReq.signal },
      )
      return action === 'accept' ? { action, ...(content && { content }) } : { action }
    },
    async sample({ prompt, maxTokens }) {
      const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: prompt } }]
      const { content } = await mcpReq.requestSampling({ messages, maxTokens }, { signal: mcpReq.signal })
      const [first] = [content].flat()
      if (first?.type === 'text') return first.text
      throw new ProtocolError(
        ProtocolErrorCode.InternalError,
        'The client’s model answered with something else than text.',
      )
    },
  }
}

function checkTools(tools: readonly Tool<never, never>[]): void {
  const names = new Set<string>()
  for (const { name, execute } of tools) {
    if (names.has(name)) throw new DefinitionError(`serveMcp(): there are two tools "${name}". Rename one.`)
    if (!execute) {
      throw new DefinitionError(`serveMcp(): tool "${name}" has no execute, and over MCP nobody else can answer it.`)
    }
    names.add(name)
  }
}
