/** How a run begins: the agents' parts are made ready, and a session's log becomes a state. */
import { nanoid } from 'nanoid'
import type { AgentParts, AnyAgentOptions, AnyRunOptions } from './agents-by-name.ts'
import { gatherAgents } from './agents-by-name.ts'
import type { Answers } from './answer.ts'
import { answerEvents, needsOf } from './answer.ts'
import { InputError, SessionError, SessionWaiting } from './errors.ts'
import type { Answer, LoggedEvent, Need, Unsaved } from './event.ts'
import { isLogged } from './event.ts'
import type { AgentInput } from './input.ts'
import { copyPlain, toMessages } from './input.ts'
import type { Start } from './journal.ts'
import type { Limits } from './limits.ts'
import { leftOf, spendOf } from './limits.ts'
import { makeWorld } from './make-world.ts'
import { runStart, takeOver } from './opening.ts'
import type { RunControl } from './run.ts'
import { readLog, readState } from './saved.ts'
import { sealResult } from './seal-result.ts'
import type { Lease, Session } from './session.ts'
import type { RunState } from './state.ts'
import { emptyState } from './state.ts'
import { defaultMaxResultChars } from './tool.ts'
import { describeError } from './tool-result.ts'
import { settleAfterAbort } from './world.ts'

export function startRun(
  parts: AgentParts,
  input: AgentInput,
  options: AnyRunOptions,
  control: RunControl,
): Promise<Start> {
  const { session } = options
  return leased(session, control.controller, async () => {
    // A copy: what the caller does with its objects later changes neither the state nor what is sent.
    const messages = copyPlain(toMessages(input, options.allowSystemMessages), 'The input')
    const { state, at } = await load(session)
    if (state.status === 'waiting') throw new SessionWaiting(session?.id ?? '', needsOf(state))
    const root = await rootOf(parts, parts.options.name, options, control, state, nanoid())
    const opening: LoggedEvent[] = []
    // A run that failed or crashed before is closed first: its open calls get a stated result.
    if (state.id !== '' && state.status === 'running') opening.push({ type: 'run-end', status: 'aborted' })
    opening.push(await runStart(parts.options, root.world.runId, options.context, messages))
    return { ...root, state, at, opening, session }
  })
}

export function startResume(
  parts: AgentParts,
  from: Session | RunState,
  answers: Answers,
  options: AnyRunOptions,
  control: RunControl,
): Promise<Start> {
  const session = isSession(from) ? from : undefined
  return leased(session, control.controller, async () => {
    checkAnswers(answers)
    if (session && options.unsaved) await appendUnsaved(session, options.unsaved)
    const { state, at } = session ? await load(session) : { state: readState(from), at: 0 }
    if (state.id === '')
      throw new SessionError(
        `Session "${session?.id}" is empty: there is nothing to resume. Begin with agent.run(input, { session }).`,
      )
    if (state.status === 'aborted')
      throw new SessionError('The run was aborted, so it cannot be resumed. Go on with agent.run(input, { session }).')
    const root = await rootOf(parts, state.agent, options, control, state, state.id)
    const { tools, agent } = root.world
    const capOf = (name: string) => tools.get(name)?.maxResultChars ?? defaultMaxResultChars
    const opening = answerEvents(state, answers, capOf, Date.now()).map((event) => sealAnswer(event, root.use))
    const isOver = state.status === 'done' || state.status === 'stopped'
    if (agent !== state.agent && !isOver) opening.push(await takeOver(parts.options, options.context))
    return { ...root, state, at, opening, session }
  })
}

/**
 * The world of a run that no other run holds: its budget and its standing approvals are those of its own state. Where the
 * agent that was active is renamed or gone, the one that is asked to go on is.
 */
async function rootOf(
  parts: AgentParts,
  speaker: string,
  options: AnyRunOptions,
  control: RunControl,
  state: RunState,
  runId: string,
): Promise<Pick<Start, 'world' | 'limits' | 'use'>> {
  const { limits: own, use = [], name: asked } = parts.options
  const limits = mergeLimits(own, options.limits)
  const agents = await gatherAgents(parts, options)
  const name = agents.has(speaker) ? speaker : asked
  const world = await makeWorld(agents, name, options, {
    runId,
    control,
    path: [name],
    left: () => leftOf(limits, spendOf(state)),
    standing: () => state.standing ?? [],
    untrusted: () => state.untrusted === true,
    tightens: parts.options.tightenOnUntrusted === true,
    policy: policyOf(parts.options, options.context),
    tell: parts.tell,
  })
  return { world, limits, use }
}

function policyOf(
  { policy }: AnyAgentOptions,
  context: unknown,
): ((need: Need) => Promise<Answer | undefined>) | undefined {
  // Whatever it does with the need, the log has its own.
  return policy && (async (need) => (await policy(structuredClone(need), context as never)) || undefined)
}

/**
 * No other live worker runs on the session meanwhile, where its store can keep them apart. A start that hangs is left
 * after an abort, without its lease.
 */
async function leased(
  session: Session | undefined,
  { signal }: AbortController,
  begin: () => Promise<Start>,
): Promise<Start> {
  const acquiring = session?.acquire?.()
  let lease: Lease | undefined
  try {
    lease = acquiring && (await settleAfterAbort(acquiring, signal))
    return { ...(await settleAfterAbort(begin(), signal)), lease }
  } catch (error) {
    // One that comes later is given back as well.
    if (lease) await settleAfterAbort(lease.release(), signal).catch(() => {})
    else acquiring?.then((late) => late.release()).catch(() => {})
    throw error
  }
}

async function load(session: Session | undefined): Promise<{ state: RunState; at: number }> {
  if (!session) return { state: emptyState(), at: 0 }
  const { events, at } = await session.read().catch((cause) => {
    throw new SessionError(`Session "${session.id}" could not be read: ${describeError(cause)}`, { cause })
  })
  return { state: readLog(session.id, events), at }
}

/** At any depth: who answers gives it to the run, and so its layers are those of the run's agent. */
function sealAnswer(event: LoggedEvent, use: Start['use']): LoggedEvent {
  if (event.type === 'child' && isLogged(event.event)) return { ...event, event: sealAnswer(event.event, use) }
  if (event.type !== 'answer' || event.answer.type !== 'respond') return event
  return { ...event, answer: { ...event.answer, content: sealResult(use, event.answer.content) } }
}

function checkAnswers(answers: unknown): void {
  if (typeof answers === 'object' && answers !== null && !Array.isArray(answers)) return
  throw new InputError(
    `The answers are ${JSON.stringify(answers)}; give them by the ids of the needs: { [need.id]: approve() }.`,
  )
}

/** Where it does not belong, it would make the log unreadable: so it is read as if it stood there before it does. */
async function appendUnsaved(session: Session, unsaved: Unsaved): Promise<void> {
  const { id, at, events } = unsaved
  if (typeof id !== 'string' || !Number.isInteger(at) || at < 0 || !Array.isArray(events)) {
    throw new InputError('unsaved is not what a RunError carried: { id, at, events }. Give error.unsaved as it was.')
  }
  const { events: log } = await session.read()
  readLog(session.id, [...log.slice(0, at), ...events])
  await session.append(at, unsaved)
}

/** One by one; a limit that is there but undefined switches nothing off. */
function mergeLimits(ofAgent: Limits = {}, ofRun: Limits = {}): Limits {
  const given = Object.entries(ofRun).filter(([, value]) => value !== undefined)
  return { ...ofAgent, ...Object.fromEntries(given) }
}

function isSession(from: Session | RunState): from is Session {
  return typeof from === 'object' && from !== null && 'read' in from
}
