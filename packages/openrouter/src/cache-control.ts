/** Marks for providers that cache only what is marked (section 4.2 of the wire contract). */

type WireMessage = { role: string; content?: unknown }
type Mark = { type: 'ephemeral'; ttl?: string }

export function toMark(cacheControl: boolean | { ttl: string } | undefined): Mark | undefined {
  if (!cacheControl) return undefined
  return { type: 'ephemeral', ...(cacheControl !== true && { ttl: cacheControl.ttl }) }
}

/**
 * Which of the messages end with a mark, at most three, so that a provider's limit of four is never met: the system
 * message (tools stand before it), the end of this request, and the end of the request before, which this one reads.
 */
export function markedPositions(roles: readonly string[]): number[] {
  const lastAnswer = roles.lastIndexOf('assistant')
  const positions = [roles[0] === 'system' ? 0 : -1, lastAnswer - 1, roles.length - 1]
  return [...new Set(positions)].filter((at) => at >= 0 && roles[at] !== 'assistant')
}

/** The message with a mark on its last part, and on no other. */
export function withMark(message: WireMessage, mark: Mark): object {
  const { content } = message
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  if (!Array.isArray(parts) || parts.length === 0) return message
  return { ...message, content: [...parts.slice(0, -1), { ...parts.at(-1), cache_control: mark }] }
}
