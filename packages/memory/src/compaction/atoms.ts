/** `atomsOf()`: a history cut into the pieces that may only be moved whole. */
import type { Message } from '@clew/core'

/**
 * What is kept, moved or left out as one: a system message, a user message, or a turn. A turn is an assistant message
 * with its reasoning, its calls and all their results, so that none of them can lose another.
 */
export type Atom = {
  kind: 'system' | 'user' | 'turn'
  /** The position of its first message. */
  start: number
  /** At least one; the very objects of the history. */
  messages: readonly Message[]
}

/**
 * Every message stands in exactly one atom, in order. Calls at the end that have no result yet are part of their turn.
 * Results without a call, which `checkHistory` refuses, are counted to what stands before them where that is a turn.
 */
export function atomsOf(messages: readonly Message[]): Atom[] {
  const atoms: Atom[] = []
  let start = 0
  for (let at = 1; at <= messages.length; at++) {
    if (at < messages.length && belongsTo(messages[at - 1]!, messages[at]!)) continue
    atoms.push({ kind: kindOf(messages[start]!), start, messages: messages.slice(start, at) })
    start = at
  }
  return atoms
}

function belongsTo(before: Message, message: Message): boolean {
  return message.role === 'tool' && kindOf(before) === 'turn'
}

function kindOf({ role }: Message): Atom['kind'] {
  return role === 'system' || role === 'user' ? role : 'turn'
}
