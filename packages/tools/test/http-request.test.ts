import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { type HttpRequestOptions, httpRequest } from '../src/index.ts'
import { useTool } from './use-tool.ts'
import { serve, type WebServer } from './web-server.ts'

type Seen = { method: string; url: string; type: string | undefined; key: string | undefined; body: string }

async function api(answer: (seen: Seen) => { status?: number; body?: string; headers?: { [name: string]: string } }) {
  const seen: Seen[] = []
  const server = await serve(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method = '', url = '', headers } = request
    const each = { method, url, type: headers['content-type'], key: headers.authorization, body }
    seen.push(each)
    const { status = 200, body: text = '', headers: more = {} } = answer(each)
    response.writeHead(status, more).end(text)
  })
  return { seen, server }
}

const asker = (server: WebServer, options: Partial<HttpRequestOptions> = {}) =>
  httpRequest({ hosts: ['127.0.0.1'], allowPrivate: [server.host], ...options })

describe('http_request', () => {
  it('sends JSON and text, and gives status, a few headers and the body', async () => {
    const { seen, server } = await api(() => ({
      status: 201,
      body: '{"id":7}',
      headers: { 'content-type': 'application/json', location: '/orders/7', 'set-cookie': 'a=b', 'x-powered-by': 'x' },
    }))
    const tool = asker(server)
    const { inside, outside } = await useTool(tool, {
      method: 'POST',
      url: `${server.url}/orders?a=1`,
      body: { size: 2 },
    })
    expect(outside).toBe('The answer to POST:\n…')
    expect(inside).toBe(
      `HTTP 201\nurl: ${server.url}/orders?a=1\ncontent-type: application/json\nlocation: /orders/7\n\n{\n  "id": 7\n}`,
    )
    await useTool(tool, { method: 'PUT', url: server.url, body: '[1]' })
    await useTool(tool, { method: 'PATCH', url: server.url, body: 'a text' })
    await useTool(asker(server, { headers: { [server.host]: { 'Content-Type': 'text/csv' } } }), {
      method: 'PUT',
      url: server.url,
      body: 'a,b',
    })
    await useTool(tool, { method: 'DELETE', url: server.url })
    expect(seen.map(({ method, type, body }) => [method, type, body])).toEqual([
      ['POST', 'application/json', '{"size":2}'],
      ['PUT', 'application/json', '[1]'],
      ['PATCH', 'text/plain; charset=utf-8', 'a text'],
      ['PUT', 'text/csv', 'a,b'],
      ['DELETE', undefined, ''],
    ])
  })

  it('signs in for the model, which never sees how', async () => {
    const secrets = ['Bearer s3cret/token"1', `Basic ${Buffer.from('ann:pass word').toString('base64')}`]
    for (const secret of secrets) {
      const token = secret.split(' ')[1]!
      const { seen, server } = await api(({ key }) => ({
        status: 401,
        headers: {
          'content-type': 'application/json',
          etag: `"${Buffer.from(key ?? '').toString('base64')}"`,
          link: key ?? '',
        },
        body: JSON.stringify({
          key,
          token,
          url: encodeURIComponent(token),
          plain: token.includes('/') ? '' : atob(token).split(':')[1],
          base: btoa(token),
        }),
      }))
      const tool = asker(server, { headers: { [server.host]: { authorization: secret } } })
      const { text } = await useTool(tool, { method: 'GET', url: server.url })
      expect(seen[0]!.key).toBe(secret)
      expect(text).toContain('[secret]')
      for (const form of [
        token,
        encodeURIComponent(token),
        JSON.stringify(token).slice(1, -1),
        'pass word',
        btoa(token),
      ]) {
        expect(text).not.toContain(form)
      }
      const spec = JSON.stringify(await tool.spec())
      expect(spec).not.toContain(token)
    }
  })

  it('keeps the credentials of a host to it', async () => {
    const other = await api(() => ({ body: 'other' }))
    const { seen, server } = await api(() => ({ status: 302, headers: { location: other.server.url } }))
    const tool = httpRequest({
      hosts: ['127.0.0.1'],
      allowPrivate: [server.host, other.server.host],
      headers: { [server.host]: { authorization: 'Bearer for one' } },
    })
    expect((await useTool(tool, { method: 'GET', url: server.url })).inside).toContain('other')
    expect([seen[0]!.key, other.seen[0]!.key]).toEqual(['Bearer for one', undefined])
  })

  it('sends the credentials of a host over https, or where the program named the port', async () => {
    const { seen, server } = await api(() => ({}))
    const options = {
      hosts: ['api.example.com'],
      headers: { 'api.example.com': { authorization: 'Bearer for https' } },
      resolve: async () => ['127.0.0.1'],
    }
    const url = `http://api.example.com:${server.port}/`
    const other = httpRequest({ ...options, allowPrivate: ['api.example.com:1'] })
    const { isError, text } = await useTool(other, { method: 'GET', url })
    expect([isError, text]).toEqual([true, expect.stringContaining('goes over https only')])
    expect(seen).toEqual([])
    const named = httpRequest({ ...options, allowPrivate: [`api.example.com:${server.port}`] })
    await useTool(named, { method: 'GET', url })
    expect(seen[0]!.key).toBe('Bearer for https')
  })

  it('goes to the named hosts only', async () => {
    const { seen, server } = await api(() => ({}))
    const tool = httpRequest({ hosts: ['api.example.com'], allowPrivate: [server.host] })
    const { isError, text } = await useTool(tool, { method: 'GET', url: server.url })
    expect([isError, text]).toEqual([true, expect.stringContaining('127.0.0.1 is not among the hosts')])
    expect(seen).toEqual([])
  })

  it('reads on in the answer without asking again', async () => {
    const { seen, server } = await api(() => ({ body: 'line of text\n'.repeat(50) }))
    const tool = asker(server, { chars: 300 })
    const call = { method: 'POST', url: server.url, body: 'x' }
    const { outside } = await useTool(tool, call)
    const from = Number(/"from": (\d+)/.exec(outside)![1])
    expect((await useTool(tool, { ...call, from })).inside).toMatch(/^line of text/)
    expect(seen).toHaveLength(1)
    const gone = await useTool(tool, { ...call, body: 'y', from })
    expect([gone.isError, gone.text]).toEqual([true, expect.stringContaining('not kept any more')])
    expect((await useTool(tool, { method: 'GET', url: `${server.url}/b`, from })).inside).toMatch(/^\n?line of text/)
    expect(seen.map(({ method }) => method)).toEqual(['POST', 'GET'])
  })

  it('asks a person before it writes, unless told otherwise', async () => {
    const { seen, server } = await api(() => ({}))
    const waiting = async (method: string, options: Partial<HttpRequestOptions> = {}, from?: number) => {
      const model = scriptedModel([
        { calls: [{ name: 'http_request', arguments: { method, url: server.url, from } }] },
        'Done.',
      ])
      const agent = new Agent({ name: 'a', model, tools: [asker(server, options)] })
      return (await agent.run('Go.')).status
    }
    expect([await waiting('GET'), await waiting('HEAD')]).toEqual(['done', 'done'])
    expect([await waiting('POST'), await waiting('DELETE')]).toEqual(['waiting', 'waiting'])
    expect(await waiting('POST', {}, 5)).toBe('done')
    expect(await waiting('POST', { needsApproval: false })).toBe('done')
    expect(await waiting('GET', { needsApproval: true })).toBe('waiting')
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'POST'])
  })

  it('says what it does to the world by its methods', () => {
    const hosts = ['a.example']
    expect(httpRequest({ hosts }).effect).toBe('once')
    expect(httpRequest({ hosts, methods: ['GET', 'HEAD'] }).effect).toBe('pure')
  })

  it('gives the mistakes of the model back to it', async () => {
    const { server } = await api(() => ({ body: 'a\0b' }))
    const tool = asker(server, { methods: ['GET'] })
    expect((await useTool(tool, { method: 'POST', url: server.url })).text).toContain('does not fit')
    expect((await useTool(tool, { method: 'GET', url: server.url, body: 'x' })).text).toContain('A GET has no body.')
    expect((await useTool(tool, { method: 'GET', url: server.url })).text).toContain('is no text but 3 bytes')
    const faked = await useTool({ ...tool, execute: tool.fake! }, { method: 'GET', url: 'x' })
    expect(faked.inside).toContain('HTTP 200')
  })

  it.each<[object, RegExp]>([
    [{}, /hosts is missing/],
    [{ hosts: [] }, /hosts is missing/],
    [{ hosts: ['*'] }, /hosts has "\*"/],
    [{ hosts: ['a.example'], methods: ['TRACE'] }, /methods has "TRACE"/],
    [{ hosts: ['a.example'], methods: [] }, /methods has/],
    [{ hosts: ['a.example'], headers: { 'https://a.example': {} } }, /which is no host/],
  ])('the options %j are refused', (options, message) => {
    expect(() => httpRequest(options as HttpRequestOptions)).toThrow(message)
  })
})
