/** The public face of `@clew/mcp`. */
export { type McpServer, mcp } from './mcp.ts'
export type {
  Elicitation,
  ElicitationAnswer,
  HttpOptions,
  McpOptions,
  McpTool,
  PerTool,
  SamplingOptions,
  SharedOptions,
  StdioOptions,
} from './options.ts'
export { type Caller, type McpService, type ServeOptions, serveMcp } from './serve.ts'
export type { HttpService, ServeHttpOptions } from './serve-http.ts'
