/** The public face of `@clew/core`. */
export { Agent } from './agent.ts'
export type { AgentOptions, FromContext, HandoffTarget, RunOptions } from './agent-options.ts'
export { type Answers, approve, deny, failed, needsOf, respond, retry } from './answer.ts'
export type { AsToolOptions } from './as-tool.ts'
export { type CallToolOptions, callTool } from './call-tool.ts'
export { decide, type Step } from './decide.ts'
export {
  AbortError,
  ClewError,
  type ClewErrorKind,
  DefinitionError,
  FatalError,
  fatal,
  InputError,
  isClewError,
  ModelError,
  type ModelErrorDetails,
  RunError,
  SessionError,
  SessionWaiting,
} from './errors.ts'
export {
  type Answer,
  type AnswerGiven,
  type Batch,
  type Child,
  type Compacted,
  type EventBase,
  type EventOf,
  type EventType,
  type Fork,
  type HandoffTaken,
  isLogged,
  type LiveEvent,
  type LoggedEvent,
  type ModelAborted,
  type ModelEnd,
  type ModelFailed,
  type ModelRestart,
  type Need,
  type OutputInvalid,
  type RunEnd,
  type RunEvent,
  type RunStart,
  type Steer,
  type ToolEnd,
  type ToolInputDelta,
  type ToolInputEnd,
  type ToolInputStart,
  type ToolProgress,
  type ToolStart,
  type ToolWait,
  type TurnStart,
  type Unsaved,
} from './event.ts'
export type { Handoff, HandoffOptions } from './handoff.ts'
export { checkHistory, repairHistory } from './history.ts'
export type { Receipt } from './inbox.ts'
export type { AgentInput } from './input.ts'
export { isTooDeep, type Json, type JsonSchema } from './json.ts'
export type { Limits, Spend } from './limits.ts'
export {
  type AssistantMessage,
  type AudioPart,
  addUsage,
  type Content,
  type ContentPart,
  type FilePart,
  type ImagePart,
  type Message,
  noUsage,
  type Source,
  type SystemMessage,
  type TextPart,
  type ToolCall,
  type ToolMessage,
  textOf,
  type Usage,
  type UserMessage,
  type VideoPart,
} from './message.ts'
export type { Compaction, HistoryView, Middleware, RunPlace, ToolRequest } from './middleware.ts'
export type { FinishReason, Model, ModelDelta, ModelReply, ModelRequest, Stop, ToolChoice, ToolSpec } from './model.ts'
export {
  definePlugin,
  describePlugin,
  type Plugin,
  type PluginFactory,
  type PluginFacts,
  type PluginOptions,
} from './plugin.ts'
export {
  type Capabilities,
  type CommandOptions,
  type CommandResult,
  type HostParts,
  makeHost,
  type PluginHost,
} from './plugin-host.ts'
export { fold, reduce } from './reduce.ts'
export type { RunResult } from './result.ts'
export type { Run } from './run.ts'
export type { InferOutput, SchemaLike, StandardSchema } from './schema.ts'
export { type Lease, memorySession, type Session } from './session.ts'
export {
  emptyState,
  type PendingCall,
  type RunState,
  type RunStatus,
  type Standing,
  type StopReason,
  type WaitFor,
} from './state.ts'
export { type Effect, type Tool, type ToolExecution, type ToolOptions, tool } from './tool.ts'
export { describeError, type ToolOutcome } from './tool-result.ts'
