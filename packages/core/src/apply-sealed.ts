/** An event of a live run, applied to its state. */
import type { LoggedEvent } from './event.ts'
import { apply } from './reduce.ts'
import type { RunState } from './state.ts'

/** In a live run many hold the messages: what comes to the history cannot be changed any more. */
export function applySealed(draft: RunState, event: LoggedEvent): void {
  const isReplaced = event.type === 'compacted' || event.type === 'handoff'
  const first = isReplaced ? 0 : draft.messages.length
  apply(draft, event)
  for (let at = first; at < draft.messages.length; at++) Object.freeze(draft.messages[at])
}
