/** The server: who gets something, and what. */
import { request } from 'node:http'
import { importOtlp } from '@clew/tracing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStudio } from '../src/index.ts'
import type { Activity, RunsPage, SpanPage, Trace } from '../src/wire.ts'
import { story } from './sample.ts'
import { chat, says, spanId, traceId, traceOf } from './spans.ts'
import { openWorld, type World } from './store.ts'

let world: World
beforeAll(async () => {
  world = await openWorld(story(Date.now() - 60_000))
})
afterAll(() => world[Symbol.asyncDispose]())

type Answer = { status: number; body: string; headers: { [name: string]: unknown } }

/** `fetch` would not let a test name another host. */
function ask(
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: object } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(world.studio.url)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers: { ...headers } }, (response) => {
      let body = ''
      response.on('data', (piece) => {
        body += piece
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

const home = () => new URL(world.studio.url).pathname
const read = async <Value>(path: string) => JSON.parse((await ask(`${home()}api/${path}`)).body) as Value

describe('the guard', () => {
  it('lets the link in, with a policy that lets nothing in from elsewhere', async () => {
    const { status, headers, body } = await ask(home())
    expect(status).toBe(200)
    expect(body).toContain('<script type="module" src="page.js">')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toMatch(/unsafe|\*|http/)
    expect(headers['referrer-policy']).toBe('no-referrer')
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  const nothing: [string, string, { method?: string; headers?: object }?][] = [
    ['no token', '/'],
    ['no token before the API', '/api/runs'],
    ['a wrong token', '/0123456789abcdef0123456789abcdef/'],
    ['half a token', 'HALF'],
    ['a foreign host', 'HOME', { headers: { host: 'evil.example' } }],
    ['a foreign host on this port', 'HOME', { headers: { host: 'PORT' } }],
    ['a foreign origin', 'HOME', { headers: { origin: 'http://evil.example' } }],
    ['no origin, as from a file', 'HOME', { headers: { origin: 'null' } }],
    ['another port of this machine', 'HOME', { headers: { origin: 'http://127.0.0.1:1' } }],
    ['a page of another site', 'HOME', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } }],
    ['another method', 'HOME', { method: 'PUT' }],
    ['a question for what may be asked', 'HOME', { method: 'OPTIONS' }],
    ['a post without an origin', 'HOME', { method: 'POST' }],
  ]
  it.each(nothing)('gives nothing to %s', async (_, path, options = {}) => {
    const port = new URL(world.studio.url).port
    const where = path.replace('HOME', home()).replace('HALF', home().slice(0, 12))
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [
        name,
        value === 'PORT' ? `evil.example:${port}` : value,
      ]),
    )
    const { status, body, headers: told } = await ask(where, { ...options, headers })
    expect({ status, body }).toEqual({ status: 404, body: '' })
    expect(told['access-control-allow-origin']).toBeUndefined()
  })

  it('lets a link of another page lead here, and its own page ask', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    expect((await ask(home(), { headers: link })).status).toBe(200)
    const origin = new URL(world.studio.url).origin
    expect((await ask(`${home()}api/runs`, { headers: { origin } })).status).toBe(200)
    const port = new URL(world.studio.url).port
    expect((await ask(home(), { headers: { host: `localhost:${port}` } })).status).toBe(200)
  })

  it('has another token with each start', async () => {
    const other = await startStudio({ traces: world.traces })
    expect(new URL(other.url).pathname).not.toBe(home())
    expect(new URL(other.url).pathname.length).toBeGreaterThan(32)
    await other.close()
  })

  it('serves no file but its own', async () => {
    for (const path of [
      '../package.json',
      '%2e%2e/package.json',
      'index.ts',
      'api',
      'api/nothing',
      'toString',
      '__proto__',
    ])
      expect((await ask(home() + path)).status, path).toBe(404)
  })

  it('says which port is taken', async () => {
    const port = Number(new URL(world.studio.url).port)
    await expect(startStudio({ traces: world.traces, port })).rejects.toThrow(`cannot listen on port ${port}`)
  })
})

describe('the answers', () => {
  it('list runs with what they cost', async () => {
    const { runs, hasMore } = await read<RunsPage>('runs')
    expect(hasMore).toBe(false)
    expect(runs).toEqual([
      expect.objectContaining({
        id: traceId('story'),
        agent: 'librarian',
        status: 'done',
        title: 'Who gave Theseus the thread, and what became of her on Naxos?',
        models: ['qwen/qwen3.5-9b', 'deepseek/deepseek-v3.2'],
        inputTokens: 9_412,
        outputTokens: 1_206,
        cachedTokens: 3_584,
        usd: 0.0031,
        ms: 9_870,
      }),
    ])
  })

  it('filter, search and bound', async () => {
    const found = async (query: string) => (await read<RunsPage>(`runs?${query}`)).runs.length
    expect(await found('agent=librarian')).toBe(1)
    expect(await found('agent=nobody')).toBe(0)
    expect(await found('status=failed')).toBe(0)
    expect(await found('model=deepseek%2Fdeepseek-v3.2')).toBe(1)
    expect(await found('text=Theogony')).toBe(1)
    expect(await found('text=Minotaur')).toBe(0)
    expect(await found('limit=0')).toBe(1)
    expect(await found('limit=-1&text=&status=')).toBe(1)
  })

  it('give a run with its spans in order', async () => {
    const { run, spans } = await read<Trace>(`runs/${traceId('story')}`)
    expect(run).toMatchObject({ agent: 'librarian', status: 'done', ms: 9_870, usd: 0.0031 })
    expect(spans.map(({ kind, name }) => `${kind} ${name}`).slice(0, 4)).toEqual([
      'agent librarian',
      'model qwen/qwen3.5-9b',
      'tool search',
      'tool search',
    ])
    expect(spans.find(({ name }) => name === 'read_page')).toMatchObject({
      status: 'error',
      error: 'The library did not answer within 1,000 ms.',
    })
  })

  it('give a model call with its request, its answer, and what changed since the one before', async () => {
    const path = (id: string) => `runs/${traceId('story')}/spans/${spanId('story', id)}`
    const first = await read<SpanPage>(path('turn 1'))
    expect(first.comparison).toBeUndefined()
    expect(first.content.request?.tools.map(({ name }) => name)).toEqual(['search', 'read_page'])
    expect(first.content.answer?.[0]?.parts.map(({ type }) => type)).toEqual(['reasoning', 'tool_call', 'tool_call'])
    const second = await read<SpanPage>(path('turn 2'))
    expect(second.comparison).toMatchObject({ previous: spanId('story', 'turn 1'), prefix: { isWhole: true } })
    const third = await read<SpanPage>(path('turn 3'))
    expect(third.comparison?.prefix).toEqual({ isWhole: false, part: 1, label: 'Instructions', at: 90 })
    expect(third.content.attributes).not.toHaveProperty(['gen_ai.input.messages'])
    // The sub-agent's first request is not held against its parent's.
    expect((await read<SpanPage>(path('check 1'))).comparison).toBeUndefined()
  })

  it('give a tool call with its arguments and its result', async () => {
    const { content } = await read<SpanPage>(`runs/${traceId('story')}/spans/${spanId('story', 's2')}`)
    expect(content).toMatchObject({ arguments: { query: 'Naxos' }, result: expect.stringContaining('Cyclades') })
  })

  it('give the days, also those without runs', async () => {
    const { days, by } = await read<Activity>('activity?days=3')
    expect(days).toHaveLength(3)
    expect(days.map(({ runs }) => runs)).toEqual([0, 0, 1])
    expect(days[2]).toMatchObject({ calls: 6, errors: 0, inputTokens: 8_812 })
    expect(by.tool.map(({ name }) => name).sort()).toEqual(['fact_checker', 'read_page', 'search'])
    expect(by.tool.find(({ name }) => name === 'read_page')).toMatchObject({ calls: 1, errors: 1 })
    // Not the one that the request went to, but the one that answered.
    expect(by.provider.map(({ name, calls }) => [name, calls])).toEqual([['Alibaba', 6]])
    expect(by.model.find(({ name }) => name.startsWith('qwen'))).toMatchObject({ calls: 4, ms: { p50: 1_310 } })
  })

  it('give the whole run to keep', async () => {
    const body = await read<object>(`runs/${traceId('story')}/download`)
    await using other = await openWorld()
    expect(importOtlp(other.traces, JSON.stringify(body))).toMatchObject({ spans: 13, rejected: 0 })
    expect(other.traces.whole(traceId('story'))).toEqual(world.traces.whole(traceId('story')))
  })

  it('know what is not there', async () => {
    for (const path of ['runs/none', `runs/${traceId('story')}/spans/none`, 'runs/none/test', 'runs/none/download'])
      expect((await ask(`${home()}api/${path}`)).status, path).toBe(404)
  })

  it('tell an error of the store in its words', async () => {
    const runs = () => {
      throw new Error('The traces at traces.db could not be read: it is no database.')
    }
    await using broken = await startStudio({ traces: { ...world.traces, runs } })
    const response = await fetch(`${broken.url}api/runs`)
    expect(response.status).toBe(500)
    expect(((await response.json()) as { error: string }).error).toContain('traces.db')
  })

  it('tell which traces changed, to a page that listens', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${world.studio.url}api/changes`, { signal: leaving.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toContain('event: open')
    world.traces.add(
      traceOf('later', Date.now() - 40 * 86_400_000, [
        { id: 'a', op: 'invoke_agent', ms: 10, attributes: { 'gen_ai.agent.name': 'later', 'clew.status': 'done' } },
        { id: 'b', parent: 'a', op: 'chat', ms: 10, attributes: chat({ messages: [says('user', 'Later?')] }) },
      ]),
    )
    const { value } = await reader.read()
    expect(value).toBe(`event: change\ndata: {"traces":["${traceId('later')}"]}\n\n`)
    // What was told once is not told again.
    const other = { id: 'a', op: 'invoke_agent', ms: 10, attributes: { 'gen_ai.agent.name': 'last' } } as const
    world.traces.add(traceOf('last', Date.now() - 40 * 86_400_000, [other]))
    expect((await reader.read()).value).toBe(`event: change\ndata: {"traces":["${traceId('last')}"]}\n\n`)
    leaving.abort()
  })
})

describe('runs that are not done', () => {
  const agent = { 'gen_ai.agent.name': 'a' }

  it('tell how it stands with them', async () => {
    await using other = await openWorld([
      ...traceOf('waits', 1_000, [
        { id: 'a', op: 'invoke_agent', ms: 5, attributes: { ...agent, 'clew.status': 'waiting' } },
      ]),
      ...traceOf('stops', 2_000, [
        {
          id: 'a',
          op: 'invoke_agent',
          ms: 5,
          attributes: { ...agent, 'clew.status': 'stopped', 'clew.stop': 'turns' },
        },
      ]),
      ...traceOf('fails', 3_000, [
        {
          id: 'a',
          op: 'invoke_agent',
          ms: 5,
          error: 'No credit is left.',
          attributes: { ...agent, 'clew.status': 'failed' },
        },
      ]),
      // No process that writes it is alive.
      ...traceOf('dies', 4_000, [{ id: 'a', op: 'invoke_agent', attributes: agent }]),
    ])
    const { runs } = (await (await fetch(`${other.studio.url}api/runs`)).json()) as RunsPage
    expect(runs.map(({ status, reason }) => [status, reason])).toEqual([
      ['lost', undefined],
      ['failed', 'No credit is left.'],
      ['stopped', expect.stringContaining('turns')],
      ['waiting', undefined],
    ])
    for (const { id, status } of runs) {
      const { run } = (await (await fetch(`${other.studio.url}api/runs/${id}`)).json()) as Trace
      expect(run.status).toBe(status)
    }
  })
})
