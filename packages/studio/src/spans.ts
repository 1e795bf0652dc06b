/** `spanRow()` and `spanContent()` read a span by the names that `@clew/tracing` and the conventions give its attributes. */
import type { Json } from '@clew/core'
import type { Attributes, TraceSpan } from '@clew/tracing'
import type { ModelRequestContent, Part, Said, SpanContent, SpanKind, SpanRow, ToolDefinition } from './wire.ts'

const kinds: { [operation: string]: SpanKind } = {
  invoke_agent: 'agent',
  chat: 'model',
  text_completion: 'model',
  generate_content: 'model',
  execute_tool: 'tool',
}

export function spanRow({ spanId, parentSpanId, name, startMs, ms, attributes, ...span }: TraceSpan): SpanRow {
  const kind = kinds[String(attributes['gen_ai.operation.name'])] ?? 'other'
  const [usage, cost] = kind === 'agent' ? ['clew.usage', 'clew.usage.cost.usd'] : ['gen_ai.usage', 'clew.cost.usd']
  const model = text(attributes['gen_ai.response.model']) ?? text(attributes['gen_ai.request.model'])
  const named = { agent: text(attributes['gen_ai.agent.name']), model, tool: text(attributes['gen_ai.tool.name']) }
  return defined({
    id: spanId,
    parent: parentSpanId,
    kind,
    name: (kind === 'other' ? undefined : named[kind]) ?? name,
    status: span.status === 'error' ? 'error' : span.state === 'ended' ? 'ok' : span.state,
    start: startMs,
    ms,
    model,
    provider: text(attributes['clew.upstream.provider']) ?? text(attributes['gen_ai.provider.name']),
    inputTokens: number(attributes[`${usage}.input_tokens`]),
    outputTokens: number(attributes[`${usage}.output_tokens`]),
    cachedTokens: number(attributes[`${usage}.cache_read.input_tokens`]),
    reasoningTokens: number(attributes[`${usage}.reasoning.output_tokens`]),
    usd: number(attributes[cost]),
    error: errorOf({ attributes, ...span }),
  })
}

/** `whole`: its attributes with what was said. What stands elsewhere is not repeated among the attributes. */
export function spanContent(span: TraceSpan, whole: Attributes): SpanContent {
  const [given, result] = ['arguments', 'result'].map((name) => parsed(whole[`gen_ai.tool.call.${name}`]))
  return defined({
    request: requestOf(whole),
    answer: messages(whole['gen_ai.output.messages']),
    arguments: given,
    result,
    error: errorOf(span),
    attributes: Object.fromEntries(Object.entries(whole).filter(([name]) => !said.has(name))),
    events: span.events.map(({ name, time, attributes = {} }) => ({ name, at: Number(time) / 1e6, attributes })),
  })
}

/** What was asked: the last words of a person before the first answer. */
export function titleOf(content: Attributes): string | undefined {
  const asked = messages(content['gen_ai.input.messages'])?.findLast(({ role }) => role === 'user')
  const texts = asked?.parts.flatMap((part) => (part.type === 'text' ? [String(part.content).slice(0, 300)] : []))
  return texts?.join(' ').slice(0, 300).trim().replaceAll(/\s+/g, ' ') || undefined
}

const said = new Set([
  'gen_ai.system_instructions',
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.tool.definitions',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
])

function errorOf({ status, message, attributes }: Pick<TraceSpan, 'status' | 'message' | 'attributes'>) {
  return status === 'error'
    ? (message ?? text(attributes['error.type']) ?? 'It failed, and does not say why.')
    : undefined
}

function requestOf(whole: Attributes): ModelRequestContent | undefined {
  const asked = messages(whole['gen_ai.input.messages'])
  if (!asked) return undefined
  const [standing, tools] = [parsed(whole['gen_ai.system_instructions']), parsed(whole['gen_ai.tool.definitions'])]
  const settings = Object.entries(whole).filter(([name]) => name.startsWith(setting))
  return defined({
    instructions: standing === undefined ? undefined : instructions(standing),
    tools: Array.isArray(tools) ? (tools.filter(isRecord) as ToolDefinition[]) : [],
    messages: asked,
    settings: Object.fromEntries(settings.map(([name, value]) => [name.slice(setting.length), value])),
  })
}

const setting = 'gen_ai.request.'

function instructions(value: Json): string {
  if (!Array.isArray(value)) return typeof value === 'string' ? value : JSON.stringify(value)
  return value.map((part) => (isRecord(part) ? String(part.content ?? '') : String(part))).join('\n')
}

/** Traces also come from other programs: what is no message is shown as text, never lost and never trusted. */
function messages(value: Json | undefined): Said[] | undefined {
  const list = parsed(value)
  if (list === undefined) return undefined
  if (!Array.isArray(list)) return [{ role: 'unknown', parts: [textPart(list)] }]
  return list.map((message) => {
    if (!isRecord(message)) return { role: 'unknown', parts: [textPart(message)] }
    const { role, parts, content, finish_reason } = message
    const given = Array.isArray(parts) ? parts : role === undefined ? [message] : [content ?? '']
    return {
      role: text(role) ?? 'note',
      parts: given.map((part) => (isRecord(part) && typeof part.type === 'string' ? (part as Part) : textPart(part))),
      ...(typeof finish_reason === 'string' && { finish_reason }),
    }
  })
}

function textPart(value: Json): Part {
  return { type: 'text', content: typeof value === 'string' ? value : JSON.stringify(value) }
}

/** Content is JSON in an attribute; another program may have given it as it is. */
function parsed(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value) as Json
  } catch {
    return value
  }
}

const text = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)
const number = (value: Json | undefined) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
const isRecord = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Without what is undefined. */
function defined<Shape extends object>(shape: { [Key in keyof Shape]: Shape[Key] | undefined }): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Shape
}
