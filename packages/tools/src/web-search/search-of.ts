/** `searchOf` searches documents of your own, without any network. */
import MiniSearch from 'minisearch'
import type { SearchProvider, SearchResult } from './search-provider.ts'

export type SearchDocument = { title: string; url: string; text: string; date?: string }

const snippetChars = 300

/** Words count as they stand, with their beginnings and with small misspellings; those of the title twice. */
export function searchOf(documents: readonly SearchDocument[]): SearchProvider {
  const index = new MiniSearch<SearchDocument & { id: number }>({
    fields: ['title', 'text'],
    searchOptions: { boost: { title: 2 }, prefix: true, fuzzy: 0.2 },
  })
  index.addAll(documents.map((document, id) => ({ ...document, id })))
  return {
    name: 'documents',
    isLocal: true,
    async search(query, { count }) {
      return index
        .search(query)
        .slice(0, count)
        .map(({ id, terms }): SearchResult => {
          const { title, url, text, date } = documents[id as number]!
          return { title, url, snippet: around(text, terms), ...(date !== undefined && { date }) }
        })
    },
  }
}

/** The part of a text where the first of the words stands. */
function around(text: string, terms: readonly string[]): string {
  const lower = text.toLowerCase()
  const places = terms.map((term) => lower.indexOf(term)).filter((place) => place >= 0)
  const start = Math.max(0, Math.min(...places, text.length) - snippetChars / 4)
  const part = text.slice(places.length === 0 ? 0 : start, (places.length === 0 ? 0 : start) + snippetChars)
  return part.replace(/^\S*\s/, (cut) => (start === 0 || places.length === 0 ? cut : '… ')).toWellFormed()
}
