/** `openrouterSearch` searches by a model that searches: its citations are the results. */
import { isClewError, type Json, type Model, type ModelReply, textOf } from '@clew/core'
import { z } from 'zod/v4'
import { NetworkError } from '../guard/net/network-error.ts'
import type { SearchProvider, SearchResult } from './search-provider.ts'
import { refused, words } from './search-service.ts'

export type OpenrouterSearchOptions = {
  /**
   * A model whose settings switch a search on: `openrouter(id, { serverTools: ['web_search'] })`, or
   * `openrouter(id, { plugins: [{ id: 'web', max_results: 5 }] })`. What it costs is not in the usage of the run.
   */
  model: Model
}

/** As OpenRouter standardises citations: https://openrouter.ai/docs/features/web-search. */
const citation = z.object({
  type: z.literal('url_citation'),
  url_citation: z.object({
    url: z.string(),
    title: words,
    content: words,
    start_index: z.number().nullish(),
    end_index: z.number().nullish(),
  }),
})

export function openrouterSearch({ model }: OpenrouterSearchOptions): SearchProvider {
  return {
    name: model.id,
    async search(query, { signal }) {
      const reply = await replyOf(model, query, signal)
      const text = textOf(reply.content)
      const found = new Map<string, SearchResult>()
      for (const annotation of reply.annotations ?? []) {
        const result = resultOf(annotation, text)
        if (result && !found.has(result.url)) found.set(result.url, result)
      }
      return [...found.values()]
    },
  }
}

async function replyOf(model: Model, query: string, signal: AbortSignal): Promise<ModelReply> {
  const content = `Search the web for the following, and name the pages that you found with a sentence about each:\n${query}`
  try {
    const answer = model.generate({ messages: [{ role: 'user', content }], tools: [], signal })
    for (;;) {
      const next = await answer.next()
      if (next.done) return next.value
    }
  } catch (error) {
    signal.throwIfAborted()
    // The message may hold words of the provider; the status says what a model needs to know.
    const status = isClewError(error, 'model') ? error.details.status : undefined
    if (status !== undefined) throw refused(model.id, status)
    throw new NetworkError('failed', `The search by ${model.id} failed. Try again later, or go on without it.`)
  }
}

/** Without an excerpt of the page, what the model said of it. */
function resultOf(annotation: Json, text: string): SearchResult | undefined {
  const read = citation.safeParse(annotation)
  if (!read.success) return undefined
  const { url, title, content, start_index, end_index } = read.data.url_citation
  return { url, title, snippet: content || text.slice(start_index ?? 0, end_index ?? 0) }
}
