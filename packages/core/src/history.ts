/** A history that every provider takes: each call has exactly one result, right behind it, in the order asked. */
import type { Message, ToolCall, ToolMessage } from './message.ts'

/** The first thing that a provider would refuse, in words, or undefined. Run over every request before it is sent. */
export function checkHistory(messages: readonly Message[]): string | undefined {
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at]!
    if (!isContent(message))
      return `the content of message ${at} (${message.role}) is neither a text nor a list of parts`
    if (message.role === 'tool')
      return `message ${at} is a result of call "${message.callId}", but no such call stands before it`
    if (message.role !== 'assistant' || !message.toolCalls?.length) continue
    const twice = message.toolCalls.length > 1 ? sharedWireId(message.toolCalls) : undefined
    if (twice !== undefined) return `message ${at} has two calls with the id "${twice}"`
    for (const call of message.toolCalls) {
      const result = messages[++at]
      if (result?.role !== 'tool' || result.callId !== call.id) {
        return `message ${at} should be the result of call "${call.id}" (${call.name})`
      }
      if (!isContent(result))
        return `the result of call "${call.id}" (${call.name}) is neither a text nor a list of parts`
    }
  }
  return undefined
}

function sharedWireId(calls: readonly ToolCall[]): string | undefined {
  const seen = new Set<string>()
  for (const { wireId } of calls) {
    if (seen.has(wireId)) return wireId
    seen.add(wireId)
  }
  return undefined
}

function isContent({ content }: Message): boolean {
  return typeof content === 'string' || Array.isArray(content)
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
