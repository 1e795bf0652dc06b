/** Web pages of the sites that the user named, and of no others: a model that reads pages must not choose whom to call. */
import { convert } from 'html-to-text'
import type { Document } from './library.ts'

const maxBytes = 5 * 1024 * 1024
const maxRedirects = 5

export class WebPages {
  readonly #origins = new Set<string>()

  get isEmpty(): boolean {
    return this.#origins.size === 0
  }

  /** Lets pages of this site in. */
  allow(url: string): void {
    this.#origins.add(new URL(url).origin)
  }

  /** @throws Error in words for the model: which sites are allowed, what the server answered, what the page is. */
  async fetch(url: string, signal: AbortSignal): Promise<Document> {
    let at = this.#check(url)
    for (let redirects = 0; redirects <= maxRedirects; redirects++) {
      const response = await fetch(at, {
        signal,
        redirect: 'manual',
        headers: { accept: 'text/html, text/markdown, text/plain' },
      })
      const location = response.headers.get('location')
      if (response.status >= 300 && response.status < 400 && location) {
        await response.body?.cancel()
        at = this.#check(new URL(location, at).href)
        continue
      }
      if (!response.ok) throw new Error(`${at} answered with status ${response.status}.`)
      const type = response.headers.get('content-type') ?? ''
      if (!/^(text\/|application\/(xhtml\+xml|json))/.test(type))
        throw new Error(`${at} is ${type || 'of unknown type'}, not text.`)
      const text = await readText(response, at)
      return type.includes('html') ? fromHtml(at, text) : { id: at, title: titleOfText(text) ?? at, text }
    }
    throw new Error(`${url} redirects more than ${maxRedirects} times.`)
  }

  #check(url: string): string {
    if (!URL.canParse(url)) throw new Error(`"${url}" is no whole URL.`)
    const { origin, href } = new URL(url)
    if (this.#origins.has(origin)) return href
    throw new Error(
      `${origin} is not among the sources. Pages may be fetched from: ${[...this.#origins].join(', ') || 'nowhere'}.`,
    )
  }
}

async function readText(response: Response, url: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength
    if (bytes > maxBytes) throw new Error(`${url} is larger than ${maxBytes / 1024 / 1024} MB.`)
    text += decoder.decode(piece, { stream: true })
  }
  return text + decoder.decode()
}

/** The readable text of a page; navigation, scripts and images are left out. */
export function fromHtml(id: string, html: string): Document {
  const title = /<title[^>]*>([\s\S]*?)<\/title>/i.exec(html)?.[1]
  const skipped = ['img', 'nav', 'script', 'style', 'noscript', 'form', 'footer']
  const text = convert(html, {
    wordwrap: false,
    limits: { maxInputLength: maxBytes },
    baseElements: { selectors: ['main', 'article', 'body'], orderBy: 'selectors', returnDomByDefault: true },
    selectors: [
      ...skipped.map((selector) => ({ selector, format: 'skip' })),
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true, baseUrl: /^https?:/.test(id) ? id : undefined } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  })
  return { id, title: title ? convert(title, { wordwrap: false }).trim() : id, text }
}

/** The first heading of a Markdown text. */
export function titleOfText(text: string): string | undefined {
  return /^#{1,3}\s+(.+?)\s*#*$/m
    .exec(text)?.[1]
    ?.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`]|<[^>]*>/g, '')
    .trim()
}
