/** `parseHtml` finds the article in a page and gives it as Markdown and as text. Slow on hostile pages: see `html.ts`. */
import { optional } from '../load.ts'
import { markdownOf } from './markdown.ts'

export type HtmlText = {
  /** Empty when the page has none. */
  title: string
  markdown: string
  text: string
  /** When it was published, where the page says so: ISO 8601. */
  date?: string
}

/** Beyond this many elements, or levels of them, Readability takes seconds to minutes; the whole body is taken instead. */
const maxElements = 20_000

/** @throws DefinitionError without the packages that it needs */
export async function parseHtml(html: string, url?: string): Promise<HtmlText> {
  const user = 'reading HTML'
  const { parseHTML } = await optional('linkedom', user, () => import('linkedom'))
  const { Readability } = await optional('@mozilla/readability', user, () => import('@mozilla/readability'))
  const parse = () => {
    const { document } = parseHTML(hasRoot.test(html) ? html : `<html><body>${html}</body></html>`)
    makeAbsolute(document, url)
    // Browsers put it there, wherever it stands.
    const title = document.querySelector('body title:not(svg title)')
    if (title) document.head.append(title)
    return document
  }
  const document = parse()
  const title = clean(document.querySelector('title')?.textContent ?? '')
  const whole = clean(document.body?.textContent ?? '')
  const article = readArticle(() =>
    new Readability(document, {
      serializer: (node) => node as Element,
      keepClasses: true,
      maxElemsToParse: maxElements,
    }).parse(),
  )
  const content = article?.content
  // A list of links is no article: a few words of it would be kept.
  const isArticle = content && (article.textContent?.trim().length ?? 0) * 20 > whole.length
  const root = isArticle ? content : bodyOf(parse())
  const date = dateOf(article?.publishedTime)
  return {
    title: clean(article?.title || title),
    markdown: await markdownOf(root),
    text: textOf(root),
    ...(date !== undefined && { date }),
  }
}

const hasRoot = /<(html|body)[\s>]/i

function readArticle<Article>(read: () => Article): Article | undefined {
  try {
    return read()
  } catch {
    // Too many elements, or markup that it stumbles over.
    return undefined
  }
}

/** `<base>` counts, links that run code do not. */
function makeAbsolute(document: Document, url: string | undefined): void {
  const base = URL.parse(document.querySelector('base[href]')?.getAttribute('href') ?? '', url) ?? URL.parse(url ?? '')
  for (const [selector, name] of [
    ['a[href]', 'href'],
    ['img[src]', 'src'],
  ] as const) {
    for (const element of document.querySelectorAll(selector)) {
      const value = element.getAttribute(name) ?? ''
      const target = URL.parse(value, base?.href)
      if (target && /^(https?|mailto):$/.test(target.protocol)) element.setAttribute(name, target.href)
      else if (target || base) element.removeAttribute(name)
    }
  }
  document.querySelector('base')?.remove()
}

function bodyOf(document: Document): Element {
  for (const element of document.querySelectorAll(unread)) element.remove()
  return document.body ?? document.documentElement
}

const unread = 'script, style, noscript, template, svg, iframe, head'

const blocks = new Set(
  'ADDRESS ARTICLE ASIDE BLOCKQUOTE BR DD DIV DL DT FIGCAPTION FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN NAV OL P PRE SECTION TABLE TD TH TR UL'.split(
    ' ',
  ),
)

/** The words, each block on a line of its own. Not recursive: pages can be deep. */
function textOf(root: Element): string {
  const parts: string[] = []
  const stack: (Node | string)[] = [root]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node === 'string') parts.push(node)
    else if (node.nodeType === 3) parts.push((node.textContent ?? '').replace(/\s+/g, ' '))
    else if (node.nodeType === 1) {
      const isBlock = blocks.has((node as Element).tagName.toUpperCase())
      if (isBlock) {
        parts.push('\n')
        stack.push('\n')
      }
      for (let child = node.lastChild; child; child = child.previousSibling) stack.push(child)
    }
  }
  return clean(
    parts
      .join('')
      .replace(/ *\n[ \n]*/g, '\n')
      .trim(),
  )
}

function dateOf(text: string | null | undefined): string | undefined {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}

/** Control characters are no text. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '').trim()
}
