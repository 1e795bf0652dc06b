/** Spans for the pages to show: as `trace()` writes them, with times that a test chooses. */
import { createHash } from 'node:crypto'
import type { AttributeValue, SpanData } from '@clew/tracing'

export type Sketch = {
  id: string
  parent?: string
  name?: string
  /** Milliseconds from the start of the run. */
  at?: number
  /** Left out: it goes on. */
  ms?: number
  error?: string
  op?: 'invoke_agent' | 'chat' | 'execute_tool'
  attributes?: { [name: string]: unknown }
}

/** All spans of one trace, which began at `start`. */
export function traceOf(name: string, start: number, sketches: Sketch[]): SpanData[] {
  return sketches.map(({ id, parent, at = 0, ms, error, op, attributes = {}, ...sketch }) => ({
    traceId: hex(name, 32),
    spanId: hex(`${name} ${id}`, 16),
    ...(parent !== undefined && { parentSpanId: hex(`${name} ${parent}`, 16) }),
    name: sketch.name ?? `${op} ${id}`,
    kind: op === 'chat' ? 'client' : 'internal',
    start: nanoseconds(start + at),
    ...(ms !== undefined && { end: nanoseconds(start + at + ms) }),
    status: error === undefined ? 'unset' : 'error',
    ...(error !== undefined && { message: error }),
    attributes: { ...(op && { 'gen_ai.operation.name': op }), ...attributes } as { [name: string]: AttributeValue },
    events: [],
    links: [],
    origin: { resource: { 'service.name': 'desk.ts' }, scope: { name: '@clew/tracing' } },
  }))
}

export const traceId = (name: string) => hex(name, 32)
export const spanId = (name: string, id: string) => hex(`${name} ${id}`, 16)

const hex = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length)
const nanoseconds = (ms: number) => `${Math.round(ms * 1000)}000`

type Said = { role: string; parts: { type: string; [key: string]: unknown }[]; finish_reason?: string }

export const says = (role: string, text: string): Said => ({ role, parts: [{ type: 'text', content: text }] })

export const calls = (...asked: { id: string; name: string; arguments: object }[]): Said => ({
  role: 'assistant',
  parts: asked.map((call) => ({ type: 'tool_call', ...call })),
})

export const gave = (id: string, response: string): Said => ({
  role: 'tool',
  parts: [{ type: 'tool_call_response', id, response }],
})

export type Asked = {
  instructions?: string
  tools?: object[]
  messages: Said[]
  answer?: Said
  model?: string
  usage?: number[]
  usd?: number
}

/** What stands on a model call: `usage` is input, output and cached tokens. */
export function chat({ instructions, tools, messages, answer, model = 'qwen/qwen3.5-9b', usage, usd }: Asked) {
  const [input, output, cached] = usage ?? []
  const facts = {
    'gen_ai.request.model': model,
    'gen_ai.response.model': model,
    'gen_ai.provider.name': 'openrouter',
    'clew.upstream.provider': 'Alibaba',
    'gen_ai.system_instructions': instructions && JSON.stringify([{ type: 'text', content: instructions }]),
    'gen_ai.tool.definitions': tools && JSON.stringify(tools),
    'gen_ai.input.messages': JSON.stringify(messages),
    'gen_ai.output.messages': answer && JSON.stringify([answer]),
    'gen_ai.usage.input_tokens': input,
    'gen_ai.usage.output_tokens': output,
    'gen_ai.usage.cache_read.input_tokens': cached,
    'clew.cost.usd': usd,
    'clew.retries': 0,
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}
