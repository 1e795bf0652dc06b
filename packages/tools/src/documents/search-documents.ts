/** `searchDocuments()`: full-text search in the documents of a program. */
import { type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import type { Documents } from './documents.ts'

export type DocumentToolOptions = {
  /** Whoever wrote the documents could be a stranger: then their text is fenced, and the run is marked. Default: not. */
  untrusted?: boolean
}

const input = z.object({ query: z.string().min(1).describe('A few words that the page should hold') })

/** `search_documents`: the best pages, each with its document's id, its number and a snippet. */
export function searchDocuments(
  documents: Documents,
  { untrusted = false }: DocumentToolOptions = {},
): Tool<z.output<typeof input>> {
  return tool({
    name: 'search_documents',
    description:
      'Full-text search in the documents. Gives the best pages with a snippet of each; read them with read_document. Ask several short queries at once.',
    input,
    effect: 'pure',
    untrusted,
    maxResultChars: 10_000,
    execute: ({ query }) => {
      const hits = documents.search(query)
      const found = `${hits.length} ${hits.length === 1 ? 'hit' : 'hits'}`
      return { content: { query, hits }, view: hits[0] ? `${found}, best: ${hits[0].document}` : 'nothing found' }
    },
    fake: ({ query }) => ({
      query,
      hits: [{ document: 'notes.md', title: 'Notes', page: 1, snippet: `What the notes say of ${query}.` }],
    }),
  })
}
