/** The seam to a language model. A stranger implements `Model`; Clew's own is `openrouter()` of `@clew/openrouter`. */
import type { Json, JsonSchema } from './json.ts'
import type { Content, Message, Source, Usage } from './message.ts'

/** Whether the model may, may not or must call a tool, or the name of the tool that it must call. */
export type ToolChoice = 'auto' | 'none' | 'required' | (string & {})

/** A tool as the model sees it. */
export type ToolSpec = { name: string; description?: string; parameters: JsonSchema; strict?: boolean }

export type ModelRequest = {
  instructions?: string
  /** The history to send. Each message object is immutable, so its encoded form may be kept by identity. */
  messages: readonly Message[]
  tools: readonly ToolSpec[]
  /** Absent where there are no tools. */
  toolChoice?: ToolChoice
  /** The shape that the final answer must have. */
  output?: JsonSchema
  /** Random, and the same for all requests of a conversation: the runs of a session, or one run. For sticky routing. */
  conversation?: string
  /** The run that asks. */
  runId?: string
  signal: AbortSignal
}

/**
 * A piece of an answer under way. `index` is the position of a call in this answer.
 * `model-restart`: what was shown of this answer so far is void, it begins again; `usage` is what the failed try cost.
 */
export type ModelDelta =
  | { type: 'text-delta'; text: string }
  | { type: 'reasoning-delta'; text: string }
  | { type: 'tool-input-start'; index: number; name: string }
  | { type: 'tool-input-delta'; index: number; text: string }
  | { type: 'tool-input-end'; index: number }
  | { type: 'model-restart'; reason: string; usage?: Usage }

/**
 * Why the answer ended. `tool-calls` whenever there are calls, whatever the provider said; `other` for words that are
 * not known (the provider's own word is in `rawFinishReason`). With `length` and `content-filter` the answer was cut.
 */
export type FinishReason = 'stop' | 'tool-calls' | 'length' | 'content-filter' | 'other'

/** How a middleware ends the run: `by` for programs, `reason` for people. The model never reads it. */
export type Stop = { by: 'loop' | 'guard'; reason: string }

/** A whole answer. Calls are as the provider gave them; core makes ids unique and arguments readable. */
export type ModelReply = {
  content: Content
  reasoning?: string
  reasoningDetails?: Json[]
  toolCalls?: { id?: string; name: string; arguments: string }[]
  refusal?: string
  annotations?: Json[]
  /** One entry a token, as the provider sent them, when they were asked for. */
  logprobs?: Json[]
  finishReason: FinishReason
  rawFinishReason?: string
  /** Absent when the provider told none. */
  usage?: Usage
  source: Source
  /** Set by a middleware: the run ends with this answer, its calls are not run. Left empty, it stays out of the history. */
  stop?: Stop
}

export interface Model {
  readonly id: string
  /** Who serves it, for people who watch: `openrouter`. */
  readonly provider?: string
  /**
   * One answer. Yields one array of deltas for each network chunk and returns the whole reply. Retries, if any, are the
   * model's own, and each is told by a `model-restart`. Throws `ModelError`.
   */
  generate(request: ModelRequest): AsyncGenerator<ModelDelta[], ModelReply>
  /** Tokens that its context holds, where that is known. */
  contextTokens?(): number | undefined
  /** About how many US dollars the request's input will cost; asked before it is made when `limits.usd` is set. */
  estimateUsd?(request: ModelRequest): number | undefined
}
