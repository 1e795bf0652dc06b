/** `parsePdf` gives the text of a PDF, page by page, up to a length that nobody reads beyond. */
import { InputError } from '@clew/core'
import { optional } from '../load.ts'

const maxPages = 500
const maxChars = 5_000_000

/**
 * Pages stand apart by an empty line.
 * @throws InputError when the bytes are no PDF that can be read, DefinitionError without the package `unpdf`, and the signal's reason.
 */
export async function parsePdf(bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
  const { getDocumentProxy } = await optional('unpdf', 'reading PDF', () => import('unpdf'))
  signal?.throwIfAborted()
  // The bytes are handed over and would be gone for the caller.
  const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 }).catch((cause: unknown) => {
    const isLocked = cause instanceof Error && cause.name === 'PasswordException'
    const why = isLocked ? 'it asks for a password' : 'it is damaged or no PDF'
    throw new InputError(`The PDF cannot be read: ${why}. Go on without it.`, { cause })
  })
  try {
    const pages: string[] = []
    let chars = 0
    for (let number = 1; number <= document.numPages; number++) {
      signal?.throwIfAborted()
      if (number > maxPages || chars > maxChars) {
        pages.push(`[The rest, from page ${number} of ${document.numPages} on, was left out.]`)
        break
      }
      const page = await document.getPage(number)
      const { items } = await page.getTextContent()
      const text = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('')
      chars += text.length
      pages.push(text)
    }
    return pages.join('\n\n')
  } finally {
    await document.loadingTask.destroy()
  }
}
