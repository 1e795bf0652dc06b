/** `keepPlan()`: a compaction that leaves the latest plan where the model sees it. */
import { type Compaction, DefinitionError, type HistoryView, type Message, type Middleware, textOf } from '@clew/core'

/** No person writes this by accident. */
const mark = '[clew-plan-1: your plan, kept when the conversation was shortened]\n'

/**
 * For `use: [keepPlan(compaction())]`. Where the compaction leaves out or shortens the latest list of `plan()`, the list is
 * put back: into its result, where that still stands, else into a message of its own behind the summary. What is put back
 * is part of the compaction, so it is in the session's log, and no request between two compactions changes for it.
 * @throws DefinitionError for a middleware that compacts nothing
 */
export function keepPlan(layer: Middleware): Middleware {
  const { compact } = layer
  if (typeof compact !== 'function') {
    throw new DefinitionError(
      `keepPlan(): middleware ${JSON.stringify(layer.name)} has no compact(). Give it the one that makes the history shorter: keepPlan(compaction()).`,
    )
  }
  return {
    ...layer,
    async compact(view) {
      const made = await compact.call(layer, view)
      return made && withPlan(made, view)
    },
  }
}

function withPlan(made: Compaction, { messages }: HistoryView): Compaction {
  const at = messages.findLastIndex((message) => planIn(message) !== undefined)
  const message = messages[at]
  const list = message && planIn(message)
  // An empty list needs no room, and one behind the compacted part stands as it was.
  if (!message || list === undefined || at >= made.upTo || !list.includes('\n')) return made
  const { replacement } = made
  if (replacement.some((each) => planIn(each) === list)) return made
  const stands = replacement.findIndex((each) => isSameCall(each, message))
  if (stands !== -1) return { ...made, replacement: replacement.with(stands, message) }
  // Behind what compaction itself put there: messages of the user that follow still are the last ones.
  const first = replacement.findIndex((each) => each.role === 'user' && !messages.includes(each))
  const place = first === -1 ? 0 : first + 1
  return { ...made, replacement: replacement.toSpliced(place, 0, { role: 'user', content: `${mark}${list}` }) }
}

/** The list that a message shows: a result of `plan`, or what was kept of one. */
function planIn(message: Message): string | undefined {
  if (message.role === 'tool' && message.name === 'plan' && !message.isError) return textOf(message.content)
  const text = message.role === 'user' ? textOf(message.content) : ''
  return text.startsWith(mark) ? text.slice(mark.length) : undefined
}

function isSameCall(message: Message, other: Message): boolean {
  return message.role === 'tool' && other.role === 'tool' && message.callId === other.callId
}
