/** `compaction()`: the middleware that keeps a conversation within its model's context. */
import type { Compaction, HistoryView, Middleware, Model, Usage } from '@clew/core'
import { addUsage } from '@clew/core'
import { compact } from './compact.ts'
import { type CompactOptions, checkOptions } from './options.ts'
import { summaryBy } from './summary.ts'
import { estimateNextTokens, estimateTokens } from './tokens.ts'

export type CompactionOptions = Omit<CompactOptions, 'window' | 'summarise'> & {
  /**
   * Tokens that the model's context holds. Default: what the model tells; where it tells nothing, the history is made
   * shorter only after the provider refused it.
   */
  window?: number
  /** Writes the summaries of what leaves; what it costs counts in the run. Without it, the oldest turns are left out. */
  summariser?: Model
}

/**
 * For `new Agent({ use: [compaction()] })`. Whole turns move, and what is replaced stays in the session's log. Between two
 * compactions the history only grows, so that prompt caches hold.
 * @throws InputError for an option that says nothing
 */
export function compaction(options: CompactionOptions = {}): Middleware {
  const { window, summariser, ...rest } = options
  checkOptions({ window: window ?? 1, ...rest }, undefined)
  return {
    name: 'compaction',
    async compact(view) {
      const room = roomFor(view, window)
      if (room === undefined) return undefined
      const spent: Usage[] = []
      const made = await compact(
        { ...view, usedTokens: room.used },
        { ...rest, window: room.window, ...(summariser && { summarise: summaryBy(summariser, spent) }) },
        view.signal,
      )
      return made && withUsage(made, spent)
    },
  }
}

/** What was refused is larger than the window, and than what was counted, whatever anybody told. */
function roomFor(view: HistoryView, window = view.contextTokens): { used: number; window: number } | undefined {
  const { counted, messages, overflow } = view
  const told = counted && estimateNextTokens({ inputTokens: counted.tokens, messages: counted.messages }, messages)
  if (!overflow) return window === undefined ? undefined : { used: told ?? estimateTokens(view), window }
  const used = Math.max(told ?? 0, estimateTokens(view))
  return { used, window: Math.max(1, Math.min(window ?? used, used) - 1) }
}

function withUsage(made: Compaction, spent: Usage[]): Compaction {
  const [first, ...others] = spent
  return first ? { ...made, usage: others.reduce(addUsage, first) } : made
}
