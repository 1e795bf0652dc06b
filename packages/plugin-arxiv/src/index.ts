/** arXiv as tools: a search for papers, and all that is known of one. */
import { definePlugin, InputError, type PluginHost, tool } from '@clew/core'
import { z } from 'zod/v4'
import { type Paper, readFeed } from './feed.ts'
import { inTurn } from './in-turn.ts'

const hits = 10
/** More than 30,000 are not given out, info.arxiv.org/help/api/user-manual.html. */
const lastPage = 3000

type Config = { secondsBetween: number }

export default definePlugin({
  name: 'arxiv',
  configSchema: z.object({ secondsBetween: z.number().min(0).default(3) }),
  capabilities: { hosts: ['export.arxiv.org'] },
  tools: (host: PluginHost<Config>) => [search(host), read(host)],
})

const reading = { effect: 'pure', untrusted: true, sends: true, timeoutMs: 60_000, maxResultChars: 12_000 } as const
const orders = { relevance: 'relevance', newest: 'submittedDate', updated: 'lastUpdatedDate' } as const

const search = (host: PluginHost<Config>) =>
  tool({
    name: 'search_arxiv',
    description: 'Finds papers on arXiv. Gives ids, titles, authors and how abstracts begin; read one with read_arxiv.',
    input: z.object({
      query: z.string().min(1).describe('Words of the paper, "a phrase" in quotes; or au:bengio AND ti:attention'),
      category: z.string().optional().describe('Only papers of this category of arXiv, for example cs.CL or hep-th'),
      sort: z.enum(['relevance', 'newest', 'updated']).default('relevance').describe('What stands first'),
      page: z.int().min(1).max(lastPage).default(1).describe('The page, from 1'),
    }),
    ...reading,
    async execute({ query, category, sort, page }, { signal, fence }) {
      const start = (page - 1) * hits
      const words = category ? `${toQuery(query)} AND cat:${category}` : toQuery(query)
      const order = { search_query: words, sortBy: orders[sort], sortOrder: 'descending' }
      const { papers, total } = await ask(host, { ...order, start: `${start}`, max_results: `${hits}` }, signal)
      const asked = `${JSON.stringify(query)}${category ? ` in ${category}` : ''}`
      if (total > 0 && start >= total)
        throw new InputError(`There are ${Math.ceil(total / hits)} pages of papers for ${asked}; none is ${page}.`)
      if (papers.length === 0)
        return { content: `No paper was found for ${asked}. Try fewer or other words.`, untrusted: false }
      const next = start + papers.length < total ? ` Go on with page ${page + 1}.` : ''
      const place = `Papers ${start + 1} to ${start + papers.length} of ${total} for ${asked}.${next}`
      return `${place}\n${fence(papers.map(brief).join('\n\n'))}`
    },
    fake: ({ query }) => `Papers 1 to 1 of 1 for ${JSON.stringify(query)}.\n[2101.00001v1] All about ${query}`,
  })

const read = (host: PluginHost<Config>) =>
  tool({
    name: 'read_arxiv',
    description: 'Tells all that arXiv knows of one paper: title, authors, dates, categories, abstract, links, DOI.',
    input: z.object({ id: z.string().describe('Its id, as search_arxiv gives it: 2101.00001v2, hep-th/9901001') }),
    ...reading,
    async execute({ id }, { signal }) {
      const { papers } = await ask(host, { id_list: toId(id), max_results: '1' }, signal)
      const [paper] = papers
      if (paper) return { ...paper, authors: some(paper.authors, 50), pdf: `https://arxiv.org/pdf/${paper.id}` }
      throw new InputError(`arXiv has no paper ${toId(id)}. Search for its title with search_arxiv.`)
    },
    fake: ({ id }) => ({ id, title: `The paper ${id}`, authors: 'Ann Author', abstract: 'About itself.' }),
  })

/** Plain words are all looked for, in all fields; who names fields or joins knows what to write. */
function toQuery(query: string): string {
  if (/\b(ti|au|abs|co|jr|cat|rn|all|submittedDate):|\b(AND|OR|ANDNOT)\b/.test(query)) return `(${query})`
  const words = query.match(/"[^"]+"|[^\s"()]+/g) ?? [query]
  return words.map((word) => `all:${word}`).join(' AND ')
}

const idForm =
  /^(?:arxiv:|https?:\/\/arxiv\.org\/(?:abs|pdf)\/)?((?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?\/\d{7})(?:v\d+)?)$/i

function toId(given: string): string {
  const id = idForm.exec(given.trim())?.[1]
  if (id) return id
  throw new InputError(
    `${JSON.stringify(given)} is no id of arXiv. Write it as 2101.00001, 2101.00001v2 or hep-th/9901001.`,
  )
}

function brief({ id, title, authors, published, categories, abstract }: Paper): string {
  const start = abstract.length > 400 ? `${abstract.slice(0, 400).toWellFormed()} …` : abstract
  return `[${id}] ${title}\n${some(authors, 5)}; ${published}; ${categories.join(', ')}\n${start}`
}

function some(names: string[], most: number): string {
  const left = names.length - most
  return left > 0 ? `${names.slice(0, most).join(', ')} and ${left} more` : names.join(', ')
}

const later = 'Try again later, or go on without it.'

async function ask({ config, fetch }: PluginHost<Config>, wanted: Record<string, string>, signal: AbortSignal) {
  const url = `https://export.arxiv.org/api/query?${new URLSearchParams(wanted)}`
  const headers = { 'user-agent': 'clew-plugin-arxiv/0.1 (npmjs.com/package/@clew/plugin-arxiv)' }
  const work = async () => {
    const response = await fetch(url, { headers, signal })
    return { response, body: await response.text() }
  }
  const { response, body } = await inTurn(work, config.secondsBetween * 1000, signal)
  const feed = readFeed(body)
  if (feed === 'refused') throw new InputError('arXiv cannot work with this query. Write plain words, or other ones.')
  if ([429, 503].includes(response.status)) throw new InputError(`arXiv has been asked too much. ${later}`)
  if (!response.ok) throw new InputError(`arXiv answered with status ${response.status}. ${later}`)
  if (feed === undefined) throw new InputError(`arXiv answered with something unknown. ${later}`)
  return feed
}
