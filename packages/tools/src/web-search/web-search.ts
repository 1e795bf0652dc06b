/** `webSearch` lets a model search with the engine that the program chose. */
import { DefinitionError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { checkNames } from '../guard/check-option.ts'
import { plainText } from '../text/plain-text.ts'
import type { SearchProvider, SearchResult } from './search-provider.ts'

export type WebSearchOptions = {
  /** `searxng()`, `brave()`, `tavily()`, `exa()`, `openrouterSearch()`, `searchOf()`, or one of your own. */
  provider: SearchProvider
  /** Results when the model names no number, 1 to 20. Default 5. */
  count?: number
}

const most = 20
const maxTitle = 200
const maxSnippet = 600

const input = z.object({
  query: z.string().min(1).max(1_000).describe('What to search for: a few words, or a question'),
  count: z.number().int().min(1).max(most).optional().describe('How many results to give. Leave it out for the usual.'),
})

/** @throws DefinitionError for an option that cannot be used */
export function webSearch(options: WebSearchOptions): Tool<z.output<typeof input>> {
  checkNames('webSearch', options, ['provider', 'count'])
  const { provider, count: usual = 5 } = options
  if (typeof provider?.search !== 'function') {
    throw new DefinitionError('webSearch: provider is missing. Give one, such as searxng({ url }) or brave({ key }).')
  }
  if (!Number.isInteger(usual) || usual < 1 || usual > most) {
    throw new DefinitionError(`webSearch: count is ${String(usual)}; give a whole number from 1 to ${most}.`)
  }
  return tool({
    name: 'web_search',
    description:
      'Searches the web and gives title, URL and a few sentences of the best pages. Use it for facts that you do not know or that may have changed.',
    input,
    effect: 'pure',
    untrusted: true,
    ...(!provider.isLocal && { sends: true }),
    timeoutMs: 60_000,
    maxResultChars: 40_000,
    async execute({ query, count = usual }, { signal, fence }) {
      const found = await provider.search(query, { count, signal })
      return listed(found.slice(0, count), fence)
    },
    fake({ query, count = usual }, { fence }) {
      const found = Array.from({ length: Math.min(count, 2) }, (_, at) => ({
        title: `Page ${at + 1} about ${query}`,
        url: `https://example.com/${at + 1}`,
        snippet: `What page ${at + 1} says about ${query}.`,
      }))
      return listed(found, fence)
    },
  })
}

function listed(found: SearchResult[], fence: (text: string) => string) {
  if (found.length === 0) return 'Nothing was found. Search with other or fewer words.'
  const list = found.map(({ title, url, snippet, date }, at) => {
    const head = `${at + 1}. ${line(title, maxTitle) || '(no title)'}${date ? ` (${line(date, 40)})` : ''}`
    return [head, `   ${line(url, 2_000)}`, ...(snippet ? [`   ${line(snippet, maxSnippet)}`] : [])].join('\n')
  })
  const count = `${found.length} result${found.length === 1 ? '' : 's'}, the best first:`
  return { content: `${count}\n${fence(list.join('\n'))}`, view: found.map(({ title, url }) => ({ title, url })) }
}

/** Engines send HTML, and lines of their own. */
function line(text: string, chars: number): string {
  const plain = plainText(String(text)).replace(/\s+/g, ' ').trim()
  return plain.length > chars ? `${plain.slice(0, chars).toWellFormed()}…` : plain
}
