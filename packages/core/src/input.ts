/** What a caller may give an agent to work on. */
import { InputError } from './errors.ts'
import { repairHistory } from './history.ts'
import type { AssistantMessage, ContentPart, Message, ToolCall } from './message.ts'
import { isContentPart } from './message.ts'
import { isLegalName } from './tool.ts'
import { describeError, toJson } from './tool-result.ts'

/** A text, content parts (text and images, …), or messages. */
export type AgentInput = string | ContentPart[] | Message[]

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
    throw new InputError(`The input is ${shown(input)}; give a text, content parts or messages.`)
  }
  if (input.length === 0) throw new InputError('The input is an empty list. Give at least one message or content part.')
  const hasMessages = input.some((element) => element && typeof element === 'object' && 'role' in element)
  if (!hasMessages) {
    checkParts(input, 'The input')
    return [{ role: 'user', content: input as ContentPart[] }]
  }
  for (const [index, message] of input.entries()) checkMessage(message, `Input message ${index}`, allowSystemMessages)
  const messages = repairHistory(input as Message[])
  if (messages.length === 0)
    throw new InputError('The input holds results of tools only. Give the messages that they belong to as well.')
  return messages
}

/**
 * A private copy of what is added to a conversation that goes on: user messages only.
 * @throws InputError
 */
export function toUserMessages(input: AgentInput): Message[] {
  const messages = toMessages(input)
  const other = messages.find(({ role }) => role !== 'user')
  if (other) {
    throw new InputError(
      `A message with the role "${other.role}" cannot be added to a run that goes on. Give a text, content parts or user messages.`,
    )
  }
  return copyPlain(messages, 'The input')
}

function checkMessage(message: unknown, where: string, allowSystemMessages: boolean): asserts message is Message {
  if (typeof message !== 'object' || message === null || !('role' in message)) {
    throw new InputError(`${where} is ${shown(message)}; a message has a role and a content.`)
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
  if (role === 'user' && (content === '' || (Array.isArray(content) && content.length === 0))) {
    throw new InputError(`${where} is empty. Give the model something to answer, or leave the message out.`)
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
  for (const key of ['id', 'wireId'] as const) {
    const values = (calls as ToolCall[]).map((call) => call[key])
    if (new Set(values).size < values.length || values.includes('')) {
      throw new InputError(`${where} has toolCalls whose ${key} is empty or stands twice: ${shown(values)}.`)
    }
  }
  const unsendable = (calls as ToolCall[]).find((call) => !isLegalName(call.name) || !isObjectText(call.arguments))
  if (unsendable) {
    throw new InputError(
      `${where} has a call that no provider takes: ${shown(unsendable)}. Its name needs to be legal and its arguments the text of a JSON object.`,
    )
  }
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function checkParts(parts: unknown, where: string): void {
  if (!Array.isArray(parts)) throw new InputError(`${where} is ${shown(parts)}; give a text or content parts.`)
  for (const [index, part] of parts.entries()) {
    if (isContentPart(part)) continue
    if (part instanceof Promise) {
      throw new InputError(`${where}: part ${index} is a Promise. Await it: await image(…).`)
    }
    throw new InputError(
      `${where}: part ${index} is ${shown(part)}. Parts are { type: 'text', text }, { type: 'image', url }, ` +
        "{ type: 'file', filename, data }, { type: 'audio', data, format } or { type: 'video', url }; image() makes one from bytes or a file.",
    )
  }
}

/** A value in an error message: as JSON, long texts cut. */
function shown(value: unknown): string {
  const cut = (_: string, inner: unknown) =>
    typeof inner === 'string' && inner.length > 80 ? `${inner.slice(0, 80)}…` : inner
  return value === undefined ? 'undefined' : JSON.stringify(toJson(value), cut)
}

/** @throws InputError when there is something in it that is no JSON. */
export function copyPlain<Value>(value: Value, what: string): Value {
  try {
    // As a log gives it back: dates and their like would be one thing now, and another after a restart.
    return JSON.parse(JSON.stringify(structuredClone(value)))
  } catch (cause) {
    throw new InputError(`${what} holds something that is no plain JSON: ${describeError(cause)}`, { cause })
  }
}
