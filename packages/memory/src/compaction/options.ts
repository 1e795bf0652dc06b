/** What `compact()` takes: the view, the options and their defaults, and what cannot be used of them. */
import { InputError, type Message } from '@clew/core'
import type { RequestParts } from './tokens.ts'

/** What the next model request would be made of. */
export type CompactionView = RequestParts & {
  /** Tokens of the whole request now, where more is known than the estimate; see `estimateNextTokens()`. */
  usedTokens?: number
  /** The provider refused the request as too long: results of the last turns may be shortened, too. */
  overflow?: boolean
}

export type CompactOptions = {
  /** Tokens that the model's context holds. */
  window: number
  /** Compaction begins above this share of the window. Above `low`, at most 1; default 0.75. */
  high?: number
  /** Once begun, it goes on until the request is below this share of the window. Above 0; default 0.5. */
  low?: number
  /**
   * The last user turns that stay as they are; a user turn is a user message and all up to the next one. Default 2.
   * The last user message and what came after it stay in any case.
   */
  keepTurns?: number
  /** Whether a message, and with it its whole atom, must stay as it is. `index` is its place in the view. */
  isPinned?: (message: Message, index: number) => boolean
  /** Results with more characters of text go to `artifacts` first. Default 2,000. */
  maxResultChars?: number
  /** Keeps a long result and returns an id for `read_artifact`. Without it long results are cut, and say so. */
  artifacts?: { put(text: string): Promise<string> }
  /**
   * A summary of whole atoms, oldest first; a message that compaction made earlier may be the first of them. What is
   * longer than three quarters of the window comes in several pieces, each with the summary so far. Without it atoms are dropped.
   */
  summarise?: (messages: readonly Message[], signal: AbortSignal) => Promise<string>
}

export type CheckedOptions = CompactOptions &
  Required<Pick<CompactOptions, 'high' | 'low' | 'keepTurns' | 'maxResultChars'>>

/** @throws InputError for a number that says nothing */
export function checkOptions(options: CompactOptions, usedTokens: number | undefined): CheckedOptions {
  const { window, high = 0.75, low = 0.5, keepTurns = 2, maxResultChars = 2_000 } = options
  if (!(window > 0 && Number.isFinite(window))) {
    throw wrong('window', window, "give the tokens that the model's context holds, for example 128000")
  }
  if (!(high > 0 && high <= 1)) throw wrong('high', high, 'give a share of the window above 0 and up to 1')
  if (!(low > 0 && low <= 1)) throw wrong('low', low, 'give a share of the window above 0 and below high')
  if (high <= low) throw wrong('high', high, `it must be above low, which is ${low}`)
  if (!(Number.isInteger(keepTurns) && keepTurns >= 0)) {
    throw wrong('keepTurns', keepTurns, 'give a whole number from 0 on')
  }
  if (!(maxResultChars > 0)) throw wrong('maxResultChars', maxResultChars, 'give a number of characters above 0')
  if (usedTokens !== undefined && !(usedTokens >= 0 && Number.isFinite(usedTokens))) {
    throw wrong('usedTokens', usedTokens, 'give the tokens of the request, or leave it out')
  }
  return { ...options, high, low, keepTurns, maxResultChars }
}

function wrong(name: string, value: unknown, next: string): InputError {
  return new InputError(`compact: ${name} is ${String(value)}; ${next}.`)
}
