/** A provider's cache serves a request that begins as the one before it: this finds what keeps it from doing so. */
import type { ModelRequest } from '@clew/core'

export type PrefixBreak = 'instructions' | 'tools' | 'messages'

/** What of `before` is not there any more, in the order in which it is sent. */
export function breakIn(before: ModelRequest, now: ModelRequest): PrefixBreak | undefined {
  if (!same(before.tools, now.tools)) return 'tools'
  if (before.instructions !== now.instructions) return 'instructions'
  return before.messages.every((message, index) => same(message, now.messages[index])) ? undefined : 'messages'
}

/** Messages of one run are mostly the same objects. */
function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
