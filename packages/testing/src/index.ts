/** The public face of `@clew/testing`. */
export type { LocalAnswer, LocalError, LocalRaw, LocalReply, LocalStream } from './reply.ts'
export {
  type LocalOpenRouter,
  type LocalOpenRouterOptions,
  type ReceivedRequest,
  type Respond,
  startOpenRouter,
} from './server.ts'
export type { ChatRequest, WireCall, WireMessage, WireTool } from './strict.ts'
