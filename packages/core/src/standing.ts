/** Approvals that hold for the rest of a session. */
import { parseArguments } from './arguments.ts'
import type { AnswerGiven, Child } from './event.ts'
import type { Json } from './json.ts'
import type { RunState, Standing } from './state.ts'
import { childOf } from './state.ts'

/** Takes up what an answer decides for always, at whatever depth it was given. To be called before the answer is applied. */
export function addStanding(draft: RunState, event: AnswerGiven | Child): void {
  const found = standingOf(draft, event, [])
  if (found) draft.standing = [...(draft.standing ?? []), found]
}

function standingOf({ pending: calls }: RunState, event: AnswerGiven | Child, above: string[]): Standing | undefined {
  const pending = calls.find(({ call }) => call.id === event.id)
  if (!pending) return undefined
  const path = [...above, pending.agent]
  if (event.type === 'child') {
    const { event: inner } = event
    const child = childOf(pending)
    return child && (inner.type === 'child' || inner.type === 'answer') ? standingOf(child, inner, path) : undefined
  }
  const { answer } = event
  if (answer.type !== 'approve' || !answer.always) return undefined
  const { call } = pending
  if (answer.always === 'tool') return { path, tool: call.name }
  if (answer.always !== 'input') return { path, tool: call.name, pattern: answer.always.pattern }
  // What was approved is what runs, not what the model wrote.
  if (answer.input !== undefined) return { path, tool: call.name, input: answer.input }
  const parsed = parseArguments(call)
  return parsed.ok ? { path, tool: call.name, input: parsed.value } : undefined
}

/** Whether this call was approved by an answer to an earlier one. `input` is the parsed arguments, before validation. */
export function isApproved(standing: readonly Standing[], path: readonly string[], tool: string, input: Json): boolean {
  return standing.some(
    (each) =>
      sameJson(each.path, [...path]) &&
      each.tool === tool &&
      (each.input === undefined || sameJson(each.input, input)) &&
      (each.pattern === undefined || matches(each.pattern, input)),
  )
}

/** Every key of the pattern has to fit, others may be there; in texts `*` stands for any characters. */
function matches(pattern: Json, value: Json | undefined): boolean {
  if (typeof pattern === 'string') return typeof value === 'string' && matchesText(pattern.split('*'), value)
  if (typeof pattern !== 'object' || pattern === null || Array.isArray(pattern)) return sameJson(pattern, value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.keys(pattern).every((key) => Object.hasOwn(value, key) && matches(pattern[key]!, value[key]))
}

/** No regular expression: a pattern of many stars takes its time once. */
function matchesText([first = '', ...rest]: string[], text: string): boolean {
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}

/** The order of keys makes no difference. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => sameJson(item, b[at]))
  }
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
}
