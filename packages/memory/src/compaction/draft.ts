/** A history under compaction: what stands in place of each atom by now, and how large the request is. */
import type { Message } from '@clew/core'
import { type Atom, atomsOf } from './atoms.ts'
import type { CheckedOptions, CompactionView } from './options.ts'
import { estimateInstructions, estimateMessage, estimateTools } from './tokens.ts'
import { isLeftOutNote, isSummary } from './words.ts'

export type Slot = {
  readonly atom: Atom
  /** Nothing in it may change. */
  readonly isFixed: boolean
  /** Fixed for the only reason that it is one of the last. */
  readonly isRecent: boolean
  /** By the estimate, of what stands here now. */
  tokens: number
  /** What stands in the atom's place; absent while that is the atom itself. */
  changed?: Message[]
}

export type Draft = {
  readonly slots: readonly Slot[]
  /** Tokens of the whole request by now. */
  size: number
  /** Tokens that are really freed for each that the estimate says; never more than 1. */
  readonly rate: number
  /** All three in tokens. */
  readonly window: number
  readonly high: number
  readonly low: number
}

export function draftOf(view: CompactionView, options: CheckedOptions): Draft {
  const atoms = atomsOf(view.messages)
  const fixedFrom = firstFixed(atoms, options.keepTurns)
  const slots = atoms.map((atom, index): Slot => {
    const isPinned = () => atom.messages.some((message, at) => options.isPinned?.(message, atom.start + at))
    const isKept = atom.kind === 'system' || isPinned()
    const isLate = index >= fixedFrom
    return { atom, isFixed: isKept || isLate, isRecent: isLate && !isKept, tokens: tokensOf(atom.messages) }
  })
  const estimate = slots.reduce(
    (sum, slot) => sum + slot.tokens,
    estimateInstructions(view.instructions) + estimateTools(view.tools),
  )
  const size = view.usedTokens ?? estimate
  return {
    slots,
    size,
    // An estimate above what the provider counted must not make believe that more was freed than there was.
    rate: estimate > size ? size / estimate : 1,
    window: options.window,
    high: options.high * options.window,
    low: options.low * options.window,
  }
}

/** Below low water: no tier has to go on. */
export function isEnough({ size, low }: Draft): boolean {
  return size < low
}

/** What may be changed and still stands, oldest first. */
export function looseSlots({ slots }: Draft): Slot[] {
  return slots.filter((slot) => !slot.isFixed && messagesIn(slot).length > 0)
}

/** What only has to stay because it is new, oldest first. */
export function recentSlots({ slots }: Draft): Slot[] {
  return slots.filter(({ isRecent }) => isRecent)
}

export function messagesIn({ atom, changed }: Slot): readonly Message[] {
  return changed ?? atom.messages
}

/** Puts `message` at the place `at` of a slot, unless it is no smaller than what stands there. */
export function replaceMessage(draft: Draft, slot: Slot, at: number, message: Message): void {
  const saved = estimateMessage(messagesIn(slot)[at]!) - estimateMessage(message)
  if (saved <= 0) return
  slot.changed ??= [...slot.atom.messages]
  slot.changed[at] = message
  slot.tokens -= saved
  draft.size -= saved * draft.rate
}

/** Puts `messages` in the place of all that stands in a slot. */
export function replaceSlot(draft: Draft, slot: Slot, messages: Message[]): void {
  const tokens = tokensOf(messages)
  draft.size -= (slot.tokens - tokens) * draft.rate
  slot.tokens = tokens
  slot.changed = messages
}

export function tokensOf(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + estimateMessage(message), 0)
}

/**
 * The last `keepTurns` user turns, and in any case what the model works on now: the last user message and all behind it.
 * Compaction's own messages begin no turn of the user; without a message of a user all is the work of now.
 */
function firstFixed(atoms: readonly Atom[], keepTurns: number): number {
  const byUser = atoms.flatMap(({ kind, messages: [message] }, index) =>
    kind === 'user' && !isSummary(message) && !isLeftOutNote(message) ? [index] : [],
  )
  return byUser[Math.max(0, byUser.length - Math.max(1, keepTurns))] ?? 0
}
