/** The public face of `@clew/testing`. */
export { type CrashScenario, crashChild } from './crash-child.ts'
export type { CrashFigures } from './crash-judge.ts'
export { type CrashReport, crashKit } from './crash-kit.ts'
export type { CrashWorld } from './crash-world.ts'
export type { LocalAnswer, LocalError, LocalRaw, LocalReply, LocalStream, ReceivedRequest, Respond } from './reply.ts'
export { type LocalOpenRouter, type LocalOpenRouterOptions, startOpenRouter } from './server.ts'
export { type ContractCase, sessionContract } from './session-contract.ts'
export type { ChatRequest, WireCall, WireMessage, WireTool } from './strict.ts'
