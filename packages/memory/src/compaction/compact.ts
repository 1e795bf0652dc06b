/** `compact()`: what stands in the place of the older part of a history, so that the next request fits the model's context. */
import type { Compaction } from '@clew/core'
import { type Draft, draftOf, looseSlots, messagesIn, recentSlots } from './draft.ts'
import { dropOldest } from './drop-oldest.ts'
import { dropSuperseded } from './drop-superseded.ts'
import { type CompactionView, type CompactOptions, checkOptions } from './options.ts'
import { shortenArguments } from './shorten-arguments.ts'
import { shortenResults } from './shorten-results.ts'
import { summariseOldest } from './summarise-oldest.ts'

/**
 * Makes the request smaller once it is above high water, with as much as it takes to come below low water:
 *
 * 1. long tool results → `artifacts`, with their beginning and the artifact's id in their place;
 * 2. results of calls that were made again later → one line;
 * 3. long texts in the arguments of calls → their beginning;
 * 4. the oldest atoms → one message with their summary;
 * 5. the oldest atoms → one line that says how many messages were left out. A summary goes last of all.
 *
 * Whole atoms move, so that no call loses its result and no turn its reasoning. System messages, pinned atoms, the last
 * user turns and all behind the last user message stay as they are. Nothing that was given is changed; the same input
 * gives the same result, as far as `artifacts` and `summarise` do. A summary that fails, is empty or is longer than what
 * it stands for is not taken; then atoms are dropped only where the request is still above high water.
 *
 * After an `overflow` that all of this does not help, long results of the last turns are shortened as well: the run would
 * end otherwise.
 *
 * @returns undefined below high water, and when nothing would help
 * @throws InputError for options that say nothing; the signal's reason when it fires; what `isPinned` throws
 */
export async function compact(
  view: CompactionView,
  options: CompactOptions,
  signal: AbortSignal,
): Promise<Compaction | undefined> {
  const checked = checkOptions(options, view.usedTokens)
  const draft = draftOf(view, checked)
  if (draft.size <= draft.high) return undefined
  await shortenResults(draft, checked, signal, looseSlots(draft))
  dropSuperseded(draft)
  shortenArguments(draft)
  const hasFailed = checked.summarise && (await summariseOldest(draft, checked.summarise, signal)) === 'failed'
  if (!hasFailed || draft.size > draft.high) dropOldest(draft)
  if (view.overflow) await shortenResults(draft, checked, signal, recentSlots(draft))
  return compactionOf(draft)
}

/** Up to the last change: what is kept in front of the first one is still a prefix that providers have in their cache. */
function compactionOf({ slots }: Draft): Compaction | undefined {
  const last = slots.findLastIndex(({ changed }) => changed !== undefined)
  if (last === -1) return undefined
  const { start, messages } = slots[last]!.atom
  return { upTo: start + messages.length, replacement: slots.slice(0, last + 1).flatMap(messagesIn) }
}
