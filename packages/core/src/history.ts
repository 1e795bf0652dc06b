/** A history that every provider takes: each call has exactly one result, right behind it, in the order asked. */
import { InputError } from './errors.ts'
import type { AssistantMessage, Message, ToolMessage } from './message.ts'
import { isContentPart } from './output.ts'

/** The first thing that a provider would refuse, in words, or undefined. Run over every request before it is sent. */
export function checkHistory(messages: readonly Message[]): string | undefined {
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at]!
    if (message.role === 'tool')
      return `message ${at} is a result of call "${message.callId}", but no such call stands before it`
    if (message.role !== 'assistant' || !message.toolCalls?.length) continue
    const wireIds = new Set<string>()
    for (const call of message.toolCalls) {
      if (wireIds.has(call.wireId)) return `message ${at} has two calls with the id "${call.wireId}"`
      wireIds.add(call.wireId)
      const result = messages[++at]
      if (result?.role !== 'tool' || result.callId !== call.id) {
        return `message ${at} should be the result of call "${call.id}" (${call.name})`
      }
    }
  }
  return undefined
}

/** Puts results behind their calls in the order asked, says "interrupted" for missing ones, drops those without a call. */
export function repairHistory(messages: readonly Message[]): Message[] {
  const repaired: Message[] = []
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at]!
    if (message.role === 'tool') continue
    repaired.push(message)
    if (message.role !== 'assistant' || !message.toolCalls?.length) continue
    const results = new Map<string, ToolMessage>()
    for (let next = messages[at + 1]; next?.role === 'tool'; next = messages[++at + 1]) {
      if (!results.has(next.callId)) results.set(next.callId, next)
    }
    for (const { id, name } of message.toolCalls) {
      const missing: ToolMessage = {
        role: 'tool',
        callId: id,
        name,
        content: 'Interrupted: there is no result.',
        isError: true,
      }
      repaired.push(results.get(id) ?? missing)
    }
  }
  return repaired
}

export type AgentInput = string | Extract<Message['content'], unknown[]> | Message[]

/**
 * What a caller gave as input, as messages.
 * @throws InputError naming the element that cannot be used, and what to write instead.
 */
export function toMessages(input: AgentInput, allowSystemMessages = false): Message[] {
  if (typeof input === 'string') {
    if (input.trim() === '') throw new InputError('The input is an empty text. Give the model something to answer.')
    return [{ role: 'user', content: input }]
  }
  if (!Array.isArray(input)) {
    throw new InputError(
      `The input is ${input === null ? 'null' : typeof input}; give a text, content parts or messages.`,
    )
  }
  if (input.length === 0) throw new InputError('The input is an empty list. Give at least one message or content part.')
  const isParts = input.every(
    (element) => element && typeof element === 'object' && 'type' in element && !('role' in element),
  )
  if (isParts) {
    checkParts(input, 'The input')
    return [{ role: 'user', content: input as Extract<Message['content'], unknown[]> }]
  }
  for (const [index, message] of input.entries()) checkMessage(message, `Input message ${index}`, allowSystemMessages)
  return repairHistory(input as Message[])
}

function checkMessage(message: unknown, where: string, allowSystemMessages: boolean): asserts message is Message {
  if (typeof message !== 'object' || message === null || !('role' in message)) {
    throw new InputError(`${where} is ${JSON.stringify(message)}; a message has a role and a content.`)
  }
  const { role, content } = message as { role: unknown; content?: unknown }
  if (role === 'system' && !allowSystemMessages) {
    throw new InputError(
      `${where} has the role "system". Messages may come from strangers, so this is refused: put standing words in the ` +
        "agent's instructions, or pass allowSystemMessages: true when you wrote the messages yourself.",
    )
  }
  if (role !== 'system' && role !== 'user' && role !== 'assistant' && role !== 'tool') {
    throw new InputError(`${where} has the unknown role ${JSON.stringify(role)}; use user, assistant or tool.`)
  }
  if (typeof content !== 'string') checkParts(content, `The content of ${where.toLowerCase()}`)
  if (role === 'tool' && typeof (message as { callId?: unknown }).callId !== 'string') {
    throw new InputError(
      `${where} is a tool result without callId. Clew's form is { role: 'tool', callId, name, content }.`,
    )
  }
  if ('tool_calls' in message) {
    throw new InputError(`${where} has tool_calls. Clew's form is toolCalls: [{ id, wireId, name, arguments }].`)
  }
  if (role === 'assistant') checkCalls((message as AssistantMessage).toolCalls, where)
}

function checkCalls(calls: unknown, where: string): void {
  if (calls === undefined) return
  const isCall = (call: unknown) =>
    typeof call === 'object' &&
    call !== null &&
    ['id', 'wireId', 'name', 'arguments'].every((key) => typeof (call as never)[key] === 'string')
  if (!Array.isArray(calls) || !calls.every(isCall)) {
    throw new InputError(`${where} has toolCalls that are not [{ id, wireId, name, arguments }], all of them texts.`)
  }
}

function checkParts(parts: unknown, where: string): void {
  if (!Array.isArray(parts)) throw new InputError(`${where} is ${JSON.stringify(parts)}; give a text or content parts.`)
  for (const [index, part] of parts.entries()) {
    if (isContentPart(part)) continue
    const shown = JSON.stringify(part, (_, value) =>
      typeof value === 'string' && value.length > 80 ? `${value.slice(0, 80)}…` : value,
    )
    throw new InputError(
      `${where}: part ${index} is ${shown}. Parts are { type: 'text', text }, { type: 'image', url }, ` +
        "{ type: 'file', filename, data }, { type: 'audio', data, format } or { type: 'video', url }; image() makes one from bytes or a file.",
    )
  }
}
