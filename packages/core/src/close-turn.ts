/** The end of a turn: its results join the history. */
import type { Message } from './message.ts'
import type { PendingCall, RunState } from './state.ts'

/** Told of a call that began and whose outcome nobody knows. */
export const mayHaveRun = 'Aborted: the run ended while this call ran. It may have taken effect.'

/** When every call of the turn has its result: the results join the history in the order asked. */
export function closeTurn(draft: RunState): RunState {
  if (!draft.pending.every((pending) => pending.status === 'answered')) return draft
  for (const pending of draft.pending) {
    draft.messages.push(resultOf(pending))
    if (pending.handoff !== undefined) draft.handoff = pending.handoff
  }
  draft.pending = []
  return draft
}

/** A run that ends leaves no call without a result: what did not finish says so. */
export function closeOpenCalls(draft: RunState): void {
  for (const pending of draft.pending) draft.messages.push(resultOf(pending))
  draft.pending = []
}

function resultOf(pending: PendingCall & { status: 'answered' }): Message
function resultOf(pending: PendingCall): Message
function resultOf(pending: PendingCall): Message {
  const { id: callId, name } = pending.call
  if (pending.status === 'answered') {
    const { content, isError } = pending
    return isError ? { role: 'tool', callId, name, content, isError: true } : { role: 'tool', callId, name, content }
  }
  const isUnclear = pending.status === 'waiting' && pending.for === 'verdict'
  const hasBegun = pending.status === 'running' || isUnclear || ('child' in pending && pending.child !== undefined)
  const content = hasBegun ? mayHaveRun : 'Not run: the run ended before this call.'
  return { role: 'tool', callId, name, content, isError: true }
}
