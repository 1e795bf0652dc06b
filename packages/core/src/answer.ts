/** Open questions of a run, and what can be said to them. */

import { parseArguments } from './arguments.ts'
import { InputError, SessionError } from './errors.ts'
import type { Answer, LoggedEvent } from './event.ts'
import type { Json } from './json.ts'
import type { PendingCall, RunState, WaitFor } from './state.ts'
import { sealOutcome, toContent, toJson } from './tool-result.ts'

/** One open question: may this call run (`approval`), what is its result (`result`), what became of it (`verdict`)? */
export type Need = {
  /** The call's id; answers are given under it. */
  id: string
  for: Exclude<WaitFor, 'child'>
  /** The agents from the root to the one that asked. */
  path: string[]
  tool: string
  input: Json
}

/**
 * Lets the call run with the input that the need shows, or with another one, which is validated as the model's was; the
 * model is told of it. `always` decides for the rest of the session: for all calls of that tool by that agent, or for
 * those with the same input.
 */
export const approve = (options: { input?: Json; always?: 'tool' | 'input' } = {}): Answer => ({
  type: 'approve',
  ...options,
})
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
    if ('child' in pending && pending.child) return needsOf(pending.child, path)
    if (pending.status !== 'waiting' || pending.for === 'child') return []
    const parsed = parseArguments(pending.call)
    return [
      { id: pending.call.id, for: pending.for, path, tool: pending.call.name, input: parsed.ok ? parsed.value : null },
    ]
  })
}

export type Answers = { [id: string]: Answer }

/**
 * The events that say `answers` to a waiting run. `capOf` gives the characters that a tool's result may have.
 * @throws SessionError when a call is not known or does not wait; InputError when the answer does not fit the question.
 */
export function answerEvents(state: RunState, answers: Answers, capOf: (tool: string) => number): LoggedEvent[] {
  const needs = new Map(needsOf(state).map((need) => [need.id, need]))
  return Object.entries(answers).map(([id, answer]) => {
    const need = needs.get(id)
    if (!need) {
      const open = [...needs.keys()].join(', ') || 'none'
      throw new SessionError(
        `No call ${JSON.stringify(id)} waits for an answer: it is unknown or was answered before. Open: ${open}.`,
      )
    }
    const types = fitting[need.for]
    if (!types.includes(answer?.type)) {
      throw new InputError(
        `Call "${id}" (${need.tool}) waits for ${need.for}; answer with ${types.map((type) => `${type}(…)`).join(', ')}.`,
      )
    }
    return wrap(state.pending, { type: 'answer', id, answer: cleaned(answer, capOf(need.tool)) })
  })
}

/** Answers may come as JSON from anywhere: what is logged has the shape that everything after it counts on. */
function cleaned(answer: Answer, maxChars: number): Answer {
  switch (answer.type) {
    case 'respond':
      return { type: 'respond', content: sealOutcome(answer, maxChars).content }
    case 'deny':
      return deny(String(answer.reason || 'no reason was given'))
    case 'failed':
      return failed(String(answer.reason || 'no reason was given'))
    case 'approve': {
      const { input, always } = answer
      if (always !== undefined && always !== 'tool' && always !== 'input')
        throw new InputError(`approve({ always }) is ${JSON.stringify(always)}; it is "tool" or "input".`)
      return { type: 'approve', ...(input !== undefined && { input: toJson(input) }), ...(always && { always }) }
    }
    case 'retry':
      return { type: 'retry' }
  }
}

/** An answer to a call of a sub-agent travels inside the calls that lead to it. */
function wrap(calls: PendingCall[], event: Extract<LoggedEvent, { type: 'answer' }>): LoggedEvent {
  if (calls.some((pending) => pending.call.id === event.id)) return event
  const holder = calls.find(
    (pending) => 'child' in pending && pending.child && needsOf(pending.child).some((need) => need.id === event.id),
  )
  if (!holder || !('child' in holder) || !holder.child) return event
  return { type: 'child', id: holder.call.id, event: wrap(holder.child.pending, event) }
}
