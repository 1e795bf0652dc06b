/** Calls that a model wrote into its text, because its host did not read them (section 9.3 of the wire contract). */
import type { Json, ModelReply, ToolSpec } from '@clew/core'

type Call = NonNullable<ModelReply['toolCalls']>[number]

/**
 * The reply with its leaked calls as calls. They count as such at the very end of an answer without calls, in the syntax
 * of the model's own training, and with the name of a tool that was offered: an answer that only talks about such syntax
 * goes on behind it. What was not closed becomes a call that cannot be read, so that the model is asked again.
 */
export function withLeakedCalls(reply: ModelReply, tools: readonly ToolSpec[]): ModelReply {
  if (reply.toolCalls || tools.length === 0 || reply.finishReason !== 'stop' || typeof reply.content !== 'string')
    return reply
  const text = reply.content.trim() === '' ? (reply.reasoning ?? '') : reply.content
  const start = text.search(/<tool_call>|<function=/)
  if (start < 0) return reply
  const toolCalls = readCalls(text.slice(start).trim(), tools)
  if (!toolCalls) return reply
  const content = text === reply.content ? text.slice(0, start).trimEnd() : reply.content
  return { ...reply, content, toolCalls, finishReason: 'tool-calls' }
}

/** All of `text` as calls, or undefined. */
function readCalls(text: string, tools: readonly ToolSpec[]): Call[] | undefined {
  const calls: Call[] = []
  for (let rest = text; rest !== ''; ) {
    const isWrapped = rest.startsWith('<tool_call>')
    if (!isWrapped && !rest.startsWith('<function=')) return undefined
    const close = isWrapped ? '</tool_call>' : '</function>'
    const end = rest.indexOf(close)
    const written = end < 0 ? rest : rest.slice(0, end + close.length)
    const call = readCall(written.replace(/^<tool_call>\s*|\s*<\/tool_call>$/g, ''), tools)
    if (!call) return undefined
    calls.push(call)
    rest = rest.slice(written.length).replace(/^\s*(<\/tool_call>)?\s*/, '')
  }
  return calls
}

function readCall(written: string, tools: readonly ToolSpec[]): Call | undefined {
  const named = /^<function=([\w-]+)>/.exec(written)?.[1] ?? /^\{\s*"name"\s*:\s*"([\w-]+)"/.exec(written)?.[1]
  const tool = tools.find(({ name }) => name === named)
  if (!tool) return undefined
  if (written.startsWith('{')) return { name: tool.name, arguments: argumentsIn(written) }
  if (!written.endsWith('</function>')) return { name: tool.name, arguments: written }
  const pairs = [...written.matchAll(/<parameter=([^>\n]+)>\n?([\s\S]*?)\n?<\/parameter>/g)].map(
    ([, key = '', value = '']): [string, Json] => [key, typed(value, key, tool)],
  )
  return { name: tool.name, arguments: JSON.stringify(Object.fromEntries(pairs)) }
}

function argumentsIn(written: string): string {
  try {
    const { arguments: given = {} } = JSON.parse(written) as { arguments?: Json }
    return typeof given === 'string' ? given : JSON.stringify(given)
  } catch {
    return written
  }
}

/** Values of this syntax are untyped text: the schema says what is one. */
function typed(value: string, key: string, { parameters }: ToolSpec): Json {
  const { properties } = parameters as { properties?: { [key: string]: { type?: unknown } } }
  if (properties && Object.hasOwn(properties, key) && properties[key]?.type === 'string') return value
  try {
    return JSON.parse(value) as Json
  } catch {
    return value
  }
}
