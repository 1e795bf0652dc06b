/** An agent: a model, its instructions and its tools. It holds no state: every run has its own. */
import { EventEmitter } from 'eventemitter3'
import type { AgentOptions, RunOptions } from './agent-options.ts'
import type { AgentParts, AnyAgentOptions } from './agents-by-name.ts'
import type { Answers } from './answer.ts'
import { type AsToolOptions, agentTool } from './as-tool.ts'
import { checkAgent, checkRun } from './check-agent.ts'
import type { EventOf, EventType } from './event.ts'
import { type Handoff, type HandoffOptions, makeHandoff } from './handoff.ts'
import type { AgentInput } from './input.ts'
import type { RunResult } from './result.ts'
import { toResult } from './result.ts'
import { Run } from './run.ts'
import type { InferOutput, SchemaLike, StandardSchema } from './schema.ts'
import { compileSchema } from './schema.ts'
import type { Session } from './session.ts'
import { startResume, startRun } from './start.ts'
import type { RunState } from './state.ts'
import type { Tool } from './tool.ts'
import { withPlugins } from './with-plugins.ts'

/** The context may be left out by agents whose tools need none. */
type RunArguments<Context> = unknown extends Context
  ? [options?: RunOptions & { context?: Context }]
  : [options: RunOptions & { context: Context }]

/** `Context` is what its tools need of the caller; `Output` what it answers with: a text, where it has no output schema. */
export class Agent<Context = unknown, Output = string> {
  /** As given; spread it to make a variant: `new Agent({ ...agent.options, limits: { usd: 1 } })`. */
  readonly options: AgentOptions<Context, Output>
  readonly #parts: AgentParts
  readonly #emitter = new EventEmitter()

  /** @throws DefinitionError when the agent could not work as defined. */
  constructor(options: AgentOptions<Context, Output>) {
    const whole = withPlugins(options)
    checkAgent(whole as AnyAgentOptions)
    this.options = options
    const { name, output } = whole
    this.#parts = {
      options: whole as AnyAgentOptions,
      output: output && { schema: compileSchema(output, `Output of agent "${name}"`) },
      tell: (event) => {
        this.#emitter.emit(event.type, event)
      },
    }
  }

  get name(): string {
    return this.options.name
  }

  /**
   * Works on `input` until done, waiting or stopped. Await the run for its result, iterate it for its events.
   * Rejects with `InputError`, `SessionError`, `AbortError`, or `RunError` that carries the last good state.
   */
  run(input: AgentInput, ...[options]: RunArguments<Context>): Run<RunResult<Output>> {
    return this.#make(options, (control) => startRun(this.#parts, input, options ?? {}, control))
  }

  /**
   * Goes on with a run that waits, failed or crashed, from its session or from its bare state. Answers are in the log
   * before anything runs. Whoever holds a bare state can resume it again; that an answer counts once needs a session.
   */
  resume(from: Session | RunState, answers: Answers = {}, ...[options]: RunArguments<Context>): Run<RunResult<Output>> {
    return this.#make(options, (control) => startResume(this.#parts, from, answers, options ?? {}, control))
  }

  /**
   * This agent as a tool of another: it is asked, works with its own model, tools and limits, and its answer is the
   * result. Its events come out as `child` events with their path, its usage counts in the run that it works for, and so
   * do that run's limits of dollars, tokens and time. What its calls need, the run needs.
   * @throws DefinitionError for a name or a schema that no provider takes
   */
  asTool<Schema extends SchemaLike = StandardSchema<object, { task: string }>>(
    options: AsToolOptions<Schema, Context> = {},
  ): Tool<InferOutput<Schema>, Context> {
    return agentTool(this.#parts, options)
  }

  /**
   * This agent for the `handoffs` of another, with a name, a description or a filter of its own: when the model calls it,
   * this agent goes on with the run, with its own model, instructions, tools and layers around models and tools. The run's
   * limits, policy and session stay. To list the agent itself does the same with the defaults.
   * @throws DefinitionError for a name that no provider takes
   */
  asHandoff(options: HandoffOptions = {}): Handoff<Context, Output> {
    return makeHandoff(this.name, this.#parts, options)
  }

  /**
   * Calls `listener` on every event of the type in every run of this agent; returns the function that ends it.
   * A listener only watches: what it throws is printed and harms nobody.
   */
  on<Type extends EventType>(type: Type, listener: (event: EventOf<Type>) => void): () => void {
    const report = (error: unknown) =>
      globalThis.console?.error(`A listener on "${type}" of agent "${this.name}" threw:`, error)
    const guarded = (event: EventOf<Type>) => {
      try {
        // A listener may be async, whatever its type says.
        Promise.resolve(listener(event)).catch(report)
      } catch (error) {
        report(error)
      }
    }
    this.#emitter.on(type, guarded)
    return () => {
      this.#emitter.off(type, guarded)
    }
  }

  #make(
    options: RunOptions | undefined,
    start: ConstructorParameters<typeof Run<RunResult<Output>>>[0]['start'],
  ): Run<RunResult<Output>> {
    checkRun(options ?? {}, `Run of agent "${this.name}"`)
    return new Run({
      start,
      toResult: toResult<Output>,
      signal: options?.signal,
    })
  }
}
