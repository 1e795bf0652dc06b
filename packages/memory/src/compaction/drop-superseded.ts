/** `dropSuperseded()`: of a call that was made again later, the old result gives way to one line. */
import type { ToolCall, ToolMessage } from '@clew/core'
import { type Draft, isEnough, messagesIn, replaceMessage, type Slot } from './draft.ts'
import { supersededLine } from './words.ts'

type Answered = { call: ToolCall; result: ToolMessage; at: number }

export function dropSuperseded(draft: Draft): void {
  if (isEnough(draft)) return
  for (const { slot, result, at } of findSuperseded(draft.slots)) {
    if (isEnough(draft)) return
    replaceMessage(draft, slot, at, { ...result, content: supersededLine })
  }
}

/** Oldest first. A call that failed later supersedes nothing, and calls of one turn do not supersede each other. */
function findSuperseded(slots: readonly Slot[]): (Answered & { slot: Slot })[] {
  const madeLater = new Set<string>()
  const found: (Answered & { slot: Slot })[] = []
  for (const slot of slots.toReversed()) {
    const answered = answeredIn(slot).map((each) => ({ ...each, slot, key: keyOf(each.call) }))
    for (const each of answered.toReversed()) if (!slot.isFixed && madeLater.has(each.key)) found.push(each)
    for (const { key, result } of answered) if (!result.isError) madeLater.add(key)
  }
  return found.reverse()
}

function answeredIn(slot: Slot): Answered[] {
  const messages = messagesIn(slot)
  const [first] = messages
  if (first?.role !== 'assistant' || !first.toolCalls?.length) return []
  const calls = new Map(first.toolCalls.map((call) => [call.id, call]))
  return messages.flatMap((result, at) => {
    const call = result.role === 'tool' ? calls.get(result.callId) : undefined
    return call && result.role === 'tool' ? [{ call, result, at }] : []
  })
}

/** The same for the same tool with the same arguments, in whatever order their keys stand. */
function keyOf({ name, arguments: text }: ToolCall): string {
  try {
    return `${name} ${sorted(JSON.parse(text, asWritten as Reviver))}`
  } catch {
    return `${name} ${text}`
  }
}

type Reviver = (key: string, value: unknown) => unknown

/** Numbers stay as they are written: two long ids may be one and the same floating-point number. */
function asWritten(_key: string, value: unknown, written?: { source?: string }): unknown {
  if (typeof value === 'number') return `number ${written?.source ?? value}`
  return typeof value === 'string' ? `text ${value}` : value
}

function sorted(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${sorted(each)}`).join()}}`
}
