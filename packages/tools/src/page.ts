/** Long texts a page at a time: what the model reads of one, and how it reads on. */
import { InputError } from '@clew/core'

/** Characters of a page, at most; about 2,500 tokens. */
export const pageChars = 10_000

/** The page that begins at `from`, which words for the model go with it, and whether there is more. */
export type Page = { text: string; note: string; next?: number }

/**
 * `from` is the position of the page's first character (UTF-16 code units, as the note of the page before named it).
 * A page breaks at the end of a line where one is near, and never inside a character.
 * @throws InputError when nothing stands at `from`
 */
export function pageOf(text: string, from = 0, chars = pageChars): Page {
  if (from > 0 && from >= text.length) {
    throw new InputError(`The text has ${text.length} characters; none stands at ${from}. Choose a smaller "from".`)
  }
  const start = isLow(text.charCodeAt(from)) && from > 0 ? from + 1 : from
  const end = endOf(text, start, start + chars)
  const shown = text.slice(start, end)
  if (start === 0 && end >= text.length) return { text: shown, note: '' }
  const place = `Characters ${start} to ${end} of ${text.length}.`
  if (end >= text.length) return { text: shown, note: `[${place} This is the end.]` }
  return { text: shown, note: `[${place} Go on with "from": ${end}.]`, next: end }
}

function endOf(text: string, start: number, limit: number): number {
  if (limit >= text.length) return text.length
  const line = text.lastIndexOf('\n', limit - 1) + 1
  if (line > start + (limit - start) * 0.8) return line
  return isLow(text.charCodeAt(limit)) ? limit - 1 : limit
}

const isLow = (code: number) => code >= 0xdc00 && code <= 0xdfff
