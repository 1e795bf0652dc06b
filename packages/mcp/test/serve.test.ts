/** Tools and agents of ours as an MCP server, seen by our own client and by raw requests. */
import { request as httpRequest } from 'node:http'
import { Agent, type ContentPart, type Json, type Tool, type ToolEnd, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import {
  type Caller,
  type ElicitationAnswer,
  type McpOptions,
  mcp,
  type ServeHttpOptions,
  serveMcp,
} from '../src/index.ts'
import { runCall } from './run-call.ts'

async function serve(
  tools: readonly Tool<never, never>[],
  options: { client?: Partial<McpOptions>; http?: ServeHttpOptions; context?: (caller: Caller) => unknown } = {},
) {
  const { context } = options
  const service = serveMcp({
    name: 'ours',
    version: '1.2.3',
    instructions: 'Use well.',
    tools: tools as never,
    ...(context && { context }),
  })
  const http = await service.http(options.http)
  const client = await mcp({ url: http.url, name: '', ...options.client })
  const run = (name: string, input: { [key: string]: Json } = {}, more: Parameters<typeof runCall>[3] = {}) =>
    runCall(client.tools(), name, input, more) as Promise<ToolEnd>
  const close = async () => {
    await client.close()
    await http.close()
  }
  return { http, client, run, [Symbol.asyncDispose]: close }
}

describe('our tools over MCP', () => {
  it('are listed with their schema, and hints by their effect', async () => {
    const tools = [
      tool({
        name: 'look',
        description: 'Looks.',
        input: z.object({ at: z.string() }),
        effect: 'pure',
        execute: () => '',
      }),
      tool({ name: 'set', effect: 'idempotent', execute: () => '' }),
      tool({ name: 'pay', execute: () => '' }),
    ]
    const hints: { [name: string]: object } = {}
    await using one = await serve(tools, {
      client: {
        perTool({ name, annotations }) {
          hints[name] = annotations
          return {}
        },
      },
    })
    expect(one.client.info).toEqual({ name: 'ours', version: '1.2.3' })
    expect(one.client.instructions).toBe('Use well.')
    expect(await one.client.tools()[0]?.spec()).toEqual(await tools[0]?.spec())
    expect(hints).toEqual({ look: { readOnlyHint: true }, set: { idempotentHint: true }, pay: {} })
  })

  it('answer with all kinds of content, there and back', async () => {
    const content: ContentPart[] = [
      { type: 'text', text: 'Words.' },
      { type: 'image', url: 'data:image/png;base64,AAAA' },
      { type: 'audio', data: 'AAAA', format: 'mp3' },
      { type: 'file', filename: 'a.pdf', data: 'data:application/pdf;base64,AAAA' },
    ]
    const far: ContentPart[] = [
      { type: 'image', url: 'https://example.com/a.png' },
      { type: 'file', filename: 'b.pdf', data: 'https://example.com/b.pdf' },
      { type: 'file', filename: 'c d.txt', data: 'data:text/plain;charset=utf-8;base64,w6k=' },
      { type: 'video', url: 'data:video/mp4;base64,AAAA' },
    ]
    await using one = await serve([
      tool({ name: 'near', execute: () => content }),
      tool({ name: 'far', execute: () => far }),
      tool({ name: 'data', execute: () => ({ a: [1, null] }) }),
      tool({ name: 'both', execute: () => ({ content: 'for the model', view: 'for people' }) }),
    ])
    expect((await one.run('near')).content).toEqual(content)
    expect((await one.run('far')).content).toEqual(
      [
        '[link: https://example.com/a.png, image]',
        '[link: https://example.com/b.pdf, b.pdf]',
        '[resource: file:///c%20d.txt, text/plain]\né',
        '[file: file:///video, video/mp4, 3 bytes]',
      ].map((text) => ({ type: 'text', text })),
    )
    expect((await one.run('data')).content).toBe('{"a":[1,null]}')
    const both = await one.run('both')
    expect(both).toMatchObject({ content: 'for the model' })
    expect(both).not.toHaveProperty('view')
  })

  it('go through the same door: input, timeout, cap, errors', async () => {
    const ran: unknown[] = []
    await using one = await serve([
      tool({
        name: 'strict',
        input: z.object({ n: z.int().default(4) }),
        execute: (input) => ran.push(input) && 'ran',
      }),
      tool({ name: 'slow', timeoutMs: 5, execute: () => new Promise(() => {}) }),
      tool({ name: 'long', maxResultChars: 10, execute: () => 'x'.repeat(100) }),
      tool({ name: 'fails', execute: () => Promise.reject(new Error('no disk')) }),
    ])
    const raw = new Raw(one.http.url)
    await raw.initialize()
    const call = async (name: string, given: unknown) => (await raw.call('tools/call', { name, arguments: given })).body
    expect(await call('strict', { n: 'x' })).toMatchObject({ result: { isError: true } })
    expect(await call('strict', 'text')).toHaveProperty('error')
    expect(ran).toEqual([])
    expect(await call('strict', undefined)).toMatchObject({ result: { content: [{ text: 'ran' }] } })
    expect(ran).toEqual([{ n: 4 }])
    expect(await call('slow', {})).toMatchObject({
      result: { isError: true, content: [{ text: expect.stringContaining('timed out') }] },
    })
    expect(await call('long', {})).toMatchObject({
      result: { content: [{ text: expect.stringMatching(/^x{10}\n\[Cut/) }] },
    })
    expect(await call('fails', {})).toMatchObject({
      result: { isError: true, content: [{ text: 'Tool "fails" failed: no disk' }] },
    })
    expect(await call('none', {})).toMatchObject({
      result: { isError: true, content: [{ text: expect.stringContaining('Available tools: strict, slow') }] },
    })
  })

  it('tell their progress, which always rises', async () => {
    const steps = tool({
      name: 'steps',
      async *execute() {
        yield 'begun'
        yield { progress: 5, total: 10, message: 'half' }
        yield { progress: 3 }
        yield { done: 7 }
        return 'done'
      },
    })
    await using one = await serve([steps])
    const seen: unknown[] = []
    const end = await one.run(
      'steps',
      {},
      { onEvent: (event) => event.type === 'tool-progress' && seen.push(event.data) },
    )
    expect(end.content).toBe('done')
    expect(seen).toEqual([
      { progress: 1, message: 'begun' },
      { progress: 5, total: 10, message: 'half' },
      { progress: 6, message: '{"done":7}' },
    ])
  })

  it('learn who calls, and end when the client gives up', async () => {
    const callers: Caller[] = []
    const ended = Promise.withResolvers<void>()
    const stuck = tool({
      name: 'stuck',
      async *execute(_, { context, signal }) {
        callers.push(context as Caller)
        signal.addEventListener('abort', () => ended.resolve())
        yield 'begun'
        await new Promise(() => {})
      },
    })
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await using one = await serve([stuck], { context: (caller) => caller, client: { meta: () => ({ traceparent }) } })
    const controller = new AbortController()
    const onEvent = ({ type }: { type: string }) => type === 'tool-progress' && controller.abort()
    expect(await one.run('stuck', {}, { signal: controller.signal, onEvent })).toMatchObject({ isError: true })
    await ended.promise
    expect(callers).toMatchObject([{ meta: { traceparent }, client: { name: 'clew' }, sessionId: expect.any(String) }])
    expect(callers[0]?.meta).not.toHaveProperty('progressToken')
  })

  it('ask the person and the model at the client', async () => {
    const curious = tool({
      name: 'curious',
      async execute(_, { context }) {
        const { elicit, sample } = context as Caller
        const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }
        const answer = await elicit({ mode: 'form', message: 'Who?', schema })
        return `${JSON.stringify(answer)} ${await sample({ prompt: 'Why?', maxTokens: 10 })}`
      },
    })
    await using one = await serve([curious], {
      context: (caller) => caller,
      client: {
        onElicitation: async () => ({ action: 'accept', content: { name: 'Ada' } }),
        sampling: { model: scriptedModel(['Because.']) },
      },
    })
    expect((await one.run('curious')).content).toBe('{"action":"accept","content":{"name":"Ada"}} Because.')
    await using alone = await serve([curious], { context: (caller) => caller })
    expect(await alone.run('curious')).toMatchObject({ isError: true })
  })

  it('two of one name, and one that nobody can answer, are refused at once', () => {
    const a = tool({ name: 'a', execute: () => '' })
    expect(() => serveMcp({ name: 'x', tools: [a, a] })).toThrow('two tools "a"')
    expect(() => serveMcp({ name: 'x', tools: [tool({ name: 'b' })] })).toThrow('nobody else can answer it')
  })
})

describe('what needs a person', () => {
  const ran: unknown[] = []
  const pay = tool({
    name: 'pay',
    input: z.object({ usd: z.number() }),
    needsApproval: ({ usd }) => usd > 10,
    execute: (input) => ran.push(input) && 'paid',
  })

  it('is refused where the client cannot ask one', async () => {
    await using one = await serve([pay])
    expect(await one.run('pay', { usd: 20 })).toMatchObject({
      isError: true,
      content: expect.stringContaining('"pay" needs a person\'s approval, and this client cannot ask one'),
    })
    expect(ran).toEqual([])
    expect(await one.run('pay', { usd: 5 })).toMatchObject({ content: 'paid' })
    expect(ran.splice(0)).toEqual([{ usd: 5 }])
  })

  it.each<[string, ElicitationAnswer, object]>([
    ['approved', { action: 'accept', content: { approve: true } }, { content: 'paid' }],
    ['not ticked', { action: 'accept', content: { approve: false } }, { isError: true }],
    ['left as it was', { action: 'accept', content: {} }, { isError: true }],
    ['declined', { action: 'decline' }, { isError: true }],
    ['left alone', { action: 'cancel' }, { isError: true }],
  ])('is asked of the person at the client: %s', async (_, answer, end) => {
    const asked: unknown[] = []
    await using one = await serve([pay], {
      client: {
        async onElicitation(request) {
          asked.push(request)
          return answer
        },
      },
    })
    expect(await one.run('pay', { usd: 20 })).toMatchObject(end)
    expect(asked).toMatchObject([{ mode: 'form', message: expect.stringMatching(/^May ours run "pay".*"usd": 20/s) }])
    expect(ran.splice(0).length).toBe('content' in end ? 1 : 0)
  })

  it('is asked with what a person would not see made visible', async () => {
    const asked: string[] = []
    const say = tool({ name: 'say', input: z.object({ text: z.string() }), needsApproval: true, execute: () => 'ran' })
    await using one = await serve([say], {
      client: {
        async onElicitation({ message }) {
          asked.push(message)
          return { action: 'decline' }
        },
      },
    })
    await one.run('say', { text: 'a\u202eb\u{e0041}' })
    expect(asked[0]).toContain('"a\\u{202e}b\\u{e0041}"')
  })

  it('is not asked of input that is too long to be shown', async () => {
    const write = tool({
      name: 'write',
      input: z.object({ text: z.string() }),
      needsApproval: true,
      execute: () => 'ran',
    })
    await using one = await serve([write], {
      client: { onElicitation: async () => ({ action: 'accept', content: { approve: true } }) },
    })
    expect(await one.run('write', { text: 'x'.repeat(20_000) })).toMatchObject({
      isError: true,
      content: expect.stringContaining('too long to be shown'),
    })
  })

  it('and is no approval cannot be asked', async () => {
    const script = [{ calls: [{ name: 'measure' }] }]
    const clerk = new Agent({ name: 'clerk', model: scriptedModel(script), tools: [tool({ name: 'measure' })] })
    const asked: unknown[] = []
    await using one = await serve([clerk.asTool()], {
      client: {
        async onElicitation(request) {
          asked.push(request)
          return { action: 'accept', content: { approve: true } }
        },
      },
    })
    expect(await one.run('clerk', { task: 'Measure.' })).toMatchObject({ isError: true })
    expect(asked).toEqual([])
  })

  it('inside an agent is asked as well, and refused where nobody can be asked', async () => {
    const make = () => {
      const script = [{ calls: [{ name: 'pay', arguments: { usd: 30 } }] }, 'It is paid.']
      const clerk = new Agent({ name: 'clerk', model: scriptedModel(script), tools: [pay] })
      return clerk.asTool({ description: 'Pays.' })
    }
    const asked: unknown[] = []
    await using one = await serve([make()], {
      client: {
        async onElicitation(request) {
          asked.push(request)
          return { action: 'accept', content: { approve: true } }
        },
      },
    })
    expect(await one.run('clerk', { task: 'Pay 30.' })).toMatchObject({ content: 'It is paid.' })
    expect(asked).toMatchObject([{ message: expect.stringContaining('May ours > clerk run "pay"') }])
    expect(ran.splice(0)).toEqual([{ usd: 30 }])
    await using alone = await serve([make()])
    expect(await alone.run('clerk', { task: 'Pay 30.' })).toMatchObject({
      isError: true,
      content: expect.stringContaining('"clerk" came to a point where a person is needed'),
    })
    expect(ran).toEqual([])
  })
})

describe('over HTTP', () => {
  const hello = tool({ name: 'hello', execute: () => 'Hello.' })

  it('only this machine is listened to, and only under names of this machine', async () => {
    await using http = await serveMcp({ name: 'x', tools: [hello] }).http()
    expect(new URL(http.url).hostname).toBe('127.0.0.1')
    const raw = new Raw(http.url)
    expect((await raw.initialize()).status).toBe(200)
    expect((await new Raw(http.url, { host: 'localhost:99' }).initialize()).status).toBe(200)
    const strange: { [name: string]: string }[] = [
      { host: 'evil.example.com' },
      { origin: 'https://evil.example.com' },
      { origin: 'null' },
    ]
    for (const headers of strange) {
      expect((await new Raw(http.url, headers).initialize()).status).toBe(403)
      expect((await raw.call('tools/call', { name: 'hello' }, headers)).status).toBe(403)
    }
    expect((await new Raw(http.url, { origin: 'http://localhost:3000' }).initialize()).status).toBe(200)
  })

  it('other names are let in when the host says so', async () => {
    const options = { allowedHosts: ['tools.example.com'], allowedOrigins: ['app.example.com'], path: '/tools' }
    await using http = await serveMcp({ name: 'x', tools: [hello] }).http(options)
    const headers = { host: 'tools.example.com', origin: 'https://app.example.com' }
    expect((await new Raw(http.url, headers).initialize()).status).toBe(200)
    expect((await new Raw(http.url).initialize()).status).toBe(403)
  })

  it('a session is needed, is known by its id alone, and ends with DELETE', async () => {
    await using http = await serveMcp({ name: 'x', tools: [hello] }).http()
    const raw = new Raw(http.url)
    expect((await raw.call('tools/list', {})).status).toBe(400)
    await raw.initialize()
    expect((await raw.call('tools/call', { name: 'hello' })).body).toMatchObject({
      result: { content: [{ text: 'Hello.' }] },
    })
    expect((await raw.call('tools/list', {}, { 'mcp-session-id': 'made-up' })).status).toBe(404)
    expect((await raw.send('DELETE')).status).toBe(200)
    expect((await raw.call('tools/list', {})).status).toBe(404)
  })

  it('a client whose session is gone gets a new one', async () => {
    await using one = await serve([hello])
    expect(await one.run('hello')).toMatchObject({ content: 'Hello.' })
    const port = Number(new URL(one.http.url).port)
    await one.http.close()
    await using again = await serveMcp({ name: 'ours', tools: [hello] }).http({ port })
    expect(again.url).toBe(one.http.url)
    // A connection that was kept open is noticed to be gone by the first call at the latest.
    await vi.waitFor(async () => expect(await one.run('hello')).toMatchObject({ content: 'Hello.' }), {
      timeout: 30_000,
    })
  })

  it('sessions that nobody uses make room', async () => {
    await using http = await serveMcp({ name: 'x', tools: [hello] }).http()
    const first = new Raw(http.url)
    const second = new Raw(http.url)
    await first.initialize()
    await second.initialize()
    await first.call('tools/list', {})
    for (let at = 0; at < 255; at++) await new Raw(http.url).initialize()
    expect((await first.call('tools/list', {})).status).toBe(200)
    expect((await second.call('tools/list', {})).status).toBe(404)
  })

  it('what is too large, no JSON, or not for us is refused', async () => {
    await using http = await serveMcp({ name: 'x', tools: [hello] }).http({ maxBodyBytes: 10_000 })
    const raw = new Raw(http.url)
    await raw.initialize()
    expect((await raw.call('tools/call', { name: 'hello', arguments: { a: 'x'.repeat(20_000) } })).status).toBe(413)
    expect((await raw.send('POST', '{"jsonrpc":')).status).toBe(400)
    expect((await raw.send('PUT', '{}')).status).toBe(405)
    for (const path of ['/', '//', '/mcp/', '/%', 'http://[']) {
      expect((await raw.send('POST', '{}', {}, path)).status).toBe(404)
    }
    expect((await raw.call('tools/call', { name: 'hello' })).status).toBe(200)
  })

  it('a port that is taken is an error', async () => {
    await using http = await serveMcp({ name: 'x', tools: [hello] }).http()
    const port = Number(new URL(http.url).port)
    await expect(serveMcp({ name: 'y', tools: [hello] }).http({ port })).rejects.toThrow('EADDRINUSE')
  })

  it('close ends the calls under way', async () => {
    const ended = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const stuck = tool({
      name: 'stuck',
      execute: (_, { signal }) => {
        signal.addEventListener('abort', () => ended.resolve())
        begun.resolve()
        return new Promise(() => {})
      },
    })
    await using one = await serve([stuck])
    const ending = one.run('stuck')
    await begun.promise
    await one.http.close()
    await ended.promise
    expect(await ending).toMatchObject({ isError: true })
  })
})

/** A client without the SDK. */
class Raw {
  readonly #url: URL
  readonly #headers: { [name: string]: string }
  constructor(url: string, headers: { [name: string]: string } = {}) {
    this.#url = new URL(url)
    this.#headers = { ...headers }
  }

  async initialize() {
    const about = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } }
    const answer = await this.call('initialize', about)
    const session = answer.headers['mcp-session-id']
    if (typeof session === 'string') this.#headers['mcp-session-id'] = session
    return answer
  }

  call(method: string, params: object, headers: { [name: string]: string } = {}) {
    return this.send('POST', JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), headers)
  }

  send(method: string, body = '', headers: { [name: string]: string } = {}, path = this.#url.pathname) {
    const all = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...this.#headers,
      ...headers,
    }
    type Answered = { status: number; headers: { [name: string]: unknown }; body: unknown }
    return new Promise<Answered>((resolve, reject) => {
      const { hostname, port } = this.#url
      const request = httpRequest({ method, hostname, port, path, headers: all }, async (response) => {
        let text = ''
        for await (const chunk of response) text += chunk
        const json = text.match(/^data: (\{.*)$/m)?.[1] ?? (text.startsWith('{') ? text : 'null')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(json) })
      })
      request.on('error', reject)
      request.end(body)
    })
  }
}
