/** How a run begins: the agent's parts are made ready, and a session's log becomes a state. */
import { nanoid } from 'nanoid'
import type { Answers } from './answer.ts'
import { answerEvents, needsOf } from './answer.ts'
import { InputError, SessionError, SessionWaiting } from './errors.ts'
import type { LoggedEvent } from './event.ts'
import type { AgentInput } from './input.ts'
import { toMessages } from './input.ts'
import type { Start } from './journal.ts'
import type { Limits } from './limits.ts'
import { leftOf, spendOf } from './limits.ts'
import { type AnyAgentOptions, type AnyRunOptions, fromContext, makeWorld, type Output } from './make-world.ts'
import { fold } from './reduce.ts'
import type { Leaving } from './run.ts'
import type { Session } from './session.ts'
import type { RunState } from './state.ts'
import { emptyState } from './state.ts'
import { defaultMaxResultChars } from './tool.ts'
import { describeError } from './tool-result.ts'

export function startRun(
  agent: AnyAgentOptions,
  output: Output,
  input: AgentInput,
  options: AnyRunOptions,
  leaving: Leaving,
): Promise<Start> {
  return leased(options.session, async () => {
    // A copy: what the caller does with its objects later changes neither the state nor what is sent.
    const messages = copyPlain(toMessages(input, options.allowSystemMessages), 'The input')
    const { state, at } = await load(options.session)
    if (state.status === 'waiting') throw new SessionWaiting(options.session?.id ?? '', needsOf(state))
    const { world, limits } = await rootWorld(agent, output, options, leaving, state, nanoid())
    const { instructions } = agent
    const words = await fromContext(instructions, options, `instructions of agent "${agent.name}"`)
    const opening: LoggedEvent[] = []
    // A run that failed or crashed before is closed first: its open calls get a stated result.
    if (state.id !== '' && state.status === 'running') opening.push({ type: 'run-end', status: 'aborted' })
    opening.push({
      type: 'run-start',
      v: 1,
      id: world.runId,
      agent: agent.name,
      ...(words !== undefined && words !== '' && { instructions: words }),
      input: messages,
    })
    return { state, at, opening, world, limits, session: options.session }
  })
}

export function startResume(
  agent: AnyAgentOptions,
  output: Output,
  from: Session | RunState,
  answers: Answers,
  options: AnyRunOptions,
  leaving: Leaving,
): Promise<Start> {
  const session = isSession(from) ? from : undefined
  return leased(session, async () => {
    if (session && options.unsaved) await session.append(options.unsaved.at, options.unsaved)
    const { state, at } = session ? await load(session) : { state: copyState(from as RunState), at: 0 }
    if (state.id === '')
      throw new SessionError(
        `Session "${session?.id}" is empty: there is nothing to resume. Begin with agent.run(input, { session }).`,
      )
    if (state.status === 'aborted')
      throw new SessionError('The run was aborted, so it cannot be resumed. Go on with agent.run(input, { session }).')
    if (state.agent !== agent.name) {
      throw new SessionError(
        `This run is of agent "${state.agent}", not of "${agent.name}". Resume it with the agent that began it.`,
      )
    }
    const { world, limits } = await rootWorld(agent, output, options, leaving, state, state.id)
    const opening = answerEvents(
      state,
      answers,
      (tool) => world.tools.get(tool)?.maxResultChars ?? defaultMaxResultChars,
    )
    return { state, at, opening, world, limits, session }
  })
}

/** The world of a run that no other run holds: its budget and its standing approvals are those of its own state. */
async function rootWorld(
  agent: AnyAgentOptions,
  output: Output,
  options: AnyRunOptions,
  leaving: Leaving,
  state: RunState,
  runId: string,
) {
  const limits = mergeLimits(agent.limits, options.limits)
  const world = await makeWorld(agent, output, options, {
    runId,
    leaving,
    path: [agent.name],
    left: () => leftOf(limits, spendOf(state)),
    standing: () => state.standing ?? [],
  })
  return { world, limits }
}

/** No other live worker runs on the session meanwhile, where its store can keep them apart. */
async function leased(session: Session | undefined, begin: () => Promise<Start>): Promise<Start> {
  const lease = await session?.acquire?.()
  try {
    return { ...(await begin()), lease }
  } catch (error) {
    await lease?.release()
    throw error
  }
}

async function load(session: Session | undefined): Promise<{ state: RunState; at: number }> {
  if (!session) return { state: emptyState(), at: 0 }
  const { events, at } = await session.read().catch((cause) => {
    throw new SessionError(`Session "${session.id}" could not be read: ${describeError(cause)}`, { cause })
  })
  for (const event of events) {
    if (event.type === 'run-start' && event.v !== 1) {
      throw new SessionError(
        `Session "${session.id}" was written by another version of Clew (its events are v${event.v}, this reads v1). Update Clew to open it.`,
      )
    }
  }
  return { state: fold(events), at }
}

/** One by one; a limit that is there but undefined switches nothing off. */
function mergeLimits(ofAgent: Limits = {}, ofRun: Limits = {}): Limits {
  const given = Object.entries(ofRun).filter(([, value]) => value !== undefined)
  return { ...ofAgent, ...Object.fromEntries(given) }
}

function isSession(from: Session | RunState): from is Session {
  return typeof from === 'object' && from !== null && 'read' in from
}

function copyState(state: RunState): RunState {
  const { v, messages, pending, id } = (typeof state === 'object' && state) || ({} as Partial<RunState>)
  if (v !== 1) {
    throw new SessionError(
      `This is no state that this version of Clew can read: its v is ${JSON.stringify(v)}, not 1. Give a session, or result.state as an object.`,
    )
  }
  if (!Array.isArray(messages) || !Array.isArray(pending) || typeof id !== 'string') {
    throw new SessionError(
      'This state is incomplete: id, messages or pending is missing. Give the whole of result.state.',
    )
  }
  return copyPlain(state, 'The state')
}

/** @throws InputError when there is something in it that is no JSON. */
function copyPlain<Value>(value: Value, what: string): Value {
  try {
    return structuredClone(value)
  } catch (cause) {
    throw new InputError(`${what} holds something that is no plain JSON: ${describeError(cause)}`, { cause })
  }
}
