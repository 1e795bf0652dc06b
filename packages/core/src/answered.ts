/** What an answer makes of the call that it is given to. */
import type { AnswerGiven } from './event.ts'
import type { Json } from './json.ts'
import { childOf, type PendingCall } from './state.ts'
import { unreachable } from './unreachable.ts'

export function answered(pending: PendingCall, answer: AnswerGiven['answer']): PendingCall {
  const { call, agent } = pending
  const child = childOf(pending)
  const closed = (content: string): PendingCall => ({ call, agent, status: 'answered', content, isError: true })
  switch (answer.type) {
    case 'approve':
      return {
        call,
        agent,
        status: 'ready',
        approved: true,
        ...(answer.input !== undefined && { input: answer.input }),
      }
    case 'retry':
      // An agent that was at work on it is entered again.
      if (child) return { call, agent, status: 'running', ...editOf(pending), child }
      return { call, agent, status: 'ready', approved: true, again: true, ...editOf(pending) }
    case 'respond':
      return { call, agent, status: 'answered', content: answer.content }
    case 'deny':
      return closed(`Denied: ${answer.reason}`)
    case 'failed':
      return closed(`Failed: ${answer.reason}`)
    case 'expire':
      return closed(
        'for' in pending && pending.for === 'result'
          ? 'No result: nobody gave one in time.'
          : 'Not run: nobody approved it in time.',
      )
    default:
      return unreachable(answer)
  }
}

/** The input that a person put in the place of the model's: it is the call's from then on, whatever comes between. */
export function editOf(pending: object): { input?: Json } {
  return 'input' in pending && pending.input !== undefined ? { input: pending.input as Json } : {}
}
