import type { Answer, Need, Unsaved } from './event.ts'
import type { Handoff } from './handoff.ts'
import type { Limits } from './limits.ts'
import type { Middleware } from './middleware.ts'
import type { Model, ToolChoice } from './model.ts'
import type { Plugin } from './plugin.ts'
import type { StandardSchema } from './schema.ts'
import type { Session } from './session.ts'
import type { Tool } from './tool.ts'

/** A value, or a function of the caller's context that is evaluated once per run. */
export type FromContext<Value, Context> = Value | ((context: Context) => Value | Promise<Value>)

export type AgentOptions<Context = unknown, Output = string> = {
  name: string
  /** For example `openrouter('qwen/qwen3.5-9b')`. */
  model: Model
  /** The standing words to the model. */
  instructions?: FromContext<string, Context>
  tools?: FromContext<readonly Tool<never, Context>[], Context>
  /** Packages of tools, see `definePlugin()`: their tools, instructions and middleware are added to the agent's own. */
  plugins?: readonly Plugin[]
  /**
   * Agents that the talk can move on to, and does not come back from: agents, or `agent.asHandoff({ … })`. A list in a
   * function may name agents that are defined further down.
   */
  handoffs?: FromContext<readonly HandoffTarget<Context, NoInfer<Output>>[], Context>
  /**
   * Is asked before a person is: what it answers holds, and with `undefined` the run waits. It stands for the whole run,
   * sub-agents and handoffs included. When it throws, the run waits, and the need says why.
   */
  policy?: (need: Need, context: Context) => Answer | undefined | Promise<Answer | undefined>
  /**
   * Once a tool that is `untrusted` has answered, tools that send or write (those with `sends`, and all whose `effect` is
   * not `pure`) need an approval. It stands for the whole run, sub-agents and handoffs included, and for later runs of the
   * session. Default: off.
   */
  tightenOnUntrusted?: boolean
  /** The shape of the answer: it is asked of the model, checked, and asked for once more when it does not fit. */
  output?: StandardSchema<unknown, Output>
  /** `auto`, `none`, `required` or a tool's name. A forced choice holds for the first turn, later ones are `auto`. */
  toolChoice?: ToolChoice
  /** Default: 20 turns. */
  limits?: Limits
  /** Middleware; the first stands outermost. */
  use?: readonly Middleware[]
  /** Tool calls of a turn that run at once. Default 64. */
  concurrency?: number
}

/** An agent, or what its `asHandoff()` makes. */
export type HandoffTarget<Context, Output> = Handoff<Context, Output> | { asHandoff(): Handoff<Context, Output> }

export type RunOptions = {
  /** The log to append to, and to go on from. */
  session?: Session
  /** Aborts the run. */
  signal?: AbortSignal
  /** Over those of the agent, one by one. */
  limits?: Limits
  /** For `resume`: what a `RunError` carried that could not be appended; it is appended first, once. */
  unsaved?: Unsaved
  /** Accept messages with the role `system` in the input. Only for messages that you wrote yourself. */
  allowSystemMessages?: boolean
}
