/** `McpOptions`: which server, and what it may ask of us. */
import type { Effect, Json, Model, Tool, ToolOptions } from '@clew/core'
import type { AuthProvider, OAuthClientProvider } from '@modelcontextprotocol/client'

/** A program on this machine that speaks MCP over its standard input and output. */
export type StdioOptions = {
  /** A program or script on the PATH, run without a shell. On Windows, `npx` and other `.cmd` files work as well. */
  command: string
  args?: readonly string[]
  /** Added to the few variables that are harmless to inherit (PATH, HOME, …). Nothing else of ours reaches the server. */
  env?: { readonly [name: string]: string }
  cwd?: string
}

/** A server that is reached over streamable HTTP. */
export type HttpOptions = {
  url: string | URL
  headers?: { readonly [name: string]: string }
  /** OAuth of the SDK, or `{ token }` that gives a bearer token. */
  authProvider?: AuthProvider | OAuthClientProvider
  /**
   * Called after `authProvider` sent the person to the authorisation server: resolves with the query of the URL that the
   * person came back to. Without it, a server that wants authorisation is an error that says so.
   */
  waitForAuthorization?: () => Promise<URLSearchParams>
  /** In the place of the global `fetch`, for proxies and guards. */
  fetch?: (url: string | URL, init?: RequestInit) => Promise<Response>
}

export type McpOptions = (StdioOptions | HttpOptions) & SharedOptions

export type SharedOptions = {
  /**
   * Stands before the name of each tool: `files_read`. Default: the name that the server gives itself. Give your own where
   * the tools' names must not depend on the server's word; `''` for none.
   */
  name?: string
  /** Milliseconds without an answer and without progress after which a call fails. Default 60,000. */
  timeoutMs?: number
  /** Milliseconds that a call may take in all, whatever progress is told. Default: one hour. */
  maxMs?: number
  /** What the host knows better of a tool than its server says. Hints of the server count for nothing by themselves. */
  perTool?: (tool: McpTool) => PerTool
  /** Goes out with each call as `_meta`, for example `{ traceparent }` (W3C Trace Context). */
  meta?: (call: { tool: string; id: string; runId: string }) => { [key: string]: Json }
  /** Asks the person that a server wants to know something of. Without it, such questions are declined. */
  onElicitation?: (request: Elicitation, execution: { signal: AbortSignal }) => Promise<ElicitationAnswer>
  /** Lets the server ask a model of ours. Without it, it cannot. */
  sampling?: SamplingOptions
  /** Folders that the server is told to work in. A wish, no fence. */
  roots?: readonly string[]
  /** Hears of tools that cannot be used, and of other things that a developer should know. Default: a process warning. */
  onWarning?: (message: string) => void
  /** Called when the server has changed its list and the new one is in `tools()`. */
  onToolsChanged?: (tools: readonly Tool[]) => void
}

/** A tool as its server describes it. All of it is a stranger's word. */
export type McpTool = {
  /** The server's own name. */
  name: string
  title?: string
  description: string
  inputSchema: { [key: string]: unknown }
  /** It can be called as a task only (an experiment of revision 2025-11-25). */
  isTask?: true
  annotations: { readOnlyHint?: boolean; destructiveHint?: boolean; idempotentHint?: boolean; openWorldHint?: boolean }
}

export type PerTool = {
  /** Default `once`. `tool.annotations.readOnlyHint ? 'pure' : 'once'` trusts the server. */
  effect?: Effect
  needsApproval?: ToolOptions<{ [key: string]: unknown }, unknown>['needsApproval']
  maxResultChars?: number
}

/** A server's question to the person. `schema` is flat JSON Schema of the answer; `url` is a page to visit. */
export type Elicitation =
  | { mode: 'form'; message: string; schema: { [key: string]: unknown } }
  | { mode: 'url'; message: string; url: string }

/** `content` fits the schema; for a URL it is left out. `cancel` when the person went away without an answer. */
export type ElicitationAnswer =
  | { action: 'accept'; content?: { [key: string]: string | number | boolean | string[] } }
  | { action: 'decline' | 'cancel' }

export type SamplingOptions = {
  model: Model
  /** Requests of the server that are answered in all. Default 10. */
  maxRequests?: number
  /** Most tokens of one answer, at four characters each; the server may ask for less. Default 2,000. */
  maxTokens?: number
  /** Characters of one request. Default 50,000. */
  maxInputChars?: number
  /** US dollars in all, as the model reports them. When they are spent, no more requests are answered. */
  maxUsd?: number
  /** Asks a person before the model is asked. */
  allow?: (request: { instructions?: string; text: string }) => boolean | Promise<boolean>
}

export const defaultTimeoutMs = 60_000
/** For everything but calls: what begins a line, and lists. */
export const requestTimeoutMs = 60_000
export const defaultMaxMs = 3_600_000
