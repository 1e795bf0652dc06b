/**
 * Middleware wraps a run, a model call or a tool call. Each layer is an async generator that does
 * `return yield* next(…)`; the first in the list stands outermost. What a layer returns is what is logged.
 */
import { DefinitionError } from './errors.ts'
import type { RunEvent } from './event.ts'
import type { Json } from './json.ts'
import type { Content, Message, ToolCall, Usage } from './message.ts'
import type { ModelDelta, ModelReply, ModelRequest, ToolSpec } from './model.ts'
import type { RunState } from './state.ts'
import type { Budget } from './sub-agent.ts'
import type { Tool, ToolExecution } from './tool.ts'
import type { ToolOutcome } from './tool-result.ts'

/** One call on its way to its tool. `input` has been validated; a layer that changes it answers for what it puts there. */
export type ToolRequest = { tool: Tool<never, never>; input: unknown; call: ToolCall; execution: ToolExecution }

/** The history before a model call, as a compaction sees it. */
export type HistoryView = {
  messages: readonly Message[]
  instructions?: string
  tools: readonly ToolSpec[]
  /** What the provider counted for the last request and its answer, and how many messages of the history that was. */
  counted?: { tokens: number; messages: number }
  /** Tokens that the model's context holds, where that is known. */
  contextTokens?: number
  /** There when the provider refused the request as too long: it is made once more with what comes of this. */
  overflow?: boolean
  signal: AbortSignal
}

/** `replacement` stands in the place of the first `upTo` messages; what stood there stays in the log. `usage`: what a summary cost. */
export type Compaction = { upTo: number; replacement: Message[]; usage?: Usage }

/** Where a run stands, for the layers around it. */
export type RunPlace = {
  readonly runId: string
  /** The agents from the root to the one that is asked. */
  readonly path: readonly string[]
  /** The caller's own data, given to `agent.run`. */
  readonly context: unknown
  /** The run was begun before, maybe by another process; `state` is its own. */
  readonly isResumed: boolean
  /** For a sub-agent: the call that it works on, and the run of that call. */
  readonly call?: { readonly runId: string; readonly id: string }
  /** What is left of the limits that all agents of the run share. To be asked once the run has begun. */
  left(): Budget
  /** Kept in the log with the run's start, and found in `state.kept` when the run is resumed. Only before `next()`. */
  keep(name: string, text: string): void
}

export type Middleware = {
  name: string
  /**
   * Around the whole run; the events that pass are already in the log. `state` is the state at its start, and goes on with
   * the run: look, and change nothing.
   */
  run?(state: RunState, next: () => AsyncGenerator<RunEvent[], void>, place: RunPlace): AsyncGenerator<RunEvent[], void>
  model?(
    request: ModelRequest,
    next: (request: ModelRequest) => AsyncGenerator<ModelDelta[], ModelReply>,
  ): AsyncGenerator<ModelDelta[], ModelReply>
  /**
   * Every result before it is logged, whoever gave it: a tool, a person, or Clew, which tells the model of its mistakes.
   * When it throws, the result is withheld.
   */
  result?(content: Content): Content
  /** Makes the history shorter, before a turn begins. What it returns is logged, and holds from then on. */
  compact?(view: HistoryView): Compaction | undefined | Promise<Compaction | undefined>
  /** Yields progress, returns the outcome. An error thrown here becomes an error result for the model. */
  tool?(
    request: ToolRequest,
    next: (request: ToolRequest) => AsyncGenerator<Json, ToolOutcome>,
  ): AsyncGenerator<Json, ToolOutcome>
}

type Layer<Request, Result> = (request: Request, next: (request?: Request) => Result, place?: RunPlace) => Result

type Kind = 'run' | 'model' | 'tool'

/**
 * One function out of the layers of one kind around `inner`.
 * @throws DefinitionError (the function) when a layer is not an async generator.
 */
export function compose<Request, Result extends AsyncGenerator>(
  use: readonly Middleware[],
  kind: Kind,
  inner: (request: Request) => Result,
  place?: RunPlace,
): (request: Request) => Result {
  return use.reduceRight<(request: Request) => Result>((next, middleware) => {
    if (!middleware[kind]) return next
    return (request) => {
      const layer = middleware[kind]?.bind(middleware) as unknown as Layer<Request, Result>
      const result = layer(request, (changed = request) => next(changed), place)
      if (typeof result?.next === 'function') return result
      throw new DefinitionError(
        `Middleware "${middleware.name}": ${kind}() is no async generator. Write async *${kind}(request, next) { return yield* next(request) }.`,
      )
    }
  }, inner)
}
