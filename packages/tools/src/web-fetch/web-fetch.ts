/** `webFetch` gives a model a page of the web, or a document there, as text that it can read. */
import { type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { guardedFetch, type NetworkOptions } from '../guard/net/guarded-fetch.ts'
import { pageChars, pageOf } from '../page.ts'
import { TextCache } from '../text-cache.ts'
import { type ReadPage, readReply } from './read-reply.ts'

export type WebFetchOptions = NetworkOptions & {
  /** Characters of a page of text. Default 10,000. */
  chars?: number
  /** Milliseconds to parse HTML or PDF; of HTML that takes longer the bare words are taken. Default 10,000. */
  parseMs?: number
}

const input = z.object({
  url: z.string().describe('The full address, beginning with https:// or http://'),
  from: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe('To read on: the position that the note below the last page named. Leave it out to begin.'),
})

/**
 * HTML comes as the Markdown of its article, JSON indented, PDF and other texts as text. Needs the packages `linkedom`,
 * `@mozilla/readability` and `turndown` for HTML, and `unpdf` for PDF, when such a page comes.
 * @throws DefinitionError for an option that cannot be used
 */
export function webFetch(options: WebFetchOptions = {}): Tool<z.output<typeof input>> {
  const { chars = pageChars, parseMs, ...network } = options
  const fetch = guardedFetch(network, 'webFetch')
  const cache = new TextCache<ReadPage>()
  return tool({
    name: 'web_fetch',
    description: `Reads a web page, JSON or PDF at a URL and gives its text, a page at a time. If the text goes on, the note at its end names the "from" to read on with.${
      network.hosts === undefined ? '' : ` Only URLs on ${network.hosts.slice(0, 20).join(', ')} can be read.`
    }`,
    input,
    effect: 'pure',
    untrusted: true,
    // To hosts that the program named it can carry nothing away.
    ...(network.hosts === undefined && { sends: true }),
    timeoutMs: (network.timeoutMs ?? 30_000) + (parseMs ?? 10_000) + 20_000,
    maxResultChars: chars + 5_000,
    async execute({ url, from = 0 }, { signal, fence }) {
      // Reading on goes on in the text as it was; a new beginning fetches anew.
      let page = from > 0 ? cache.get(url) : undefined
      if (!page) {
        page = await readReply(await fetch(url, { signal }), { signal, ...(parseMs !== undefined && { parseMs }) })
        cache.set(url, page)
      }
      return shownPage(url, page, pageOf(page.text, from, chars), fence)
    },
    fake({ url }, { fence }) {
      const page: ReadPage = { status: 200, kind: 'HTML', url, title: 'A page', text: 'The text of the page.' }
      return shownPage(url, page, pageOf(page.text), fence)
    },
  })
}

/** All that the other side chose, its title and final address too, stands between the marks. */
function shownPage(
  asked: string,
  { status, kind, url, title, date, text, isCut }: ReadPage,
  page: ReturnType<typeof pageOf>,
  fence: (text: string) => string,
) {
  const head = [
    ...(url === URL.parse(asked)?.href ? [] : [`URL: ${url}`]),
    ...(title ? [`Title: ${title}`] : []),
    ...(date ? [`Published: ${date}`] : []),
  ]
  const inside = [...head, ...(head.length > 0 ? [''] : []), page.text].join('\n')
  const notes = [
    status >= 400 ? `The server answered with status ${status}. This is what it says:` : `${kind}, status ${status}:`,
    fence(inside),
    ...(text.trim() === '' ? ['[There is no text on it. It may need a browser to show something.]'] : []),
    ...(isCut ? ['[It is very long: only its beginning was read.]'] : []),
    ...(page.note === '' ? [] : [page.note]),
  ]
  return { content: notes.join('\n'), view: { url, title: title ?? '', status, chars: text.length } }
}
