/** `decide` says what a run does next. It reads the state and touches nothing. */
import type { Limits, Spend } from './limits.ts'
import { exceeded, lastCall } from './limits.ts'
import type { PendingCall, RunState, StopReason } from './state.ts'

export type Step =
  /** Ask the model. `last`: tools are sent, but may not be called. */
  | { type: 'model'; turn: number; last?: StopReason }
  /** Run the open calls of the turn; those in `refused` would go over `limits.toolCalls`. */
  | { type: 'tools'; calls: PendingCall[]; refused: PendingCall[] }
  /** Another agent takes over. */
  | { type: 'handoff'; agent: string }
  /** The run ends: with an answer (to be checked against the output schema), a limit, a middleware's stop, or open questions. */
  | { type: 'finish'; status: 'done' | 'waiting' | 'stopped'; stop?: StopReason; reason?: string }
  /** Nothing is left to do. */
  | { type: 'stop' }

/** `spend` is that of the root run. */
export function decide(state: RunState, limits: Limits, spend: Spend): Step {
  if (state.status !== 'running') return { type: 'stop' }
  if (state.stopping) {
    return { type: 'finish', status: 'stopped', stop: state.stopping.by, reason: state.stopping.reason }
  }

  const isAsked = state.turn > 0 && !state.request && !state.begins
  const answered = isAsked && state.pending.length === 0 && hasAnswer(state)
  if (answered) return ending(state)

  const over = exceeded(limits, spend)
  if (over) return { type: 'finish', status: 'stopped', stop: over }

  if (state.pending.length > 0) {
    const open = state.pending.filter((pending) => pending.status === 'ready' || pending.status === 'running')
    if (open.length === 0) return { type: 'finish', status: 'waiting' }
    const left = Math.max(0, (limits.toolCalls ?? Number.POSITIVE_INFINITY) - state.toolCalls)
    const isStarted = (pending: PendingCall) =>
      pending.status === 'running' || ('again' in pending && pending.again === true)
    const started = open.filter(isStarted)
    const ready = open.filter((pending) => !isStarted(pending))
    return { type: 'tools', calls: [...started, ...ready.slice(0, left)], refused: ready.slice(left) }
  }

  if (state.last) return { type: 'finish', status: 'stopped', stop: state.last }
  if (state.handoff !== undefined) return { type: 'handoff', agent: state.handoff }
  if (isTooDear(limits, spend)) return { type: 'finish', status: 'stopped', stop: 'usd' }
  if (state.request) return { type: 'model', turn: state.turn, ...state.request }
  const last = lastCall(limits, state)
  return { type: 'model', turn: state.turn + 1, ...(last && { last }) }
}

/**
 * The turn that would begin here: what is added to the run comes before it. A run that ends with its answer goes on for
 * it, where its limits leave room for a turn.
 */
export function edgeOf(step: Step, state: RunState, limits: Limits, spend: Spend): number | undefined {
  if (step.type === 'model' && !state.request) return step.turn
  if (step.type !== 'finish' || step.status !== 'done') return undefined
  return exceeded(limits, spend) || isTooDear(limits, spend) ? undefined : state.turn + 1
}

function isTooDear({ usd }: Limits, spend: Spend): boolean {
  return usd !== undefined && spend.usd + (spend.nextUsd ?? 0) > usd
}

/** The last word is the model's, it asked for nothing, and it was not left in the middle. */
function hasAnswer(state: RunState): boolean {
  const message = state.messages.at(-1)
  return message?.role === 'assistant' && !message.toolCalls?.length && !message.aborted
}

function ending(state: RunState): Step {
  if (state.last) return { type: 'finish', status: 'stopped', stop: state.last }
  if (state.finishReason === 'length' || state.finishReason === 'content-filter') {
    return { type: 'finish', status: 'stopped', stop: state.finishReason }
  }
  return { type: 'finish', status: 'done' }
}
