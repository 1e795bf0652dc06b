/** Wikipedia as tools: search, and articles a page at a time. */
import { definePlugin, InputError, type PluginHost, tool } from '@clew/core'
import { z } from 'zod/v4'

const pageChars = 8000
const hits = 6

/** The parts of the answers that are read; mediawiki.org/wiki/API:REST_API and API:Extracts. */
const found = z.object({
  pages: z.array(z.object({ title: z.string(), excerpt: z.string(), description: z.string().nullish() })),
})
const article = z.object({
  query: z.object({
    pages: z.array(z.object({ title: z.string(), extract: z.string().optional(), missing: z.boolean().optional() })),
  }),
})

type Config = { language: string }

export default definePlugin({
  name: 'wikipedia',
  configSchema: z.object({
    language: z
      .string()
      .regex(/^[a-z-]{2,12}$/)
      .default('en'),
  }),
  capabilities: { hosts: ['*.wikipedia.org'] },
  tools: (host: PluginHost<Config>) => [search(host), read(host)],
})

const search = (host: PluginHost<Config>) =>
  tool({
    name: 'search_wikipedia',
    description: 'Finds Wikipedia articles. Gives titles with a snippet of each; read one with read_wikipedia.',
    input: z.object({ query: z.string().min(1).describe('A few words that the article should hold') }),
    effect: 'pure',
    untrusted: true,
    sends: true,
    timeoutMs: 30_000,
    maxResultChars: pageChars,
    async execute({ query }, { signal }) {
      const asked = new URLSearchParams({ q: query, limit: String(hits) })
      const { pages } = await ask(host, `/w/rest.php/v1/search/page?${asked}`, found, signal)
      if (pages.length === 0) {
        const content = `No article was found for ${JSON.stringify(query)}. Try fewer or other words.`
        return { content, untrusted: false }
      }
      return pages.map(({ title, description, excerpt }) => ({
        title,
        ...(description && { description }),
        snippet: plain(excerpt),
      }))
    },
    fake: ({ query }) => [{ title: `All about ${query}`, snippet: `An article on ${query}.` }],
  })

const read = (host: PluginHost<Config>) =>
  tool({
    name: 'read_wikipedia',
    description: 'Reads a Wikipedia article as plain text, one page at a time. The first page is the best summary.',
    input: z.object({
      title: z.string().min(1).describe('The title, as search_wikipedia gives it'),
      page: z.int().min(1).default(1).describe('The page, from 1'),
    }),
    effect: 'pure',
    untrusted: true,
    sends: true,
    timeoutMs: 30_000,
    maxResultChars: pageChars + 500,
    async execute({ title, page }, { signal, fence }) {
      const asked = new URLSearchParams({ titles: title, ...extracts })
      const { query } = await ask(host, `/w/api.php?${asked}`, article, signal)
      const text = query.pages[0]?.extract
      if (text === undefined)
        throw new InputError(`There is no article ${JSON.stringify(title)}. Search for its title first.`)
      const count = Math.max(1, Math.ceil(text.length / pageChars))
      if (page > count) throw new InputError(`The article has ${count} pages; there is no page ${page}.`)
      const shown = text.slice((page - 1) * pageChars, page * pageChars)
      return `${query.pages[0]?.title}, page ${page} of ${count}\n${fence(shown)}`
    },
    fake: ({ title, page }) => `${title}, page ${page} of ${page}\nAn article on ${title}.`,
  })

const extracts = {
  action: 'query',
  prop: 'extracts',
  explaintext: '1',
  redirects: '1',
  format: 'json',
  formatversion: '2',
}

async function ask<Answer>(
  { config, fetch }: PluginHost<Config>,
  path: string,
  schema: z.ZodType<Answer>,
  signal: AbortSignal,
): Promise<Answer> {
  const site = `${config.language}.wikipedia.org`
  // Who asks is to be told, foundation.wikimedia.org/wiki/Policy:User-Agent_policy.
  const headers = { 'user-agent': 'clew-plugin-wikipedia/0.1 (npmjs.com/package/@clew/plugin-wikipedia)' }
  const response = await fetch(`https://${site}${path}`, { headers, signal })
  if (!response.ok)
    throw new InputError(`${site} answered with status ${response.status}. Try again later, or go on without it.`)
  const answer = schema.safeParse(await response.json().catch(() => undefined))
  if (answer.success) return answer.data
  throw new InputError(`${site} answered with something unknown. Try again later, or go on without it.`)
}

/** Excerpts come with marks around the words that were found. */
function plain(html: string): string {
  return html.replace(/<[^>]*>/g, '').replace(/&(quot|amp|lt|gt|#0?39);/g, (_, name: string) => signs[name] ?? '')
}

const signs: { [name: string]: string } = { quot: '"', amp: '&', lt: '<', gt: '>', '#39': "'", '#039': "'" }
