/** An agent that works on the calls of another: its own loop, inside the state and the log of the run that it works for. */

import { type AgentParts, gatherAgents } from './agents-by-name.ts'
import { applySealed } from './apply-sealed.ts'
import { type Engine, engine } from './engine.ts'
import { isClewError } from './errors.ts'
import type { RunEvent } from './event.ts'
import { isLogged } from './event.ts'
import { Inbox } from './inbox.ts'
import type { AgentInput } from './input.ts'
import { toMessages } from './input.ts'
import { leftOf, spendOf, within } from './limits.ts'
import { makeWorld } from './make-world.ts'
import type { Content, Message } from './message.ts'
import { runStart, takeOver } from './opening.ts'
import type { RunControl } from './run.ts'
import type { InferOutput, SchemaLike } from './schema.ts'
import type { RunState } from './state.ts'
import { emptyState } from './state.ts'
import { ChildEvent, ChildOutcome, type ParentRun } from './sub-agent.ts'
import { legalise, type Tool, type ToolExecution, type ToolOptions, tool } from './tool.ts'
import { describeError } from './tool-result.ts'
import { settleAfterAbort } from './world.ts'
import { placeOf, wrapRun } from './wrap-run.ts'

export type AsToolOptions<Schema extends SchemaLike, Context> = Pick<
  ToolOptions<Schema, Context>,
  'description' | 'input' | 'needsApproval' | 'expiresMs' | 'maxResultChars'
> & {
  /** Default: the agent's name, made legal. */
  name?: string
  /** What the agent is asked. Default: the `task` of the default input, else the input as JSON. */
  prompt?: (input: InferOutput<Schema>) => AgentInput
}

const taskSchema = {
  type: 'object',
  properties: { task: { type: 'string', description: 'What to do, with all that one needs to know for it.' } },
  required: ['task'],
}

/** Agents that call agents that call agents: more levels than this are a circle. */
const maxLevels = 8

/** @throws DefinitionError for a name or a schema that no provider takes */
export function agentTool<Schema extends SchemaLike, Context>(
  parts: AgentParts,
  options: AsToolOptions<Schema, Context>,
): Tool<InferOutput<Schema>, Context> {
  const { name = legalise(parts.options.name), prompt = defaultPrompt, input = taskSchema, ...rest } = options
  const made = tool<SchemaLike, Context>({
    ...rest,
    name,
    input,
    execute: (given, execution) => work(parts, prompt(given as never), execution),
  } as ToolOptions<SchemaLike, Context>)
  return { ...made, isAgent: true, agent: parts.options } as Tool<InferOutput<Schema>, Context>
}

function defaultPrompt(input: unknown): string {
  const { task } = input as { task?: unknown }
  return typeof task === 'string' && Object.keys(input as object).length === 1 ? task : JSON.stringify(input)
}

async function* work(
  parts: AgentParts,
  input: AgentInput,
  execution: ToolExecution<unknown>,
): AsyncGenerator<ChildEvent, ChildOutcome> {
  const { options: agent, tell } = parts
  const parent = execution.parent as ParentRun
  if (parent.path.length >= maxLevels)
    return failure(`Not run: agents call agents ${maxLevels} levels deep: ${[...parent.path, agent.name].join(' > ')}.`)
  // A private copy: the one in the parent's state belongs to the log.
  const state = parent.child ? structuredClone(parent.child) : emptyState()
  const controller = new AbortController()
  const leave = () => controller.abort(execution.signal.reason)
  if (execution.signal.aborted) leave()
  else execution.signal.addEventListener('abort', leave, { once: true })
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    const { context } = execution
    const until = <Value>(promise: Promise<Value>) => settleAfterAbort(promise, controller.signal)
    const agents = await until(gatherAgents(parts, { context }))
    // Entered again, another agent may be active; for one that is gone, this one is.
    const name = agents.has(state.agent) ? state.agent : agent.name
    const { standing, untrusted, tightens, policy } = parent
    const limits = agent.limits ?? {}
    // Its own limits hold for those below as well.
    const left = () => leftOf(within(limits, spendOf(state), parent.left()), spendOf(state))
    const control = { controller, timedOut: false, inbox: new Inbox() }
    timer = timeOut(control, limits.ms)
    const place = {
      runId: state.id || parent.newId(),
      path: [...parent.path, name],
      left,
      standing,
      // Where no run keeps what it has read, its own state does.
      untrusted: () => untrusted() || state.untrusted === true,
      tightens,
      policy,
      tell,
      control,
    }
    const world = await until(makeWorld(agents, name, { context }, place))
    const run: Engine = { state, opening: [], limits, world, left: parent.left }
    if (state.id === '') run.opening.push(await until(runStart(agent, world.runId, context, toMessages(input))))
    else if (state.agent !== name) run.opening.push(await until(takeOver(agent, context)))
    const call = { runId: execution.runId, id: execution.idempotencyKey }
    const { signal } = controller
    for await (const together of wrapRun(agent.use ?? [], state, () => driveInside(run), placeOf(run, call), signal)) {
      for (const event of together) {
        event.path = run.world.path
        yield new ChildEvent(event)
        run.world.tell(event)
      }
    }
    return outcomeOf(agent.name, state)
  } catch (error) {
    if (isClewError(error, 'fatal')) throw error
    return failure(`Agent "${agent.name}" failed: ${describeError(error)}`)
  } finally {
    clearTimeout(timer)
    execution.signal.removeEventListener('abort', leave)
  }
}

/** Its own time, from when it is entered on. */
function timeOut(control: RunControl, ms: number | undefined): ReturnType<typeof setTimeout> | undefined {
  if (ms === undefined || ms >= 2 ** 31) return undefined
  return setTimeout(() => {
    if (control.controller.signal.aborted) return
    control.timedOut = true
    control.controller.abort(new DOMException('limits.ms is reached', 'TimeoutError'))
  }, ms)
}

/** The parent's run stands in the place of the journal: what is yielded is durable when it goes on. */
async function* driveInside(start: Engine): AsyncGenerator<RunEvent[], void> {
  for await (const events of engine(start)) {
    yield events
    for (const event of events) if (isLogged(event)) applySealed(start.state, event)
  }
}

/** What the caller's model reads. */
function outcomeOf(name: string, { status, stop, output, lastWords, messages }: RunState): ChildOutcome {
  const text = lastWords?.text || lastWords?.refusal || ''
  switch (status) {
    case 'done':
      if (output !== undefined) return new ChildOutcome({ content: JSON.stringify(output) })
      return new ChildOutcome({
        content: withMedia(messages.at(-1)) ?? (text || `Agent "${name}" has nothing to say.`),
      })
    case 'stopped':
      return failure(
        `Agent "${name}" was stopped (${stop}) before it was done.${text === '' ? '' : ` So far:\n${text}`}`,
      )
    case 'waiting':
      return new ChildOutcome({ content: '', waiting: true })
    default:
      return failure(`Aborted: the run ended while agent "${name}" worked. It may have taken effect.`)
  }
}

/** An answer that is more than text, such as a generated image. */
function withMedia(last: Message | undefined): Content | undefined {
  if (last?.role !== 'assistant' || typeof last.content === 'string') return undefined
  return last.content.some((part) => part.type !== 'text') ? last.content : undefined
}

function failure(content: string): ChildOutcome {
  return new ChildOutcome({ content, isError: true })
}
