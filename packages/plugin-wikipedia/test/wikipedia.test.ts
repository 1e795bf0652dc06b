import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { testPlugin } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import wikipedia from '../src/index.ts'

/** Answers in the shape that the API documents, of an article with more than a page. */
function answer(request: Request): Response {
  const { pathname, searchParams } = new URL(request.url)
  expect(request.headers.get('user-agent')).toMatch(/^clew-plugin-wikipedia\//)
  if (pathname === '/w/rest.php/v1/search/page') {
    expect(searchParams.get('limit')).toBe('6')
    if (searchParams.get('q') === 'nothing') return Response.json({ pages: [] })
    const excerpt = 'a <span class="searchmatch">ball</span> of &quot;yarn&quot; &amp; more'
    const page = {
      id: 1,
      key: 'Clew',
      title: 'Clew',
      excerpt,
      matched_title: null,
      description: 'Ball of thread',
      thumbnail: null,
    }
    return Response.json({ pages: [page, { ...page, id: 2, title: 'Ariadne', description: null }] })
  }
  expect(pathname).toBe('/w/api.php')
  expect(searchParams.get('prop')).toBe('extracts')
  const title = searchParams.get('titles')
  if (title === 'Nobody') return Response.json({ query: { pages: [{ ns: 0, title, missing: true }] } })
  return Response.json({
    batchcomplete: true,
    query: { pages: [{ pageid: 1, ns: 0, title, extract: 'thread '.repeat(2000) }] },
  })
}

const parts = { fetch: (async (request) => answer(request as Request)) as typeof fetch }

async function read(name: string, input: object, config = {}): Promise<string> {
  const model = scriptedModel([{ calls: [{ name, arguments: input }] }, 'ok'])
  const { state } = await new Agent({ name: 'a', model, plugins: [wikipedia(config, parts)] }).run('go')
  return String(state.messages[2]?.content)
}

describe('plugin-wikipedia', () => {
  const calls = {
    search_wikipedia: [{ query: 'ball of thread' }, { query: 'nothing' }],
    read_wikipedia: [{ title: 'Clew' }, { title: 'Clew', page: 2 }],
  }
  const snapshot = (text: string, name: string) => expect(text.replace(/(thread ){10,}/g, '… ')).toMatchSnapshot(name)
  for (const { name, run } of testPlugin(wikipedia, { calls, answer, snapshot })) it(name, run)

  it('says what to do when there is no such article or page', async () => {
    expect(await read('read_wikipedia', { title: 'Nobody' })).toMatch(
      /no article "Nobody"\. Search for its title first/,
    )
    expect(await read('read_wikipedia', { title: 'Clew', page: 9 })).toMatch(/has 2 pages; there is no page 9/)
  })

  it('asks the Wikipedia of its language, and takes no other for one', async () => {
    expect(await read('search_wikipedia', { query: 'Garn' }, { language: 'de' })).toMatch(/"Ball of thread"/)
    expect(() => wikipedia({ language: 'evil.net/' })).toThrow(/language/)
  })
})
