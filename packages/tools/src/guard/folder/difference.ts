/** `difference` shows people what a change is about: a unified diff, or the sizes where that would be long. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

const maxChars = 100_000
/** Where texts have little in common, a diff is no help, and finding it takes long. */
const maxEditLength = 2000

export function difference(path: string, before: string, after: string): string {
  const sizes = `${path}: ${before.length} → ${after.length} characters`
  if (before.length + after.length > maxChars) return sizes
  const options = { context: 2, maxEditLength, timeout: 200, headerOptions: FILE_HEADERS_ONLY }
  return createTwoFilesPatch(path, path, before, after, undefined, undefined, options) ?? sizes
}
