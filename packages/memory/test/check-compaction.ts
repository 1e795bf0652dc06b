/** `firstFlaw()`: what is wrong with a compaction, told without its help: atoms, fixed parts and sizes are found anew here. */
import { isDeepStrictEqual } from 'node:util'
import { type Compaction, checkHistory, type Message } from '@clew/core'
import { type CompactionView, type CompactOptions, estimateTokens } from '../src/index.ts'

export const isOwn = (message: Message) =>
  message.role === 'user' && typeof message.content === 'string' && /^.{1,30}clew-compaction-1/.test(message.content)

export function applied(messages: readonly Message[], compaction: Compaction | undefined): Message[] {
  return compaction ? [...compaction.replacement, ...messages.slice(compaction.upTo)] : [...messages]
}

/** A message that nothing can be made of but itself; frozen all through, so that a change would throw. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const child of Object.values(value)) frozen(child)
  return Object.freeze(value)
}

/** The messages that may not change: system messages, pinned atoms, the last user turns and the work of now. */
export function fixedOf(
  messages: readonly Message[],
  { keepTurns = 2, isPinned = () => false }: Pick<CompactOptions, 'keepTurns' | 'isPinned'>,
): Set<Message> {
  const users = messages.flatMap((message, at) => (message.role === 'user' && !isOwn(message) ? [at] : []))
  const from = users.slice(-Math.max(1, keepTurns))[0] ?? 0
  const fixed = new Set<Message>()
  let atom: Message[] = []
  for (const [at, message] of messages.entries()) {
    atom = message.role === 'tool' ? [...atom, message] : [message]
    if (at >= from || message.role === 'system' || isPinned(message, at)) for (const each of atom) fixed.add(each)
    else if (message.role === 'tool' && fixed.has(atom[0]!)) fixed.add(message)
  }
  return fixed
}

/** The least that a request can come to: what is fixed, and the line about the rest. */
export function leastSize(view: CompactionView, options: CompactOptions): number {
  const fixed = fixedOf(view.messages, options)
  const note: Message = { role: 'user', content: '[clew-compaction-1: 1000 earlier messages left out to make room.]' }
  return estimateTokens({ ...view, messages: [...view.messages.filter((message) => fixed.has(message)), note] })
}

/** `hasFailed`: a summary was asked for and was of no use. */
export function firstFlaw(
  view: CompactionView,
  options: CompactOptions,
  compaction: Compaction | undefined,
  hasFailed = false,
): string | undefined {
  const { messages } = view
  const after = applied(messages, compaction)
  return (
    (compaction && flawOfParts(messages, after, options)) ??
    flawOfSize(view, after, options, hasFailed) ??
    (compaction && isDeepStrictEqual(messages.slice(0, compaction.upTo), compaction.replacement)
      ? 'nothing changed, but it is no undefined'
      : undefined)
  )
}

function flawOfParts(
  before: readonly Message[],
  after: readonly Message[],
  options: CompactOptions,
): string | undefined {
  const history = checkHistory(closed(after))
  if (history) return history
  if (after[0]?.role !== 'user' && after[0]?.role !== 'system') return 'begins with neither user nor system'
  const mayNotChange = fixedOf(before, options)
  const fixed = [...mayNotChange]
  const kept = after.filter((message) => mayNotChange.has(message))
  if (kept.length !== fixed.length || kept.some((message, at) => message !== fixed[at]))
    return 'a fixed message is gone'
  const byCall = new Map(before.flatMap((message) => (message.role === 'tool' ? [[message.callId, message]] : [])))
  const bySource = new Map(
    before.flatMap((message) => (message.role === 'assistant' ? [[message.source?.generationId, message]] : [])),
  )
  for (const message of after) {
    if (message.content.length === 0 && !(message.role === 'assistant' && message.toolCalls?.length)) return 'is empty'
    if (!JSON.stringify(message).isWellFormed() || JSON.stringify(message).includes('\\ud')) return 'half a character'
    if (message.role === 'assistant') {
      const original = bySource.get(message.source?.generationId)
      if (original?.role !== 'assistant') return 'an assistant message from nowhere'
      if (original.reasoningDetails !== message.reasoningDetails) return 'reasoning was changed'
      const { toolCalls = [], ...rest } = message
      const { toolCalls: originalCalls = [], ...originalRest } = original
      if (!isDeepStrictEqual(rest, originalRest)) return 'an assistant message was changed'
      if (!isDeepStrictEqual(toolCalls.map(shapeOf), originalCalls.map(shapeOf))) return 'calls were changed'
    } else if (message.role === 'tool') {
      const original = byCall.get(message.callId)
      if (original?.role !== 'tool') return 'a result from nowhere'
      if (original.name !== message.name || original.isError !== message.isError) return 'a result was changed'
    } else if (!isOwn(message) && !before.includes(message)) return `a ${message.role} message was changed`
  }
  if (after.filter((message) => isOwn(message) && String(message.content).startsWith('[')).length > 1)
    return 'two notes'
  if (after.filter((message) => isOwn(message) && String(message.content).startsWith('<')).length > 1)
    return 'two summaries'
  return undefined
}

function flawOfSize(
  view: CompactionView,
  after: readonly Message[],
  options: CompactOptions,
  hasFailed: boolean,
): string | undefined {
  const { window, high = 0.75, low = 0.5 } = options
  const size = estimateTokens({ ...view, messages: after })
  const before = estimateTokens(view)
  if (size > before) return `grew from ${before} to ${size}`
  if (before <= high * window) return size === before ? undefined : 'changed below high water'
  if (hasFailed && size <= high * window) return undefined
  return size >= low * window && leastSize(view, options) < low * window
    ? `${size} is not below ${low * window}, though ${leastSize(view, options)} would be possible`
    : undefined
}

/** Without the turn at the end that has not all of its results yet. */
function closed(messages: readonly Message[]): readonly Message[] {
  const last = messages.findLastIndex(({ role }) => role !== 'tool')
  const opener = messages[last]
  const open = opener?.role === 'assistant' && (opener.toolCalls?.length ?? 0) > messages.length - last - 1
  return open ? messages.slice(0, last) : messages
}

function shapeOf(call: { id: string; wireId: string; name: string; arguments: string }) {
  return { ...call, arguments: Object.keys(JSON.parse(call.arguments)) }
}
