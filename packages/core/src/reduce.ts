/** `reduce` says what an event changed. It is the only place where a state changes. */

import { answered, editOf } from './answered.ts'
import { closeOpenCalls, closeTurn } from './close-turn.ts'
import type { HandoffTaken, LoggedEvent, ModelEnd, RunEvent, RunStart } from './event.ts'
import { isLogged } from './event.ts'
import type { Usage } from './message.ts'
import { addUsage, textOf } from './message.ts'
import { addStanding } from './standing.ts'
import type { PendingCall, RunState } from './state.ts'
import { childOf, emptyState } from './state.ts'
import { unreachable } from './unreachable.ts'

/** The state after `event`; the same object when the event changes nothing. */
export function reduce(state: RunState, event: RunEvent): RunState {
  if (!isLogged(event)) return state
  return apply({ ...state, messages: [...state.messages], pending: [...state.pending] }, event)
}

/** The state after all events of a log, in one pass over a private draft. */
export function fold(events: Iterable<LoggedEvent>): RunState {
  const draft = emptyState()
  for (const event of events) apply(draft, event)
  return draft
}

/** Changes `draft`, which nobody else may hold. Messages and pending calls in it are replaced, never changed. */
export function apply(draft: RunState, event: LoggedEvent): RunState {
  draft.ms += event.ms ?? 0
  switch (event.type) {
    case 'run-start':
      return applyRunStart(draft, event)
    case 'turn-start':
      draft.turn = event.turn
      if (draft.begins) delete draft.begins
      draft.request = event.last ? { last: event.last } : {}
      return draft
    case 'model-restart':
    case 'model-failed':
      if (event.usage) draft.usage = addUsage(draft.usage, event.usage)
      return draft
    case 'model-end':
      closeRequest(draft)
      if (!isWithheld(event)) draft.messages.push(event.message)
      if (event.stop) draft.stopping = event.stop
      draft.usage = addUsage(draft.usage, event.usage)
      count(draft, event.usage)
      draft.finishReason = event.finishReason
      draft.lastWords = { text: textOf(event.message.content) }
      if (event.message.refusal !== undefined) draft.lastWords.refusal = event.message.refusal
      draft.pending = (event.message.toolCalls ?? []).map((call): PendingCall => {
        const refusal = event.refused?.[call.id]
        if (refusal === undefined) return { call, agent: draft.agent, status: 'ready' }
        return { call, agent: draft.agent, status: 'answered', content: refusal, isError: true }
      })
      return closeTurn(draft)
    case 'model-aborted':
      closeRequest(draft)
      if (event.partial.text === '') return draft
      draft.messages.push({ role: 'assistant', content: event.partial.text, aborted: true })
      draft.lastWords = { text: event.partial.text }
      return draft
    case 'tool-start':
      return replacePending(draft, event.id, (pending) => {
        if (pending.status === 'ready' && !pending.again) draft.toolCalls += 1
        return { call: pending.call, agent: pending.agent, status: 'running', ...editOf(pending) }
      })
    case 'tool-wait':
      return replacePending(draft, event.id, ({ call, agent, ...rest }) => ({
        call,
        agent,
        status: 'waiting',
        for: event.for,
        ...(event.since !== undefined && { since: event.since }),
        ...(event.expiresAt !== undefined && { expiresAt: event.expiresAt }),
        ...(event.problem !== undefined && { problem: event.problem }),
        ...(event.tightened && { tightened: true }),
        ...editOf(rest),
        ...('child' in rest && rest.child && { child: rest.child }),
      }))
    case 'tool-end':
      replacePending(draft, event.id, ({ call, agent }) => ({
        call,
        agent,
        status: 'answered',
        content: event.content,
        ...(event.isError && { isError: true }),
        ...(event.handoff !== undefined && { handoff: event.handoff }),
      }))
      if (event.untrusted) draft.untrusted = true
      if (event.stop) draft.stopping ??= event.stop
      return closeTurn(draft)
    case 'child':
      draft.usage = addUsageOf(draft.usage, event.event)
      if (isAnswer(event.event)) draft.status = 'running'
      addStanding(draft, event)
      return replacePending(draft, event.id, (pending) => {
        // Begun anew by a layer around the call, it knows nothing of its first try.
        const before = event.event.type === 'run-start' ? undefined : childOf(pending)
        const child = reduce(before ?? emptyState(), event.event)
        if (child.untrusted) draft.untrusted = true
        if (pending.status === 'waiting' && child.status === 'waiting') return { ...pending, child }
        // Answered, it goes on: its call is entered again.
        return { call: pending.call, agent: pending.agent, status: 'running', ...editOf(pending), child }
      })
    case 'answer':
      addStanding(draft, event)
      draft.status = 'running'
      replacePending(draft, event.id, (pending) => answered(pending, event.answer))
      return closeTurn(draft)
    case 'handoff':
      return applyHandoff(draft, event)
    case 'steer':
      for (const message of event.messages) draft.messages.push(message)
      return draft
    case 'compacted':
      draft.messages = event.replacement.concat(draft.messages.slice(event.upTo))
      if (event.usage) draft.usage = addUsage(draft.usage, event.usage)
      delete draft.counted
      return draft
    case 'fork':
      return draft
    case 'output-invalid':
      draft.repairs += 1
      draft.messages.push(event.message)
      return draft
    case 'run-end':
      draft.status = event.status
      if (event.stop !== undefined) draft.stop = event.stop
      if (event.reason !== undefined) draft.reason = event.reason
      if (event.output !== undefined) draft.output = event.output
      delete draft.request
      if (event.status !== 'waiting') closeOpenCalls(draft)
      return draft
    default:
      return unreachable(event)
  }
}

function applyRunStart(draft: RunState, event: RunStart): RunState {
  const { messages, standing, counted, untrusted } = draft
  const conversation = draft.conversation || event.id
  for (const message of event.input) messages.push(message)
  const next = { ...emptyState(), id: event.id, conversation, agent: event.agent, messages }
  // The last one first: an object that loses another one is slow from then on.
  for (const key of Object.keys(draft).reverse()) if (!(key in next)) delete (draft as Record<string, unknown>)[key]
  Object.assign(draft, next, standing && { standing }, untrusted && { untrusted }, counted && { counted })
  if (event.instructions !== undefined) draft.instructions = event.instructions
  if (event.kept !== undefined) draft.kept = event.kept
  return draft
}

function applyHandoff(draft: RunState, { agent, instructions, messages }: HandoffTaken): RunState {
  // One that takes the place of an agent that is gone leaves the handoff that was asked for to happen.
  if (agent === draft.handoff) draft.begins = true
  if (agent === draft.handoff || agent === draft.agent) delete draft.handoff
  delete draft.instructions
  if (instructions !== undefined) draft.instructions = instructions
  if (messages) {
    draft.messages = [...messages]
    delete draft.counted
  }
  // A turn that a crash cut short begins again, and is the new agent's first.
  if (draft.agent !== agent) draft.since = draft.request ? draft.turn - 1 : draft.turn
  draft.agent = agent
  return draft
}

function count(draft: RunState, { inputTokens, outputTokens }: Usage): void {
  if (inputTokens > 0) draft.counted = { tokens: inputTokens + outputTokens, messages: draft.messages.length }
}

/** A guard let nothing of the answer through. Providers refuse an empty message in a history. */
function isWithheld({ stop, message }: ModelEnd): boolean {
  return stop !== undefined && message.content.length === 0 && !message.toolCalls?.length
}

function closeRequest(draft: RunState): void {
  if (draft.request?.last) draft.last = draft.request.last
  delete draft.request
}

function replacePending(draft: RunState, id: string, change: (pending: PendingCall) => PendingCall): RunState {
  const index = draft.pending.findIndex((pending) => pending.call.id === id)
  const pending = draft.pending[index]
  if (pending) draft.pending[index] = change(pending)
  return draft
}

/** An answer to a call, however deep it stands. */
function isAnswer(event: RunEvent): boolean {
  return event.type === 'child' ? isAnswer(event.event) : event.type === 'answer'
}

function addUsageOf(usage: Usage, event: RunEvent): Usage {
  if (event.type === 'child') return addUsageOf(usage, event.event)
  return 'usage' in event && event.usage ? addUsage(usage, event.usage) : usage
}
