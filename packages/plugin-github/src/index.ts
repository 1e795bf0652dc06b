/** GitHub as tools: repositories, their files, issues and pull requests, to be read. */
import { definePlugin, InputError, type PluginHost, tool } from '@clew/core'
import { z } from 'zod/v4'
import { ask, askJson, pathOf, readAs } from './ask.ts'

const hits = 10
const entries = 200
const pageChars = 10_000
/** One can be 65,536 characters long. */
const commentChars = 4000

/** The parts of the answers that are read. */
const time = z.string().transform((text) => text.slice(0, 10))
const comment = z.object({
  user: z.object({ login: z.string() }).nullable(),
  created_at: time,
  html_url: z.string(),
  body: z.string().nullish(),
})
const thread = comment.extend({
  title: z.string(),
  state: z.string(),
  comments: z.int(),
  pull_request: z.object({ merged_at: z.string().nullish() }).optional(),
})
const repository = z.object({
  full_name: z.string(),
  description: z.string().nullable(),
  language: z.string().nullable(),
  stargazers_count: z.int(),
  pushed_at: time.nullish(),
})
const listing = z.array(z.object({ name: z.string(), type: z.string(), size: z.int() }))
const found = <Item extends z.ZodType>(item: Item) => z.object({ total_count: z.int(), items: z.array(item) })

export default definePlugin({
  name: 'github',
  capabilities: { hosts: ['api.github.com'], secrets: ['GITHUB_TOKEN'] },
  tools: (host) => [searchRepositories(host), searchIssues(host), readIssue(host), readFile(host)],
})

const reading = { effect: 'pure', untrusted: true, sends: true, timeoutMs: 30_000, maxResultChars: 50_000 } as const
const named = /^[\w.-]+\/[\w.-]+$/
const repo = z.string().regex(named).describe('The repository, as owner/name')
const page = z.int().min(1).default(1).describe('The page, from 1')

const searchRepositories = (host: PluginHost) =>
  tool({
    name: 'search_github_repos',
    description: 'Finds repositories on GitHub, the best match first.',
    input: z.object({
      query: z.string().min(1).describe('Words of name or description; also language:go, topic:cli, stars:>100'),
      page,
    }),
    ...reading,
    async execute({ query, page }, { signal, fence }) {
      const answer = await askJson(host, search('repositories', query, page), found(repository), signal)
      const lines = answer.items.map(
        ({ full_name: name, language, stargazers_count: stars, pushed_at, description }) => {
          const facts = `${language ?? 'no language'}, ${stars} stars, last push ${pushed_at ?? 'never'}`
          return `${name} (${facts}): ${description ?? ''}`
        },
      )
      return listed(lines, answer.total_count, page, `repositories for ${JSON.stringify(query)}`, fence)
    },
    fake: ({ query }) => `1 repositories, page 1 of 1\nann/clew: all about ${query}`,
  })

const searchIssues = (host: PluginHost) =>
  tool({
    name: 'search_github_issues',
    description: 'Finds issues or pull requests on GitHub; read one with read_github_issue.',
    input: z.object({
      query: z.string().default('').describe('Words of title, text or comments; also label:bug, author:ann'),
      repo: repo.optional(),
      kind: z.enum(['issue', 'pull request']).default('issue').describe('What to look for'),
      state: z.enum(['open', 'closed', 'any']).default('any').describe('Only those that are open, or closed'),
      page,
    }),
    ...reading,
    async execute({ query, repo, kind, state, page }, { signal, fence }) {
      const narrow = [repo && `repo:${repo}`, kind === 'issue' ? 'is:issue' : 'is:pr', state !== 'any' && `is:${state}`]
      const words = [query, ...narrow].filter(Boolean).join(' ')
      const answer = await askJson(host, search('issues', words, page), found(thread), signal)
      const lines = answer.items.map((it) => `${it.html_url} ${titleOf(it)} (${by(it)}, ${it.comments} comments)`)
      return listed(lines, answer.total_count, page, `hits for ${JSON.stringify(words)}`, fence)
    },
    fake: ({ query }) => `1 hits, page 1 of 1\nhttps://github.com/ann/clew/issues/1 About ${query} [open]`,
  })

const readIssue = (host: PluginHost) =>
  tool({
    name: 'read_github_issue',
    description:
      'Reads an issue or pull request with its comments, the oldest first, ten a page. Reviews are not in it.',
    input: z.object({ repo, number: z.int().min(1).describe('Its number'), page }),
    ...reading,
    async execute({ repo, number, page }, { signal, fence }) {
      const path = pathOf(repo, 'issues', String(number))
      const it = await askJson(host, path, thread, signal)
      const where = placeOf(page, it.comments, hits, `${repo}#${number} with ${it.comments} comments`)
      const asked = `${path}/comments?per_page=${hits}&page=${page}`
      const comments = it.comments > 0 ? await askJson(host, asked, z.array(comment), signal) : []
      const first = page === 1 ? [`${titleOf(it)}\n${said(it)}`] : []
      return `${where}\n${fence([...first, ...comments.map(said)].join('\n\n'))}`
    },
    fake: ({ repo, number }) => `${repo}#${number} with 0 comments, page 1 of 1\nIt does not work [open]`,
  })

const readFile = (host: PluginHost) =>
  tool({
    name: 'read_github_file',
    description: 'Reads a text file of a repository on GitHub, a page at a time; of a folder, gives the list.',
    input: z.object({
      repo,
      path: z.string().default('').describe('The file or folder; left out, the top folder'),
      ref: z.string().optional().describe('A branch, tag or commit; left out, the default branch'),
      page,
    }),
    ...reading,
    async execute({ repo, path, ref, page }, { signal, fence }) {
      const asked = `${pathOf(repo, 'contents', path)}${ref === undefined ? '' : `?${new URLSearchParams({ ref })}`}`
      const response = await ask(host, asked, 'raw+json', signal)
      const name = JSON.stringify(path)
      // A folder has no raw form: it comes as JSON, at most 1,000 entries, docs.github.com/rest/repos/contents.
      if (/^application\/json\b/.test(response.headers.get('content-type') ?? '')) {
        const all = await readAs(listing, response)
        const lines = all.map(({ name, type, size }) => `${name} (${type === 'file' ? `${size} bytes` : type})`)
        const what = `Folder ${name} with ${all.length}${all.length < 1000 ? '' : ' or more'} entries`
        return `${placeOf(page, all.length, entries, what)}\n${fence(cut(lines, page, entries).join('\n'))}`
      }
      const text = await response.text()
      if (text.includes('\0')) throw new InputError(`${name} is no text. Read another file.`)
      return `${placeOf(page, text.length, pageChars, `File ${name}`)}\n${fence(cut(text, page, pageChars))}`
    },
    fake: ({ path }) => `File ${JSON.stringify(path)}, page 1 of 1\nThe text of it.`,
  })

function search(kind: string, words: string, page: number): string {
  return `/search/${kind}?${new URLSearchParams({ q: words, per_page: String(hits), page: String(page) })}`
}

function listed(lines: string[], total: number, page: number, what: string, fence: (text: string) => string) {
  if (total === 0) return { content: `GitHub has no ${what}. Try fewer or other words.`, untrusted: false }
  // Searches give out no more, docs.github.com/rest/search.
  return `${placeOf(page, Math.min(total, 1000), hits, `${total} ${what}`)}\n${fence(lines.join('\n'))}`
}

function placeOf(page: number, length: number, size: number, what: string): string {
  const pages = Math.max(1, Math.ceil(length / size))
  if (page <= pages) return `${what}, page ${page} of ${pages}`
  throw new InputError(`${what}: there are ${pages} pages, none is ${page}. Choose another page.`)
}

function cut<Long extends string | string[]>(long: Long, page: number, size: number): Long {
  return long.slice((page - 1) * size, page * size) as Long
}

function said(it: z.infer<typeof comment>): string {
  const text = it.body ?? ''
  const left = text.length - commentChars
  return `${by(it)}:\n${text.slice(0, commentChars)}${left > 0 ? ` [${left} characters more at ${it.html_url}]` : ''}`
}

const by = ({ user, created_at }: z.infer<typeof comment>) => `${user?.login ?? 'ghost'}, ${created_at}`
const titleOf = ({ title, state, pull_request: pull }: z.infer<typeof thread>) =>
  `${title} [${pull?.merged_at ? 'merged' : state}]`
