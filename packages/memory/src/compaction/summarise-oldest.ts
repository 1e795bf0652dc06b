/** `summariseOldest()`: the oldest atoms give way to one message that tells what they held. */
import type { Message } from '@clew/core'
import { type Draft, isEnough, looseSlots, messagesIn, replaceSlot, type Slot } from './draft.ts'
import type { CompactOptions } from './options.ts'
import { estimateMessage } from './tokens.ts'
import { countBehind, isLeftOutNote, isSummary, summaryMessage } from './words.ts'

/** Tokens kept free for the summary, at most; a quarter of low water in small windows. */
const roomForSummary = 4_000

/** What is summarised at a time, so that the request for a summary does not overflow in its turn: 0.75 with the margin. */
const shareOfWindow = 0.6
const margin = 1.25

/** `failed` when a summary could not be had or is of no use: what stood there before still does. */
export async function summariseOldest(
  draft: Draft,
  summarise: NonNullable<CompactOptions['summarise']>,
  signal: AbortSignal,
): Promise<'done' | 'failed'> {
  const chosen = isEnough(draft) ? [] : chooseOldest(draft)
  const limit = draft.window * shareOfWindow
  let first: Slot | undefined
  for (let from = 0; from < chosen.length; ) {
    const carried = first?.tokens ?? 0
    // A summary that leaves no room for what it should still take in is none.
    if (carried > limit / 2) return 'failed'
    const to = endOfPiece(chosen, from, limit - carried)
    const piece = chosen.slice(from, to)
    if (first) piece.unshift(first)
    if (!(await giveWay(draft, piece, summarise, signal))) return 'failed'
    first = piece[0]
    from = to
  }
  return 'done'
}

/** As many as are needed to come below low water with a summary in their place. None when a summary would save nothing. */
function chooseOldest(draft: Draft): Slot[] {
  const chosen: Slot[] = []
  let size = draft.size + Math.min(roomForSummary, draft.low / 4)
  let hasNews = false
  for (const slot of looseSlots(draft)) {
    if (size < draft.low && hasNews) break
    chosen.push(slot)
    size -= slot.tokens * draft.rate
    hasNews ||= isNews(slot)
  }
  const tokens = chosen.reduce((sum, slot) => sum + slot.tokens, 0)
  return hasNews && tokens > estimateMessage(summaryMessage('', chosen.length)) ? chosen : []
}

/**
 * At least one atom that is not compaction's own: an earlier summary alone is not summarised again. Nor is very little,
 * in front of a large atom: its summary would be longer than itself.
 */
function endOfPiece(chosen: readonly Slot[], from: number, limit: number): number {
  let tokens = 0
  let hasNews = false
  let to = from
  for (; to < chosen.length; to++) {
    const slot = chosen[to]!
    if (hasNews && tokens + slot.tokens > limit && tokens > limit * (margin - 1)) break
    tokens += slot.tokens
    hasNews ||= isNews(slot)
  }
  return to
}

function isNews(slot: Slot): boolean {
  const [message] = messagesIn(slot)
  return !isSummary(message) && !isLeftOutNote(message)
}

async function giveWay(
  draft: Draft,
  piece: readonly Slot[],
  summarise: NonNullable<CompactOptions['summarise']>,
  signal: AbortSignal,
): Promise<boolean> {
  const messages = piece.flatMap(messagesIn)
  const summary = await textFrom(summarise, messages, signal)
  if (summary.trim() === '') return false
  const count = messages.reduce((sum, message) => sum + countBehind(message), 0)
  const message = summaryMessage(summary, count)
  const tokens = piece.reduce((sum, slot) => sum + slot.tokens, 0)
  if (estimateMessage(message) >= tokens) return false
  for (const [at, slot] of piece.entries()) replaceSlot(draft, slot, at === 0 ? [message] : [])
  return true
}

/** Empty when it failed; what was aborted throws. */
async function textFrom(
  summarise: NonNullable<CompactOptions['summarise']>,
  messages: readonly Message[],
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  try {
    return String((await summarise(messages, signal)) ?? '')
  } catch {
    return ''
  } finally {
    signal.throwIfAborted()
  }
}
