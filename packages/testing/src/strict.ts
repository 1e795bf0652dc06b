/**
 * What providers refuse, refused here: each check answers 400 in the words of the field, so that a client that passes
 * against this server sends what every provider takes. Numbers in brackets are sections of OpenRouter's wire contract.
 */
import { isDeepStrictEqual } from 'node:util'
import { checkSchema, isRecord } from './strict-schema.ts'

export type ChatRequest = {
  model?: string
  messages: WireMessage[]
  tools?: WireTool[]
  tool_choice?: unknown
  stream?: boolean
  [field: string]: unknown
}
export type WireMessage = {
  role: string
  content?: unknown
  tool_calls?: WireCall[]
  tool_call_id?: string
  reasoning_details?: unknown[]
  [field: string]: unknown
}
export type WireCall = { id: string; type: 'function'; function: { name: string; arguments: string } }
export type WireTool = {
  type: string
  function?: { name: string; description?: string; parameters?: { [key: string]: unknown } }
}

const legalName = /^[a-zA-Z0-9_-]{1,64}$/
const ranges: { [field: string]: [min: number, max: number] } = {
  temperature: [0, 2],
  top_p: [Number.MIN_VALUE, 1],
  min_p: [0, 1],
  frequency_penalty: [-2, 2],
  presence_penalty: [-2, 2],
  repetition_penalty: [Number.MIN_VALUE, 2],
  top_k: [0, Number.MAX_SAFE_INTEGER],
  max_tokens: [1, Number.MAX_SAFE_INTEGER],
}

/** Details that this server gave with calls, and the model that it gave them for. */
export type Given = { model: string | undefined; details: unknown[] }
type Lookup = (callIds: string) => Given[] | undefined

/** The first reason to refuse the request, or undefined. `given` looks up what this server gave with calls. */
export function refusal(body: unknown, given: Lookup): string | undefined {
  if (!isRecord(body)) return 'The body is no JSON object'
  const { messages, tools } = body
  if (!Array.isArray(messages) || messages.length === 0) return 'messages: at least one is required'
  return (
    checkFields(body) ??
    checkTools(tools) ??
    checkToolChoice(body) ??
    checkMessages(messages as WireMessage[]) ??
    checkTurns(messages as WireMessage[]) ??
    checkReasoning(messages as WireMessage[], given, body.model)
  )
}

function checkFields(body: { [field: string]: unknown }): string | undefined {
  for (const [field, [min, max]] of Object.entries(ranges)) {
    const value = body[field]
    if (value === undefined || value === null) continue
    if (typeof value !== 'number' || value < min || value > max)
      return `${field}: ${JSON.stringify(value)} is not between ${min} and ${max}`
  }
  const reasoning = body.reasoning
  if (isRecord(reasoning) && reasoning.effort !== undefined && reasoning.max_tokens !== undefined) {
    return 'reasoning: only one of "effort" and "max_tokens" may be given'
  }
  const format = body.response_format
  if (format === undefined || format === null) return undefined
  if (!isRecord(format) || typeof format.type !== 'string') return 'response_format: type is required'
  if (format.type !== 'json_schema') return undefined
  const { json_schema: named } = format
  if (!isRecord(named) || !isLegalName(named.name) || !isRecord(named.schema))
    return 'response_format.json_schema: name and schema are required'
  return checkSchema(named.schema, named.schema, 'response_format.json_schema.schema')
}

function checkTools(tools: unknown): string | undefined {
  if (tools === undefined || tools === null) return undefined
  if (!Array.isArray(tools) || tools.length === 0) return 'tools: must be a non-empty array'
  const names = new Set<string>()
  for (const [index, tool] of (tools as WireTool[]).entries()) {
    if (typeof tool?.type === 'string' && tool.type.startsWith('openrouter:')) continue
    if (tool?.type !== 'function' || !isRecord(tool.function))
      return `tools[${index}]: type "function" with a function is required`
    const { name, parameters } = tool.function
    if (!isLegalName(name))
      return `tools[${index}].function.name: ${JSON.stringify(name)} does not match ^[a-zA-Z0-9_-]{1,64}$`
    if (names.has(name)) return `tools: Tool names must be unique, "${name}" is not`
    names.add(name)
    if (parameters === undefined || parameters === null) continue
    if (!isRecord(parameters) || parameters.type !== 'object') {
      const type = isRecord(parameters) && parameters.type ? JSON.stringify(parameters.type) : 'None'
      return `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: ${type}'`
    }
    const problem = checkSchema(parameters, parameters, `tools[${index}].function.parameters`)
    if (problem) return `Invalid schema for function '${name}': ${problem}`
  }
  return undefined
}

function checkToolChoice({
  tools,
  tool_choice: choice,
  parallel_tool_calls: parallel,
}: {
  [field: string]: unknown
}): string | undefined {
  if (parallel !== undefined && !tools) return "'parallel_tool_calls' is only allowed when 'tools' are specified"
  if (choice === undefined || choice === null) return undefined
  if (!tools) return "'tool_choice' is only allowed when 'tools' are specified"
  if (choice === 'auto' || choice === 'none' || choice === 'required') return undefined
  const name = isRecord(choice) && isRecord(choice.function) ? choice.function.name : undefined
  const known =
    isRecord(choice) && (tools as WireTool[]).some((tool) => tool.type === choice.type && tool.function?.name === name)
  return known ? undefined : `tool_choice: ${JSON.stringify(choice)} names no tool of the request`
}

/** Roles and contents (5, 13). */
function checkMessages(messages: WireMessage[]): string | undefined {
  for (const [index, message] of messages.entries()) {
    const where = `messages[${index}]`
    if (!isRecord(message)) return `${where}: must be an object`
    const { role, content } = message
    if (!['system', 'developer', 'user', 'assistant', 'tool'].includes(role))
      return `${where}.role: unknown role ${JSON.stringify(role)}`
    if ((role === 'system' || role === 'developer') && index > 0) return 'System message must be at the beginning'
    const hasContent = typeof content === 'string' || Array.isArray(content)
    const mayLack = role === 'assistant' && (message.tool_calls?.length ?? 0) > 0
    if (!hasContent && !(mayLack && (content === null || content === undefined)))
      return `${where}.content: ${JSON.stringify(content)} is not allowed for role ${role}`
    if (Array.isArray(content)) {
      const bad = content.findIndex((part) => !isRecord(part) || typeof part.type !== 'string')
      if (bad >= 0) return `${where}.content[${bad}]: a part with a type is required`
    }
  }
  return messages.some((message) => message.role === 'user') ? undefined : 'No user query found in messages'
}

/** Every call has one result, right behind it; no result without its call (5.2). */
function checkTurns(messages: WireMessage[]): string | undefined {
  let open: string[] = []
  let answered: string[] = []
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      const id = message.tool_call_id
      if (typeof id !== 'string' || id === '') return `messages[${index}].tool_call_id: is required`
      if (answered.includes(id)) return `messages[${index}]: a second result for tool call "${id}"`
      if (!open.includes(id))
        return `messages[${index}]: unexpected tool result: no tool call "${id}" in the message before`
      open = open.filter((other) => other !== id)
      answered.push(id)
      continue
    }
    if (open.length > 0)
      return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Missing: ${open.join(', ')}`
    answered = []
    if (message.role !== 'assistant' || !message.tool_calls) continue
    if (!Array.isArray(message.tool_calls)) return `messages[${index}].tool_calls: must be an array`
    for (const call of message.tool_calls) {
      const problem = checkCall(call, open)
      if (problem) return `messages[${index}].tool_calls: ${problem}`
      open.push(call.id)
    }
  }
  return open.length > 0 ? `tool_calls without results: ${open.join(', ')}` : undefined
}

function checkCall(call: WireCall, before: string[]): string | undefined {
  if (typeof call?.id !== 'string' || call.id === '') return 'a call without id'
  if (before.includes(call.id)) return `duplicate id "${call.id}"`
  if (!isLegalName(call.function?.name)) return `illegal function name ${JSON.stringify(call.function?.name)}`
  try {
    if (isRecord(JSON.parse(call.function.arguments))) return undefined
  } catch {
    // Told below.
  }
  return `the arguments of "${call.id}" are no JSON object: ${JSON.stringify(call.function?.arguments)}`
}

/** Signed and encrypted reasoning of a turn comes back whole and unchanged (6.4). */
function checkReasoning(messages: WireMessage[], given: Lookup, model: unknown): string | undefined {
  for (const [index, message] of messages.entries()) {
    if (message.role !== 'assistant' || !message.tool_calls) continue
    const expected = given(callIds(message.tool_calls))
    if (!expected) continue
    const where = `messages[${index}].reasoning_details`
    if (!message.reasoning_details) {
      // A model of another maker could not read them.
      if (!expected.some((each) => makerOf(each.model) === makerOf(model))) continue
      return `${where}: missing. Function call is missing a thought_signature: reasoning details must be preserved in each request`
    }
    if (!expected.some(({ details }) => isDeepStrictEqual(details, message.reasoning_details)))
      return `${where}: Invalid \`signature\` in \`thinking\` block: the details were changed`
  }
  return undefined
}

function makerOf(model: unknown): string {
  return String(model ?? '').split('/')[0] ?? ''
}

/** What identifies an assistant turn that called tools. */
export function callIds(calls: readonly { id: string }[]): string {
  return calls.map((call) => call.id).join('\n')
}

export function isSigned(details: readonly unknown[]): boolean {
  return details.some(
    (detail) =>
      isRecord(detail) &&
      (detail.type === 'reasoning.encrypted' || (typeof detail.signature === 'string' && detail.signature !== '')),
  )
}

function isLegalName(name: unknown): boolean {
  return typeof name === 'string' && legalName.test(name)
}
