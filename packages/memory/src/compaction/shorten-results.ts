/** `shortenResults()`: long results give way to their beginning and to the name of the artifact that has the rest. */
import type { Content, ContentPart, ToolMessage } from '@clew/core'
import { textOf } from '@clew/core'
import { type Draft, isEnough, messagesIn, replaceMessage, type Slot } from './draft.ts'
import type { CheckedOptions } from './options.ts'
import { estimateText } from './tokens.ts'
import { isStandIn, standIn } from './words.ts'

/** Characters of a result that stay, at most. */
const headChars = 500

export async function shortenResults(
  draft: Draft,
  options: CheckedOptions,
  signal: AbortSignal,
  slots: readonly Slot[],
): Promise<void> {
  for (const slot of slots) {
    for (const [at, message] of messagesIn(slot).entries()) {
      if (isEnough(draft)) return
      if (message.role === 'tool') await shortenResult(draft, slot, at, message, options, signal)
    }
  }
}

async function shortenResult(
  draft: Draft,
  slot: Slot,
  at: number,
  message: ToolMessage,
  { maxResultChars, artifacts }: CheckedOptions,
  signal: AbortSignal,
): Promise<void> {
  const text = textOf(message.content)
  if (text.length <= maxResultChars || isStandIn(text)) return
  const kept = Math.min(headChars, Math.floor(maxResultChars / 2))
  // Nothing is stored for a text that would hardly be shorter.
  if (estimateText(standIn(text, kept, '')) >= estimateText(text)) return
  let id: string | undefined
  if (artifacts) {
    signal.throwIfAborted()
    id = await store(artifacts, text)
    signal.throwIfAborted()
    // What could not be stored stays: cutting it would lose it.
    if (id === undefined) return
  }
  replaceMessage(draft, slot, at, { ...message, content: withText(message.content, standIn(text, kept, id)) })
}

async function store(artifacts: NonNullable<CheckedOptions['artifacts']>, text: string): Promise<string | undefined> {
  try {
    return await artifacts.put(text)
  } catch {
    return undefined
  }
}

/** Other parts stay; all text is now in the place of the first. */
function withText(content: Content, text: string): Content {
  if (typeof content === 'string') return text
  const first = content.findIndex((part) => part.type === 'text')
  return content.flatMap((part, at): ContentPart[] => {
    if (part.type !== 'text') return [part]
    return at === first ? [{ type: 'text', text }] : []
  })
}
