/** Search engines on the web, each as a `SearchProvider`. */
import { z } from 'zod/v4'
import type { SearchProvider, SearchResult } from './search-provider.ts'
import { checkKey, searchService, words } from './search-service.ts'

export type SearxngOptions = {
  /** Of your instance, for example `http://127.0.0.1:8888`. Its settings must allow the format `json`. */
  url: string | URL
}

export type KeyedSearchOptions = {
  key: string
  /** Of the service. Default: its own. */
  url?: string | URL
}

const dated = (date: string) => (date === '' ? {} : { date })
const list = <Entry extends z.ZodType>(entry: Entry) =>
  z
    .array(entry)
    .nullish()
    .transform((entries) => entries ?? [])

const searxngReply = z.object({
  results: list(z.object({ title: words, url: z.string(), content: words, publishedDate: words })),
})

/**
 * An instance of SearXNG (https://docs.searxng.org/dev/search_api.html).
 * @throws DefinitionError when `url` is no URL
 */
export function searxng({ url }: SearxngOptions): SearchProvider {
  const ask = searchService('searxng', url)
  return {
    name: 'searxng',
    async search(query, { count, signal }) {
      const { results } = await ask(searxngReply, { path: '/search', query: { q: query, format: 'json' }, signal })
      // It has no parameter for how many.
      return results.slice(0, count).map(
        ({ title, url, content, publishedDate }): SearchResult => ({
          title,
          url,
          snippet: content,
          ...dated(publishedDate),
        }),
      )
    },
  }
}

const braveReply = z.object({
  web: z
    .object({ results: list(z.object({ title: words, url: z.string(), description: words, page_age: words })) })
    .nullish(),
})

/**
 * Brave Search (https://api-dashboard.search.brave.com/app/documentation): at most 20 results.
 * @throws DefinitionError without a key
 */
export function brave({ key, url = 'https://api.search.brave.com' }: KeyedSearchOptions): SearchProvider {
  checkKey('brave', key)
  const ask = searchService('brave', url)
  return {
    name: 'brave',
    async search(query, { count, signal }) {
      const { web } = await ask(braveReply, {
        path: '/res/v1/web/search',
        query: { q: query, count: String(Math.min(count, 20)) },
        headers: { 'x-subscription-token': key },
        signal,
      })
      return (web?.results ?? []).map(
        ({ title, url, description, page_age }): SearchResult => ({
          title,
          url,
          snippet: description,
          ...dated(page_age),
        }),
      )
    },
  }
}

const tavilyReply = z.object({
  results: list(z.object({ title: words, url: z.string(), content: words, published_date: words })),
})

/**
 * Tavily (https://docs.tavily.com/documentation/api-reference/endpoint/search): at most 20 results.
 * @throws DefinitionError without a key
 */
export function tavily({ key, url = 'https://api.tavily.com' }: KeyedSearchOptions): SearchProvider {
  checkKey('tavily', key)
  const ask = searchService('tavily', url)
  return {
    name: 'tavily',
    async search(query, { count, signal }) {
      const { results } = await ask(tavilyReply, {
        path: '/search',
        headers: { authorization: `Bearer ${key}` },
        body: { query, max_results: Math.min(count, 20), search_depth: 'basic' },
        signal,
      })
      return results.map(
        ({ title, url, content, published_date }): SearchResult => ({
          title,
          url,
          snippet: content,
          ...dated(published_date),
        }),
      )
    },
  }
}

const exaReply = z.object({
  results: list(z.object({ title: words, url: z.string(), text: words, publishedDate: words })),
})

/**
 * Exa (https://docs.exa.ai/reference/search).
 * @throws DefinitionError without a key
 */
export function exa({ key, url = 'https://api.exa.ai' }: KeyedSearchOptions): SearchProvider {
  checkKey('exa', key)
  const ask = searchService('exa', url)
  return {
    name: 'exa',
    async search(query, { count, signal }) {
      const { results } = await ask(exaReply, {
        path: '/search',
        headers: { 'x-api-key': key },
        body: { query, numResults: count, contents: { text: { maxCharacters: 600 } } },
        signal,
      })
      return results.map(
        ({ title, url, text, publishedDate }): SearchResult => ({ title, url, snippet: text, ...dated(publishedDate) }),
      )
    },
  }
}
