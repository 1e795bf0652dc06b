/**
 * What was saved is read here: by this version, by an earlier one, or changed by hand since. Version 2 added handoffs,
 * messages to a live run, compaction, patterns and expiry to version 1, and knows agents of approvals by their path.
 */
import { SessionError } from './errors.ts'
import type { LoggedEvent } from './event.ts'
import { isLoggedType } from './event.ts'
import { checkHistory } from './history.ts'
import { copyPlain } from './input.ts'
import { apply } from './reduce.ts'
import type { PendingCall, RunState, Standing } from './state.ts'
import { childOf, emptyState, version } from './state.ts'
import { describeError } from './tool-result.ts'

/**
 * The state that a session's log makes.
 * @throws SessionError when the log is of a later version, or holds what does not fit together
 */
export function readLog(id: string, events: readonly LoggedEvent[]): RunState {
  const where = `The log of session "${id}"`
  const state = emptyState()
  for (let at = 0; at < events.length; at += 1) {
    const event = events[at] as LoggedEvent
    if (event?.v !== undefined) checkVersion(event.v, where)
    const problem = outOfPlace(state, event)
    if (problem !== undefined) throw unreadable(where, `event ${at} (${event?.type}) ${problem}`)
    try {
      apply(state, event)
    } catch (cause) {
      const problem = isLoggedType(event?.type)
        ? `is not whole: ${describeError(cause)}`
        : 'is no event that this version knows'
      throw unreadable(where, `event ${at} (${event?.type}) ${problem}`)
    }
  }
  return events.length === 0 ? state : checkState(state, where)
}

/**
 * A private copy of a bare state, as this version has it.
 * @throws SessionError, InputError
 */
export function readState(given: unknown): RunState {
  const where = 'This state'
  const { v } = (typeof given === 'object' && given !== null ? given : {}) as { v?: unknown }
  if (v === undefined) throw unreadable(where, 'it has no v. Give a session, or the whole of result.state as an object')
  checkVersion(v, where)
  return upgrade(checkState(copyPlain(given as RunState, where), where))
}

/** A piece that is missing shows in what comes after it. */
function outOfPlace(state: RunState, event: LoggedEvent): string | undefined {
  // What is no event at all is told when it is applied.
  if (event?.type === 'run-start' || typeof event?.type !== 'string') return undefined
  if (state.id === '') return 'stands before any run-start: the beginning of the log is missing'
  if (!('id' in event)) return undefined
  for (const { call } of state.pending) if (call.id === event.id) return undefined
  return `is of call "${event.id}", which is not open there: a part of the log is missing`
}

function checkVersion(v: unknown, where: string): void {
  if (Number.isInteger(v) && (v as number) >= 1 && (v as number) <= version) return
  const isLater = typeof v === 'number' && v > version
  const told = `${where} was saved by ${isLater ? 'a later' : 'an unknown'} version of Clew: its v is ${JSON.stringify(v)}, this one reads 1 to ${version}.`
  throw new SessionError(isLater ? `${told} Update Clew to open it.` : told)
}

/** Agents at work stand in the calls. */
function upgrade(state: RunState): RunState {
  if (state.v === 1 && state.standing) state.standing = state.standing.map(withPath)
  state.v = version
  for (const pending of state.pending) {
    const child = childOf(pending)
    if (child) upgrade(child)
  }
  return state
}

/** Version 1 knew an agent by its name alone. What was approved for one below the root is asked again. */
function withPath(standing: Standing): Standing {
  const { agent, ...rest } = standing as Standing & { agent?: unknown }
  return { ...rest, path: [String(agent)] }
}

/** What everything after this counts on; whoever changed it by hand is told where it broke. */
function checkState(state: RunState, where: string): RunState {
  const problem = problemOf(state)
  if (problem !== undefined) throw unreadable(where, problem)
  return state
}

const unreadable = (where: string, problem: string) => new SessionError(`${where} cannot be used: ${problem}.`)

const statuses: unknown[] = ['running', 'waiting', 'done', 'stopped', 'aborted'] satisfies RunState['status'][]
const amounts = ['turn', 'toolCalls', 'repairs', 'ms'] as const

function problemOf(state: RunState): string | undefined {
  for (const key of ['id', 'agent'] as const) {
    if (typeof state[key] !== 'string' || state[key] === '') return `its ${key} is ${JSON.stringify(state[key])}`
  }
  if (!statuses.includes(state.status)) return `its status is ${JSON.stringify(state.status)}`
  for (const key of amounts) if (!isAmount(state[key])) return `its ${key} is ${JSON.stringify(state[key])}`
  if (typeof state.usage !== 'object' || !isAmount(state.usage?.inputTokens)) return 'its usage is no usage'
  if (!Array.isArray(state.messages)) return 'its messages are no list'
  if (!Array.isArray(state.pending)) return 'its pending is no list'
  const strange = state.messages.findIndex((message) => !isRole(message?.role))
  if (strange >= 0) return `message ${strange} has no role that is known`
  for (const pending of state.pending) {
    const wrong = problemOfCall(pending)
    if (wrong !== undefined) return wrong
  }
  if (state.standing !== undefined && !Array.isArray(state.standing)) return 'its standing is no list'
  const { messages, pending } = state
  return checkHistory(pending.length === 0 ? messages : [...messages, ...pending.map(placeholder)])
}

function isRole(role: unknown): boolean {
  return role === 'assistant' || role === 'tool' || role === 'user' || role === 'system'
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0
}

function problemOfCall(pending: PendingCall): string | undefined {
  const { call } = pending ?? {}
  if (![call?.id, call?.name, call?.arguments].every((text) => typeof text === 'string')) {
    return `a pending call is ${JSON.stringify(pending)?.slice(0, 200)}`
  }
  if (!['ready', 'running', 'waiting', 'answered'].includes(pending.status)) {
    return `call "${call.id}" has the status ${JSON.stringify(pending.status)}`
  }
  const child = childOf(pending)
  const inner =
    child === undefined ? undefined : typeof child === 'object' && child ? problemOf(child) : 'it is no state'
  if (pending.status === 'waiting' && !['approval', 'result', 'child', 'verdict'].includes(pending.for))
    return `call "${call.id}" waits for ${JSON.stringify(pending.for)}`
  return inner === undefined ? undefined : `the agent that works on call "${call.id}": ${inner}`
}

/** The calls of the turn under way get their results later; that they follow their message can be seen now. */
function placeholder({ call }: PendingCall) {
  return { role: 'tool', callId: call.id, name: call.name, content: '' } as const
}
