/** `parsePdf` gives the text of a PDF, page by page. */
import { InputError } from '@clew/core'
import { optional } from '../load.ts'

/**
 * Pages are divided by an empty line.
 * @throws InputError when the bytes are no PDF that can be read, DefinitionError without the package `unpdf`, and the signal's reason.
 */
export async function parsePdf(bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
  const { getDocumentProxy } = await optional('unpdf', 'reading PDF', () => import('unpdf'))
  signal?.throwIfAborted()
  // The bytes are handed over and would be gone for the caller.
  const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 }).catch((cause: unknown) => {
    throw new InputError('The file is no PDF that can be read: damaged, or locked by a password. Use another source.', {
      cause,
    })
  })
  try {
    const pages: string[] = []
    for (let number = 1; number <= document.numPages; number++) {
      signal?.throwIfAborted()
      const page = await document.getPage(number)
      const { items } = await page.getTextContent()
      pages.push(items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join(''))
    }
    return pages.join('\n\n')
  } finally {
    await document.loadingTask.destroy()
  }
}
