/** Open questions of a run, and what can be said to them. */

import { editOf } from './answered.ts'
import { parseArguments } from './arguments.ts'
import { InputError, SessionError } from './errors.ts'
import type { Answer, LoggedEvent, Need } from './event.ts'
import type { Json } from './json.ts'
import { sameJson } from './standing.ts'
import { childOf, type PendingCall, type RunState } from './state.ts'
import { sealOutcome, toContent, toJson } from './tool-result.ts'

type ApproveOptions = {
  /** Runs the call with this input instead. It is validated as the model's was, and the model is told of it. */
  input?: Json
  /**
   * Decides for the rest of the session: for all calls of that tool by that agent, for those with the same input, or for
   * those that match a pattern: each of its keys has to fit, others may be there, and `*` in a text is any characters.
   */
  always?: 'tool' | 'input' | { pattern: { [key: string]: Json } }
  /** The need as it was shown to whoever answers: an answer to anything else is refused. */
  seen?: Pick<Need, 'tool' | 'input'>
}

/** Lets the call run, as the need shows it. */
export const approve = (options: ApproveOptions = {}): Answer => ({ type: 'approve', ...options })
/** Closes the call unrun; the model reads the reason and goes on. */
export const deny = (reason: string): Answer => ({ type: 'deny', reason })
/**
 * Gives the call its result: for tools that somebody else runs, and for calls whose outcome is known by other means.
 * Any value will do, as with what a tool returns.
 */
export const respond = (result: unknown): Answer => ({ type: 'respond', content: toContent(result) })
/** Verdict on a call that a crash interrupted: it did not happen, run it again. */
export const retry = (): Answer => ({ type: 'retry' })
/** Verdict on a call that a crash interrupted: it failed, tell the model why. */
export const failed = (reason: string): Answer => ({ type: 'failed', reason })

const fitting: { [For in Need['for']]: Answer['type'][] } = {
  approval: ['approve', 'deny', 'respond'],
  result: ['respond', 'failed'],
  verdict: ['retry', 'respond', 'failed'],
}

/** All open questions of a run, at any depth of sub-agents. */
export function needsOf(state: RunState, above: string[] = []): Need[] {
  return state.pending.flatMap((pending): Need[] => {
    const path = [...above, pending.agent]
    if (pending.status === 'waiting' && pending.for !== 'child')
      return [toNeed(pending, { ...pending, for: pending.for }, path)]
    return 'child' in pending && pending.child ? needsOf(pending.child, path) : []
  })
}

/** The question that an open call puts. */
export function toNeed(
  pending: PendingCall,
  waits: Omit<Need, 'id' | 'path' | 'tool' | 'input'>,
  path: string[],
): Need {
  const { call } = pending
  const { for: what, expiresAt, problem, tightened } = waits
  const parsed = parseArguments(call)
  const { input = parsed.ok ? parsed.value : null } = editOf(pending)
  return {
    id: call.id,
    for: what,
    path,
    tool: call.name,
    input,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(problem !== undefined && { problem }),
    ...(tightened && { tightened }),
  }
}

export type Answers = { [id: string]: Answer }

/**
 * The events that say `answers` to a waiting run; needs whose time is over at `now` are closed. `capOf` gives the
 * characters that a tool's result may have.
 * @throws SessionError when a call is not known, does not wait (any more), or is another than the one that was seen;
 * InputError when the answer does not fit the question.
 */
export function answerEvents(
  state: RunState,
  answers: Answers,
  capOf: (tool: string) => number,
  now: number,
): LoggedEvent[] {
  const needs = new Map(needsOf(state).map((need) => [need.id, need]))
  const isOver = ({ expiresAt }: Need) => expiresAt !== undefined && expiresAt <= now
  const given = Object.entries(answers).map(([id, answer]) => {
    const need = needs.get(id)
    if (!need) {
      const open = [...needs.keys()].join(', ') || 'none'
      throw new SessionError(
        `No call ${JSON.stringify(id)} waits for an answer: it is unknown or was answered before. Open: ${open}.`,
      )
    }
    if (isOver(need)) {
      throw new SessionError(
        `Call "${id}" (${need.tool}) can no longer be answered: its time was over ${Math.ceil((now - (need.expiresAt as number)) / 1000)} seconds ago. Resume without this answer; then the model is told.`,
      )
    }
    return wrap(state.pending, { type: 'answer', id, answer: checkAnswer(need, answer, capOf(need.tool)) })
  })
  const over = [...needs.values()].filter(isOver)
  return [...given, ...over.map(({ id }) => wrap(state.pending, { type: 'answer', id, answer: { type: 'expire' } }))]
}

/**
 * An answer in the shape that everything after it counts on; it may come as JSON from anywhere.
 * @throws SessionError, InputError
 */
export function checkAnswer(need: Need, answer: Answer, maxChars: number): Answer {
  const types = fitting[need.for]
  if (!types.includes(answer?.type)) {
    throw new InputError(
      `Call "${need.id}" (${need.tool}) waits for ${need.for}; answer with ${types.map((type) => `${type}(…)`).join(', ')}.`,
    )
  }
  const { seen } = answer
  if (seen !== undefined && !(seen?.tool === need.tool && sameJson(seen.input, need.input))) {
    throw new SessionError(
      `The answer to call "${need.id}" was given to ${JSON.stringify(toJson(seen))}, but the call is ${JSON.stringify({ tool: need.tool, input: need.input })}. Show the need again, and ask again.`,
    )
  }
  return cleaned(answer, maxChars)
}

function cleaned(answer: Answer, maxChars: number): Answer {
  switch (answer.type) {
    case 'respond':
      return { type: 'respond', content: sealOutcome(answer, maxChars).content }
    case 'deny':
      return deny(reasonOf(answer))
    case 'failed':
      return failed(reasonOf(answer))
    case 'approve': {
      const { input, always } = answer
      return {
        type: 'approve',
        ...(input !== undefined && { input: toJson(input) }),
        ...(always !== undefined && { always: checkAlways(always) }),
      }
    }
    case 'retry':
      return { type: 'retry' }
  }
}

function reasonOf({ reason }: { reason: unknown }): string {
  return typeof reason === 'string' && reason !== '' ? reason : 'no reason was given'
}

function checkAlways(always: unknown): 'tool' | 'input' | { pattern: { [key: string]: Json } } {
  if (always === 'tool' || always === 'input') return always
  const pattern =
    typeof always === 'object' && always !== null && 'pattern' in always ? toJson(always.pattern) : undefined
  // One without keys would be all calls, and looks like a mistake.
  if (typeof pattern === 'object' && pattern !== null && !Array.isArray(pattern) && Object.keys(pattern).length > 0) {
    return { pattern }
  }
  throw new InputError(
    `approve({ always }) is ${JSON.stringify(toJson(always))}; it is "tool", "input", or { pattern: { … } } with at least one key of the input.`,
  )
}

/** An answer to a call of a sub-agent travels inside the calls that lead to it. */
function wrap(calls: PendingCall[], event: Extract<LoggedEvent, { type: 'answer' }>): LoggedEvent {
  for (const pending of calls) {
    const child = childOf(pending)
    if (!child || !needsOf(child).some(({ id }) => id === event.id)) continue
    return { type: 'child', id: pending.call.id, event: wrap(child.pending, event) }
  }
  return event
}
