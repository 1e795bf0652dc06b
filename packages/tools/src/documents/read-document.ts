/** `readDocument()`: one page of a document of the program. */
import { InputError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import type { Documents } from './documents.ts'
import type { DocumentToolOptions } from './search-documents.ts'

const input = z.object({
  document: z.string().describe('The id of a document, as search_documents gives it'),
  page: z.int().min(1).default(1).describe('The page, from 1'),
})

/** `read_document`: the text of a page, with the number of pages that there are. */
export function readDocument(
  documents: Documents,
  { untrusted = false }: DocumentToolOptions = {},
): Tool<z.output<typeof input>> {
  return tool({
    name: 'read_document',
    description: 'Reads one page of a document. Quote from what you read here, word for word.',
    input,
    effect: 'pure',
    untrusted,
    maxResultChars: 10_000,
    execute: ({ document, page }) => {
      const found = documents.read(document, page)
      if (found) return { content: found, view: `page ${page} of ${found.pages}, ${found.text.length} characters` }
      const pages = documents.pageCount(document)
      if (pages > 0) throw new InputError(`"${document}" has ${pages} pages; there is no page ${page}.`)
      throw new InputError(`There is no document "${document}". Use an id that search_documents gave.`)
    },
    fake: ({ document, page }) => ({
      document,
      title: 'Notes',
      page,
      pages: page,
      text: `What stands in ${document}.`,
    }),
  })
}
