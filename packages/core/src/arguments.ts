/** Tool calls as they arrive: arguments are read once, and what could not be sent back is repaired once. */
import type { Json } from './json.ts'
import { isTooDeep } from './json.ts'
import type { ToolCall } from './message.ts'
import type { ModelReply } from './model.ts'
import { isLegalName, legalise } from './tool.ts'

/** `text` is the JSON text that was read: what goes back to the provider. */
export type ParsedArguments =
  | { ok: true; value: { [key: string]: Json }; text: string }
  | { ok: false; problem: string }

/** The calls of a reply with ids of ours (`newId`), wire ids unique in the turn, sendable names and arguments. */
export function receiveCalls(calls: ModelReply['toolCalls'], newId: (index: number) => string): ToolCall[] {
  const wireIds = new Set<string>()
  return (calls ?? []).map((received, index) => {
    const given = { id: idOf(received.id), name: String(received.name ?? ''), arguments: textOf(received.arguments) }
    const id = newId(index)
    // Providers repeat or omit ids; theirs is kept where it can be, because reasoning entries may point at it.
    const wireId = given.id && !wireIds.has(given.id) ? given.id : `call_${id}`
    wireIds.add(wireId)
    const call: ToolCall = { id, wireId, name: given.name, arguments: given.arguments }
    const raw: NonNullable<ToolCall['raw']> = {}
    const parsed = parse(given.arguments)
    call.arguments = parsed.ok ? parsed.text : '{}'
    if (call.arguments !== given.arguments) raw.arguments = given.arguments
    if (!isLegalName(given.name)) {
      raw.name = given.name
      call.name = legalise(given.name)
    }
    return raw.name !== undefined || raw.arguments !== undefined ? { ...call, raw } : call
  })
}

function idOf(given: unknown): string | undefined {
  return typeof given === 'string' ? given : undefined
}

/** Some models give the arguments as an object, against the contract. */
function textOf(given: unknown): string {
  return typeof given === 'string' ? given : given === undefined || given === null ? '' : JSON.stringify(given)
}

/** What a call asks for, or what is wrong with it, in words for the model. */
export function parseArguments(call: ToolCall): ParsedArguments {
  return parse(call.raw?.arguments ?? call.arguments)
}

function parse(text: string, isRest = false): ParsedArguments {
  // Nothing at all is how many providers write a call without arguments.
  if (text === undefined || text === null || text.trim() === '') return { ok: true, value: {}, text: '{}' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // Some hosts stream `{}` first and the true arguments behind it.
    const rest = text.replace(/^(\s*\{\s*\}){1,10}(?=\s*\{)/, '')
    if (rest !== text && !isRest) return parse(rest, true)
    return {
      ok: false,
      problem: `the arguments are no valid JSON (${(error as Error).message}). You wrote: ${excerpt(text)}`,
    }
  }
  if (isTooDeep(value)) return { ok: false, problem: `the arguments are nested deeper than 500 levels` }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { ok: true, value: value as { [key: string]: Json }, text }
  }
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
  return { ok: false, problem: `the arguments must be a JSON object, but are ${kind}. You wrote: ${excerpt(text)}` }
}

function excerpt(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300).toWellFormed()}… (${text.length} characters)` : text
}
