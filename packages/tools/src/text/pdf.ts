/** `pdfText` takes the text out of a PDF, bounded in time and memory. */
import { InputError } from '@clew/core'
import { aside } from './aside.ts'

/**
 * Pages stand apart by an empty line. Needs the package `unpdf`.
 * @throws InputError for what cannot be read, DefinitionError without `unpdf`, and the signal's reason
 */
export async function pdfText(bytes: Uint8Array, signal?: AbortSignal): Promise<string> {
  const text = await aside({ pdf: bytes }, { timeoutMs: 20_000, ...(signal && { signal }) })
  if (text !== undefined) return text
  throw new InputError('The PDF cannot be read: it takes too much time or memory. Go on without it.')
}
