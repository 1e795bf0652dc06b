/** `SearchProvider` is the seam to a search engine. */

export type SearchResult = {
  title: string
  url: string
  /** A few sentences of the page, as plain text. */
  snippet: string
  /** When the page was published, as the engine tells it. */
  date?: string
}

export type SearchRequest = {
  /** How many results are wanted; more are cut off. */
  count: number
  signal: AbortSignal
}

export type SearchProvider = {
  readonly name: string
  /** Searches on this machine: the query goes nowhere. */
  readonly isLocal?: true
  /** The best first; none is an empty list. Throws NetworkError. */
  search(query: string, request: SearchRequest): Promise<SearchResult[]>
}
