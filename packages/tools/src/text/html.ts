/** `readHtml` reads a page, whatever its author had in mind. */
import { type AsideOptions, aside } from './aside.ts'
import type { HtmlText } from './parse-html.ts'
import { plainText } from './plain-text.ts'

export type { HtmlText } from './parse-html.ts'

export type ReadHtmlOptions = AsideOptions & {
  /** Where it was found: links become absolute. */
  url?: string
}

/** Characters of HTML that are read, at most. */
export const maxHtmlChars = 2_000_000
/** Levels of elements that the parsers, which call themselves, go down without harm. */
const maxDepth = 250

/**
 * The article of a page, parsed on a thread of its own. One that is nested too deep, or takes too long, comes as its bare
 * words without title.
 * @throws DefinitionError without the packages `linkedom`, `@mozilla/readability` and `turndown`, and the signal's reason.
 */
export async function readHtml(html: string, { url, ...bounds }: ReadHtmlOptions = {}): Promise<HtmlText> {
  bounds.signal?.throwIfAborted()
  const page = html.slice(0, maxHtmlChars)
  const parsed = isTooDeep(page) ? undefined : await aside({ html: page, ...(url !== undefined && { url }) }, bounds)
  if (parsed) return parsed
  const text = plainText(page)
  return { title: '', markdown: text, text }
}

/** HTML closes these by itself. */
const unnested =
  /^(area|base|br|col|dd|dt|embed|hr|img|input|li|link|meta|option|p|source|tbody|td|tfoot|th|thead|tr|track|wbr)$/i

/** Scripts, styles and comments as a whole: tags in them are none. */
const tags = /<(script|style)\b[\s\S]*?(?:<\/\1|$)|<!--[\s\S]*?(?:-->|$)|<(\/?)([a-z][a-z\d-]*)/gi

function isTooDeep(html: string): boolean {
  let depth = 0
  for (const [, , close, name = ''] of html.matchAll(tags)) {
    if (name === '' || unnested.test(name)) continue
    if (close) depth = Math.max(0, depth - 1)
    else if (++depth > maxDepth) return true
  }
  return false
}
