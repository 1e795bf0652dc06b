import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { testPlugin } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import arxiv from '../src/index.ts'

const paper = (id: string, more = '') => `
  <entry>
    <id>http://arxiv.org/abs/${id}</id>
    <updated>2021-02-03T10:00:00Z</updated>
    <published>2021-01-02T17:59:59Z</published>
    <title>Threads, mazes &amp; the
      \`A &lt; B\` problem</title>
    <summary>  We follow a thread
through $n^2$ mazes. ${'It is long. '.repeat(60)}</summary>
    <author><name>Ariadne Knossou</name><arxiv:affiliation xmlns:arxiv="http://arxiv.org/schemas/atom">Crete</arxiv:affiliation></author>
    ${Array.from({ length: 60 }, (_, at) => `<author><name>Helper ${at + 1}</name></author>`).join('')}
    ${more}
    <link href="http://arxiv.org/abs/${id}" rel="alternate" type="text/html"/>
    <link title="pdf" href="http://arxiv.org/pdf/${id}" rel="related" type="application/pdf"/>
    <arxiv:primary_category xmlns:arxiv="http://arxiv.org/schemas/atom" term="cs.DS" scheme="http://arxiv.org/schemas/atom"/>
    <category term="math.CO" scheme="http://arxiv.org/schemas/atom"/>
    <category term="cs.DS" scheme="http://arxiv.org/schemas/atom"/>
  </entry>`

const published = `
    <arxiv:comment xmlns:arxiv="http://arxiv.org/schemas/atom">12 pages</arxiv:comment>
    <arxiv:journal_ref xmlns:arxiv="http://arxiv.org/schemas/atom">J. Maz. 7 (2021) 1-12</arxiv:journal_ref>
    <arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">10.1000/maze.7</arxiv:doi>`

const feed = (entries: string, total: number, status = 200) =>
  new Response(
    `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <link href="http://arxiv.org/api/query?x" rel="self" type="application/atom+xml"/>
  <title type="html">ArXiv Query: x</title>
  <id>http://arxiv.org/api/cHxbiOdZaP56ODnBPIenZhzg5f8</id>
  <updated>2026-11-23T00:00:00-05:00</updated>
  <opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">${total}</opensearch:totalResults>
  <opensearch:startIndex xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">0</opensearch:startIndex>
  <opensearch:itemsPerPage xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">10</opensearch:itemsPerPage>${entries}
</feed>`,
    { status, headers: { 'content-type': 'application/atom+xml' } },
  )

const refusal = `
  <entry>
    <id>https://arxiv.org/api/errors#incorrect_id_format_for_x</id>
    <title>Error</title>
    <summary>incorrect id format for x: &lt;do as I say&gt;</summary>
    <author><name>arXiv api core</name></author>
  </entry>`

let asked: URLSearchParams[] = []

function answer(request: Request): Response {
  const { origin, pathname, searchParams } = new URL(request.url)
  expect(origin + pathname).toBe('https://export.arxiv.org/api/query')
  expect(request.headers.get('user-agent')).toMatch(/^clew-plugin-arxiv\//)
  asked.push(searchParams)
  const id = searchParams.get('id_list')
  if (id === '9912.99999') return feed('', 0)
  if (id === '9912.99998') return feed('<entry><id>http://arxiv.org/abs/9912.99998</id></entry>', 1)
  if (id) return feed(paper(id.includes('v') ? id : `${id}v3`, published), 1)
  const query = searchParams.get('search_query')
  if (query === 'all:nothing') return feed('', 0)
  if (query === 'all:ten') return feed(paper('2101.00001v2'), 10)
  if (query === '(ti:)') return feed(refusal, 1, 400)
  return feed(paper('2101.00001v2') + paper('hep-th/9901001v1', published), 12)
}

const service = { fetch: (async (request) => answer(request as Request)) as typeof fetch }
const config = { secondsBetween: 0 }

async function call(name: string, input: object, parts = service): Promise<string> {
  asked = []
  const model = scriptedModel([{ calls: [{ name, arguments: input }] }, 'ok'])
  const { state } = await new Agent({ name: 'a', model, plugins: [arxiv(config, parts)] }).run('go')
  return String(state.messages[2]?.content)
}

const says = (body: string, status = 200) => ({ fetch: async () => new Response(body, { status }) })

const whole = `<feed xmlns="http://www.w3.org/2005/Atom"><title>A title</title>
  <totalResults xmlns="http://a9.com/-/spec/opensearch/1.1/">0</totalResults></feed>`

describe('plugin-arxiv', () => {
  const calls = {
    search_arxiv: [{ query: 'thread maze' }, { query: 'nothing' }],
    read_arxiv: [{ id: '2101.00001' }, { id: 'https://arxiv.org/pdf/hep-th/9901001v1' }],
  }
  const snapshot = (text: string, name: string) =>
    expect(text.replace(/(It is long\. ?){5,}/g, '… ')).toMatchSnapshot(name)
  for (const { name, run } of testPlugin(arxiv, { config, calls, answer, snapshot })) it(name, run)

  it.each([
    ['thread maze', 'all:thread AND all:maze'],
    ['"golden thread" (maze)', 'all:"golden thread" AND all:maze'],
    ['au:knossou AND ti:maze', '(au:knossou AND ti:maze)'],
    ['thread OR clew', '(thread OR clew)'],
  ])('looks for %s', async (query, wanted) => {
    await call('search_arxiv', { query })
    expect(asked[0]?.get('search_query')).toBe(wanted)
    await call('search_arxiv', { query, category: 'cs.DS' })
    expect(asked[0]?.get('search_query')).toBe(`${wanted} AND cat:cs.DS`)
  })

  it('gives a page at a time, in the asked order', async () => {
    expect(await call('search_arxiv', { query: 'maze' })).toMatch(
      /^Papers 1 to 2 of 12 for "maze"\. Go on with page 2\./,
    )
    expect(await call('search_arxiv', { query: 'maze', page: 2, sort: 'newest' })).toMatch(
      /^Papers 11 to 12 of 12 for "maze"\.\n/,
    )
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      start: '10',
      max_results: '10',
      sortBy: 'submittedDate',
      sortOrder: 'descending',
    })
    expect(await call('search_arxiv', { query: 'maze', page: 3 })).toMatch(/There are 2 pages of papers .* none is 3\./)
    expect(await call('search_arxiv', { query: 'ten', page: 2 })).toMatch(/There are 1 pages of papers .* none is 2\./)
  })

  it.each([
    ['2101.00001', '2101.00001'],
    [' arXiv:2101.00001v2 ', '2101.00001v2'],
    ['http://arxiv.org/abs/math.GT/0309136', 'math.GT/0309136'],
  ])('takes %s for an id', async (id, wanted) => {
    await call('read_arxiv', { id })
    expect(asked[0]?.get('id_list')).toBe(wanted)
  })

  it.each(['2101.1', '2101.00001&x=1', '../2101.00001', 'a maze'])('takes %s for none', async (id) => {
    expect(await call('read_arxiv', { id })).toMatch(/is no id of arXiv\. Write it as 2101\.00001/)
    expect(asked).toEqual([])
  })

  it('says what to do when there is no such paper, or arXiv refuses', async () => {
    for (const id of ['9912.99999', '9912.99998'])
      expect(await call('read_arxiv', { id })).toBe(
        `Tool "read_arxiv" failed: arXiv has no paper ${id}. Search for its title with search_arxiv.`,
      )
    expect(await call('search_arxiv', { query: 'ti:' })).toMatch(
      /failed: arXiv cannot work with this query\. Write plain/,
    )
  })

  it.each([
    ['Rate exceeded.', 429, /has been asked too much\. Try again later/],
    ['', 503, /has been asked too much\. Try again later/],
    ['', 500, /answered with status 500\. Try again later/],
    ['<feed xmlns="http://www.w3.org/2005/Atom"><entry>', 200, /answered with something unknown/],
    ['<feed xmlns="http://www.w3.org/2005/Atom"></feed>', 200, /answered with something unknown/],
    ['<rss/>', 200, /answered with something unknown/],
    [whole.replace('/2005/Atom', '/2005/Other'), 200, /answered with something unknown/],
    [whole.replace('<title>', '<title a=b>'), 200, /answered with something unknown/],
    [whole.replace('A title', '&a;'), 200, /answered with something unknown/],
    [`<!DOCTYPE feed [<!ENTITY a "b">]>${whole.replace('A title', '&a;')}`, 200, /answered with something unknown/],
    [whole, 200, /No paper was found for "maze"/],
  ])('says what to do when it answers %j with status %d', async (body, status, message) => {
    expect(await call('search_arxiv', { query: 'maze' }, says(body, status))).toMatch(message)
  })

  it('asks one thing at a time', async () => {
    let open = 0
    let most = 0
    const slow: typeof service = {
      async fetch(request) {
        most = Math.max(most, ++open)
        await new Promise((resolve) => setImmediate(resolve))
        open -= 1
        return answer(request as Request)
      },
    }
    const ids = ['2101.00001', '2101.00002', '2101.00003']
    const asks = ids.map((id) => ({ name: 'read_arxiv', arguments: { id } }))
    const agent = new Agent({
      name: 'a',
      model: scriptedModel([{ calls: asks }, 'ok']),
      plugins: [arxiv(config, slow)],
    })
    const { state } = await agent.run('go')
    expect(state.messages.slice(2, 5).map(({ content }) => String(content).match(/"id":"([\d.]+)v3"/)?.[1])).toEqual(
      ids,
    )
    expect(most).toBe(1)
  })
})
