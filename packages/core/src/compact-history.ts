/** The history made shorter before a model call: asked of middleware, checked, and told as an event. */
import { DefinitionError } from './errors.ts'
import type { RunEvent } from './event.ts'
import { checkHistory } from './history.ts'
import { receiveUsage } from './message.ts'
import type { Compaction, HistoryView, Middleware } from './middleware.ts'
import type { RunState } from './state.ts'
import type { World } from './world.ts'
import { settleAfterAbort } from './world.ts'

/** `overflow`: the provider refused the request as too long. An abort meanwhile ends it without a word; it is the caller's to see. */
export async function* compactHistory(state: RunState, world: World, overflow = false): AsyncGenerator<RunEvent[]> {
  for (const layer of world.use) {
    if (!layer.compact || world.signal.aborted) continue
    try {
      const asked = Promise.resolve(layer.compact(viewOf(state, world, overflow)))
      const made = await settleAfterAbort(asked, world.signal)
      if (made) yield [{ type: 'compacted', ...checked(made, state, layer) }]
    } catch (error) {
      if (!world.signal.aborted) throw error
    }
  }
}

function viewOf(state: RunState, { model, specs, signal }: World, overflow: boolean): HistoryView {
  const contextTokens = model.contextTokens?.()
  return {
    messages: [...state.messages],
    ...(state.instructions !== undefined && { instructions: state.instructions }),
    tools: specs,
    ...(state.counted && { counted: state.counted }),
    ...(contextTokens !== undefined && { contextTokens }),
    ...(overflow && { overflow }),
    signal,
  }
}

/** @throws DefinitionError when the rest would be no history that a provider takes. */
function checked({ upTo, replacement, usage }: Compaction, { messages }: RunState, { name }: Middleware): Compaction {
  const isInside = Number.isInteger(upTo) && upTo > 0 && upTo <= messages.length && Array.isArray(replacement)
  const problem = isInside
    ? checkHistory([...replacement, ...messages.slice(upTo)])
    : `upTo is ${JSON.stringify(upTo)} of ${messages.length} messages, with ${Array.isArray(replacement) ? replacement.length : 'no'} in their place`
  if (problem === undefined)
    return { upTo, replacement: structuredClone(replacement), ...(usage && { usage: receiveUsage(usage) }) }
  throw new DefinitionError(
    `Middleware "${name}": compact() gave a history that no provider would take: ${problem}. Replace whole turns: calls go with their results.`,
  )
}
