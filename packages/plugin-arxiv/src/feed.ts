/** What arXiv answers: an Atom feed, info.arxiv.org/help/api/user-manual.html, section 3.3. */
import { DOMParser, type Element, onWarningStopParsing } from '@xmldom/xmldom'

export type Paper = {
  /** With its version. */
  id: string
  title: string
  authors: string[]
  /** The dates of the first and of this version, as 2021-01-31. */
  published: string
  updated: string
  /** The primary one first. */
  categories: string[]
  abstract: string
  page: string
  doi?: string
  journal?: string
}

export type Feed = { papers: Paper[]; total: number }

const atom = 'http://www.w3.org/2005/Atom'
const search = 'http://a9.com/-/spec/opensearch/1.1/'
const arxiv = 'http://arxiv.org/schemas/atom'
/** Ten papers are about 50,000 characters. */
const maxChars = 2_000_000

/** `refused`: its one entry is an error (section 3.4). Undefined: it is no such feed. */
export function readFeed(xml: string): Feed | 'refused' | undefined {
  const feed = parse(xml)
  if (feed?.localName !== 'feed' || feed.namespaceURI !== atom) return undefined
  const entries = [...feed.getElementsByTagNameNS(atom, 'entry')]
  if (entries.some((entry) => textOf(entry, 'id').includes('/api/errors'))) return 'refused'
  const total = Number(textOf(feed, 'totalResults', search) || Number.NaN)
  if (!Number.isInteger(total)) return undefined
  // For some ids that nothing has, an entry without a title comes.
  return { papers: entries.flatMap((entry) => toPaper(entry) ?? []), total }
}

function parse(xml: string): Element | null | undefined {
  if (xml.length > maxChars) return undefined
  try {
    return new DOMParser({ onError: onWarningStopParsing }).parseFromString(xml, 'text/xml').documentElement
  } catch {
    return undefined
  }
}

function toPaper(entry: Element): Paper | undefined {
  const id = /\/abs\/(.+)$/.exec(textOf(entry, 'id'))?.[1]
  const title = textOf(entry, 'title')
  if (!id || !title) return undefined
  const terms = (namespace: string, name: string) =>
    [...entry.getElementsByTagNameNS(namespace, name)].map((each) => each.getAttribute('term') ?? '')
  const [doi, journal] = [textOf(entry, 'doi', arxiv), textOf(entry, 'journal_ref', arxiv)]
  return {
    id,
    title,
    authors: [...entry.getElementsByTagNameNS(atom, 'author')].map((author) => textOf(author, 'name')),
    published: textOf(entry, 'published').slice(0, 10),
    updated: textOf(entry, 'updated').slice(0, 10),
    categories: [...new Set([...terms(arxiv, 'primary_category'), ...terms(atom, 'category')])],
    abstract: textOf(entry, 'summary'),
    page: `https://arxiv.org/abs/${id}`,
    ...(doi && { doi }),
    ...(journal && { journal }),
  }
}

/** Lines are broken anywhere. */
function textOf(parent: Element, name: string, namespace = atom): string {
  const [found] = parent.getElementsByTagNameNS(namespace, name)
  return (found?.textContent ?? '').replace(/\s+/g, ' ').trim()
}
