/** Calls of a server's tools over HTTP: what comes back, how long they may take, what survives. */
import { Agent, type Json, type RunEvent, type ToolEnd } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type McpOptions, mcp } from '../src/index.ts'
import { plain, type Reply, rawServer, type Sent } from './raw-server.ts'
import { runCall } from './run-call.ts'

const said = (text: string) => ({ content: [{ type: 'text', text }] })

async function connect(
  call: (sent: Sent, reply: Reply) => void,
  options: Partial<McpOptions> = {},
  tools: unknown[] = [plain('act')],
) {
  const raw = await rawServer({ call, tools })
  const server = await mcp({ url: raw.url, name: '', ...options })
  const run = (input: { [key: string]: Json } = {}, more: Parameters<typeof runCall>[3] = {}) =>
    runCall(server.tools(), 'act', input, more) as Promise<ToolEnd>
  const close = async () => {
    await server.close()
    await raw.close()
  }
  return { raw, server, run, [Symbol.asyncDispose]: close }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('what a call gives', () => {
  it('P127: an error result is one of ours, and nothing is checked of it against the output schema', async () => {
    const outputSchema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
    await using one = await connect((_, { result }) => result({ ...said('no such row'), isError: true }), {}, [
      plain('act', { outputSchema }),
    ])
    expect(await one.run()).toMatchObject({ isError: true, content: 'Tool "act" failed: no such row' })
  })

  it('P127: structured content reaches the model, once, and is the view', async () => {
    const structuredContent = { n: 1, list: ['a'] }
    let content: unknown[] = []
    await using one = await connect((_, { result }) => result({ content, structuredContent }))
    expect(await one.run()).toMatchObject({ content: '{"n":1,"list":["a"]}', view: structuredContent })
    content = [{ type: 'text', text: '{ "list": ["a"], "n": 1 }' }]
    expect(await one.run()).toMatchObject({ content: '{ "list": ["a"], "n": 1 }' })
    content = [{ type: 'text', text: 'One.' }]
    expect(await one.run()).toMatchObject({
      content: [
        { type: 'text', text: 'One.' },
        { type: 'text', text: '{"n":1,"list":["a"]}' },
      ],
    })
  })

  it('structured content that breaks the promised schema is given as it is', async () => {
    const outputSchema = { type: 'object', properties: { n: { type: 'number', pattern: '(a+)+$' } }, required: ['n'] }
    await using one = await connect((_, { result }) => result({ structuredContent: { n: 'five' } }), {}, [
      plain('act', { outputSchema }),
    ])
    expect(await one.run()).toMatchObject({ content: '{"n":"five"}' })
  })

  it('P128: images are parts with their type, other media are parts or notes, and base64 is never text', async () => {
    const data = Buffer.from('bytes of some picture or sound').toString('base64')
    const content = [
      { type: 'image', data, mimeType: 'image/PNG' },
      { type: 'image', data, mimeType: 'image/tiff' },
      { type: 'image', data: 'not base64!', mimeType: 'image/png' },
      { type: 'image' },
      { type: 'audio', data, mimeType: 'audio/mpeg' },
      { type: 'audio', data, mimeType: 'audio/midi' },
      { type: 'resource_link', uri: 'file:///a.txt', name: 'a', mimeType: 'text/plain', size: 12, description: 'A.' },
      { type: 'resource', resource: { uri: 'file:///b.txt', mimeType: 'text/plain', text: 'Words.' } },
      { type: 'resource', resource: { uri: 'file:///dir/c d.pdf', mimeType: 'application/pdf', blob: data } },
      { type: 'resource', resource: { uri: 'file:///e.gz', mimeType: 'application/gzip', blob: data } },
      { type: 'resource', resource: { uri: 'file:///f.webp', mimeType: 'image/webp', blob: data } },
      { type: 'hologram', data },
      { type: 'text' },
      null,
    ]
    await using one = await connect((_, { result }) => result({ content }))
    const end = await one.run()
    const text = (words: string) => ({ type: 'text', text: words })
    expect(end.content).toEqual([
      { type: 'image', url: `data:image/png;base64,${data}` },
      text('[image: image/tiff, 30 bytes]'),
      text('[image: image/png, its data cannot be read]'),
      text('[image: application/octet-stream, its data cannot be read]'),
      { type: 'audio', data, format: 'mp3' },
      text('[audio: audio/midi, 30 bytes]'),
      text('[link: file:///a.txt, a, text/plain, 12 bytes, A.]'),
      text('[resource: file:///b.txt, text/plain]\nWords.'),
      { type: 'file', filename: 'c_d.pdf', data: `data:application/pdf;base64,${data}` },
      text('[file: file:///e.gz, application/gzip, 30 bytes]'),
      { type: 'image', url: `data:image/webp;base64,${data}` },
      text('[content of unknown type "hologram"]'),
      text('[text that is missing]'),
      text('[content of unknown type none]'),
    ])
  })

  it('what is too much for any model is told, not sent', async () => {
    const blocks = (count: number) => Array.from({ length: count }, () => ({ type: 'text', text: 'x' }))
    let content: unknown[] = blocks(150)
    await using one = await connect((_, { result }) => result({ content }))
    const { content: some } = await one.run()
    expect(some.length).toBe(101)
    expect(some.at(-1)).toEqual({ type: 'text', text: '[50 more parts were left out]' })
    content = [{ type: 'image', mimeType: 'image/png', data: 'A'.repeat(12_000_000) }]
    expect(await one.run()).toMatchObject({ content: '[image: image/png, 9000000 bytes, too large to be sent]' })
  })

  it('a message without end is broken off, a stream of many is not', async () => {
    const megabyte = Buffer.from(`: ${'x'.repeat(2 ** 20)}\n`)
    let type = ''
    let last = ''
    const endless: typeof fetch = async (url, init) => {
      if (!String(init?.body).includes('tools/call')) return fetch(url, init)
      const { id } = JSON.parse(String(init?.body))
      let left = 40
      const body = new ReadableStream({
        pull(controller) {
          if (left-- > 0) controller.enqueue(last === '' ? megabyte : Buffer.concat([megabyte, Buffer.from('\n')]))
          else {
            controller.enqueue(Buffer.from(last.replace('ID', id)))
            controller.close()
          }
        },
      })
      return new Response(body, { headers: { 'content-type': type } })
    }
    await using one = await connect(() => {}, { fetch: endless } as Partial<McpOptions>)
    for (type of ['application/json', 'text/event-stream']) {
      const end = await one.run()
      expect(end).toMatchObject({ isError: true })
      if (type === 'application/json') expect(end.content).toContain('more than 33554432 bytes')
    }
    last = `data: {"jsonrpc":"2.0","id":ID,"result":${JSON.stringify(said('done'))}}\n\n`
    expect(await one.run()).toMatchObject({ content: 'done' })
  })

  it('a result that is none, in every way, is survived', async () => {
    for (const result of [{}, null, [], 7, 'text', { content: 'text' }, { content: { type: 'text' } }]) {
      await using one = await connect((_, reply) => reply.result(result))
      const end = await one.run()
      expect(end.type).toBe('tool-end')
      expect(typeof end.content).toBe('string')
    }
  })

  it('what the protocol calls an error is told to the model', async () => {
    await using one = await connect((_, { error }) => error(-32602, 'no such thing'))
    expect(await one.run()).toMatchObject({ isError: true, content: 'Tool "act" failed: no such thing' })
  })

  it('input that does not fit never reaches the server', async () => {
    const inputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
    await using one = await connect((_, { result }) => result(said('ran')), {}, [plain('act', { inputSchema })])
    expect(await one.run({ n: 'three' })).toMatchObject({ isError: true })
    expect(one.raw.count('tools/call')).toBe(0)
    expect(await one.run({ n: 3 })).toMatchObject({ content: 'ran' })
    expect(one.raw.received.at(-1)?.params).toMatchObject({ name: 'act', arguments: { n: 3 } })
  })

  it('P131: an event stream without event names is read', async () => {
    await using one = await connect((sent, { stream }) => {
      const { raw, end } = stream()
      raw(': comment\n\ndata: {"jsonrpc":"2.0",\n')
      raw(`data: "id":${sent.id},"result":${JSON.stringify(said('heard'))}}\n\n`)
      end()
    })
    expect(await one.run()).toMatchObject({ content: 'heard' })
  })

  it('trace context goes out as _meta with each call', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const asked: unknown[] = []
    await using one = await connect((_, { result }) => result(said('ran')), {
      meta(call) {
        asked.push(call)
        return { traceparent, tracestate: 'a=b' }
      },
    })
    await one.run()
    expect(one.raw.received.at(-1)?.params._meta).toMatchObject({ traceparent, tracestate: 'a=b' })
    expect(asked).toEqual([{ tool: 'act', id: expect.any(String), runId: expect.any(String) }])
  })

  it('headers and bearer tokens are sent', async () => {
    await using one = await connect((_, { result }) => result(said('ran')), {
      headers: { 'x-tenant': 'a' },
      authProvider: { token: async () => 'secret' },
    } as Partial<McpOptions>)
    await one.run()
    expect(one.raw.headers.at(-1)).toMatchObject({ 'x-tenant': 'a', authorization: 'Bearer secret' })
  })
})

describe('how long a call takes', () => {
  it('P120: three times the timeout with progress gives a result, without progress an error result', async () => {
    const calls: { sent: Sent; stream: ReturnType<Reply['stream']> }[] = []
    await using one = await connect((sent, { stream }) => void calls.push({ sent, stream: stream() }))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let heard = Promise.withResolvers<RunEvent>()
    const running = one.run({}, { onEvent: (event) => event.type === 'tool-progress' && heard.resolve(event) })
    await vi.waitFor(() => expect(calls.length).toBe(1), { interval: 5 })
    const { sent, stream } = calls[0]!
    const { progressToken } = sent.params._meta as { progressToken: number }
    for (let progress = 1; progress <= 4; progress++) {
      await vi.advanceTimersByTimeAsync(50_000)
      stream.send({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 4, message: `part ${progress}` },
      })
      expect(await heard.promise).toMatchObject({ data: { progress, total: 4, message: `part ${progress}` } })
      heard = Promise.withResolvers()
    }
    await vi.advanceTimersByTimeAsync(50_000)
    stream.send({ id: sent.id, result: said('done after 250 s') })
    expect(await running).toMatchObject({ content: 'done after 250 s' })

    const silent = one.run()
    await vi.waitFor(() => expect(calls.length).toBe(2), { interval: 5 })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await silent).toMatchObject({
      isError: true,
      content: expect.stringContaining('No answer and no progress for 60000 ms. It may have taken effect.'),
    })
    // The server is told.
    await vi.waitFor(() => expect(one.raw.count('notifications/cancelled')).toBe(1), { interval: 5 })
  })

  it('progress does not hold a call open beyond its most', async () => {
    const most = new AbortController()
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(most.signal)
    await using one = await connect(
      ({ params }, { stream }) => {
        const { progressToken } = params._meta as { progressToken: number }
        stream().send({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
      },
      { maxMs: 5000 },
    )
    const end = await one.run({}, { onEvent: ({ type }) => type === 'tool-progress' && most.abort() })
    expect(end).toMatchObject({ isError: true, content: expect.stringContaining('No answer within 5000 ms in all.') })
    expect(timeout).toHaveBeenCalledWith(5000)
    timeout.mockRestore()
  })

  it('an abort of the run tells the server and ends the call', async () => {
    await using one = await connect((_, { stream }) => void stream())
    const controller = new AbortController()
    const calling = one.raw.next('tools/call')
    const cancelled = one.raw.next('notifications/cancelled')
    const ending = one.run({}, { signal: controller.signal })
    const { id } = await calling
    controller.abort()
    expect(await ending).toMatchObject({ isError: true })
    expect((await cancelled).params).toMatchObject({ requestId: id })
  })

  it('an abort ends a task at the server, too', async () => {
    const { raw, run, ...one } = await connect(
      (_, { result }) => result({ task: { taskId: 'task-1', status: 'working' } }),
      {},
      [plain('act', { execution: { taskSupport: 'required' } })],
    )
    raw.script.on = ({ method }, { stream, result }) => {
      if (method === 'tasks/result') stream()
      else if (method === 'tasks/cancel') result({})
      else return undefined
      return true
    }
    const controller = new AbortController()
    const waiting = raw.next('tasks/result')
    const cancelled = raw.next('tasks/cancel')
    const ending = run({}, { signal: controller.signal })
    await waiting
    controller.abort()
    expect(await ending).toMatchObject({ isError: true })
    expect((await cancelled).params).toMatchObject({ taskId: 'task-1' })
    await one[Symbol.asyncDispose]()
  })

  it('more progress than anyone reads does not pile up', async () => {
    await using one = await connect((sent, { stream }) => {
      const { send, end } = stream()
      const { progressToken } = sent.params._meta as { progressToken: number }
      for (let progress = 1; progress <= 1000; progress++) {
        send({ method: 'notifications/progress', params: { progressToken, progress } })
      }
      send({ id: sent.id, result: said('done') })
      end()
    })
    const seen: RunEvent[] = []
    expect(await one.run({}, { onEvent: (event) => seen.push(event) })).toMatchObject({ content: 'done' })
    expect(seen.length).toBeLessThan(1000)
  })
})

describe('what a call survives', () => {
  it('P121: a server that restarts costs one new initialize, and each call is made once more', async () => {
    await using one = await connect((_, { result }) => result(said('ran')))
    expect(await one.run()).toMatchObject({ content: 'ran' })
    one.raw.forget()
    const both = await Promise.all([one.run(), one.run()])
    expect(both).toMatchObject([{ content: 'ran' }, { content: 'ran' }])
    expect(one.raw.count('initialize')).toBe(2)
    // Its tools may be others now.
    await vi.waitFor(() => expect(one.raw.count('tools/list')).toBe(2), { timeout: 30_000 })
    // One before the restart, two that were refused, two again.
    expect(one.raw.count('tools/call')).toBe(5)
  })

  it('a new session that cannot be had yet is asked for again by the next call', async () => {
    await using one = await connect((_, { result }) => result(said('ran')))
    one.raw.forget()
    one.raw.script.on = ({ method }, { response }) => {
      if (method !== 'initialize') return undefined
      response.writeHead(503).end('Starting')
      return true
    }
    expect(await one.run()).toMatchObject({ isError: true, content: expect.stringContaining('Starting') })
    delete one.raw.script.on
    expect(await one.run()).toMatchObject({ content: 'ran' })
  })

  it('a session that is refused at once again is an error, after one more try', async () => {
    await using one = await connect((_, { result }) => result(said('ran')))
    one.raw.script.on = ({ method }, { response }) => {
      if (method !== 'tools/call') return undefined
      response.writeHead(404).end('Session not found')
      return true
    }
    expect(await one.run()).toMatchObject({
      isError: true,
      content: expect.stringContaining('does not know a session'),
    })
    expect(one.raw.count('tools/call')).toBe(2)
    expect(one.raw.count('initialize')).toBe(2)
  })

  it('servers that say 400 for a session that they do not know are understood, other refusals are not repeated', async () => {
    await using one = await connect((_, { result }) => result(said('ran')))
    let refusals = ['{"error":{"message":"Bad Request: No valid session ID provided"}}', 'Bad Request']
    one.raw.script.on = ({ method }, { response }) => {
      const refusal = method === 'tools/call' ? refusals.shift() : undefined
      if (refusal === undefined) return undefined
      response.writeHead(400).end(refusal)
      return true
    }
    refusals = [refusals[0] as string]
    expect(await one.run()).toMatchObject({ content: 'ran' })
    refusals = ['Bad Request']
    const before = one.raw.count('tools/call')
    expect(await one.run()).toMatchObject({ isError: true, content: expect.stringContaining('Bad Request') })
    expect(one.raw.count('tools/call')).toBe(before + 1)
  })

  it('P126: a connection that breaks in a call ends it at once, and the call is not repeated', async () => {
    const breaking: ((reply: Reply) => void)[] = [
      ({ response }) => response.destroy(),
      ({ stream }) => stream().end(),
      ({ stream, response }) => {
        stream().raw('data: {"jsonrpc"')
        response.destroy()
      },
      ({ response }) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":'),
      ({ response }) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      ({ response }) => response.writeHead(500).end('x'.repeat(100_000)),
    ]
    for (const way of breaking) {
      await using one = await connect((_, reply) => way(reply))
      const end = await one.run()
      expect(end).toMatchObject({ isError: true })
      expect(String(end.content).length).toBeLessThan(2000)
      expect(one.raw.count('tools/call')).toBe(1)
      one.raw.script.call = (_, { result }) => result(said('back'))
      expect(await one.run()).toMatchObject({ content: 'back' })
    }
  })

  it('a server that is gone gives an error result', async () => {
    await using one = await connect((_, { result }) => result(said('ran')))
    await one.raw.close()
    expect(await one.run()).toMatchObject({
      isError: true,
      content: expect.stringContaining(`${one.raw.url} failed: fetch failed (`),
    })
  })

  it('an answer that comes twice, or to nothing that was asked, is taken once', async () => {
    await using one = await connect((sent, { stream }) => {
      const { send, raw, end } = stream()
      send({ id: 999, result: said('to nobody') })
      send({ id: 'x', error: { code: 1, message: 'to nobody' } })
      raw('data: no json\n\ndata: [1,2]\n\ndata: {"jsonrpc":"1.0"}\n\n')
      send({ id: sent.id, result: said('first') })
      send({ id: sent.id, result: said('second') })
      end()
    })
    expect(await one.run()).toMatchObject({ content: 'first' })
    expect(await one.run()).toMatchObject({ content: 'first' })
  })

  it('a server that does not speak MCP, or another version, is an error that says so', async () => {
    const raw = await rawServer({ about: { protocolVersion: '1999-01-01' } })
    await expect(mcp({ url: raw.url })).rejects.toThrow('1999-01-01')
    await expect(mcp({ url: `${raw.url}/elsewhere` })).rejects.toThrow('Nothing here')
    raw.script.about = { capabilities: 'all of them' }
    await expect(mcp({ url: raw.url })).rejects.toThrow(/initialize/)
    await raw.close()
    await expect(mcp({ url: raw.url })).rejects.toThrow(`The connection to the MCP server ${raw.url} failed`)
  })

  it('a server that wants authorisation says so', async () => {
    const raw = await rawServer({
      on(_, { response }) {
        response.writeHead(401).end()
        return true
      },
    })
    const authProvider = { token: async () => 'stale' }
    await expect(mcp({ url: raw.url, authProvider })).rejects.toThrow('wants authorisation')
    await raw.close()
  })

  it('close ends the session, and what is called afterwards says so', async () => {
    await using one = await connect((_, { result }) => result(said('ran')))
    const tools = one.server.tools()
    await one.server.close()
    expect(one.raw.sessions.size).toBe(0)
    expect(await runCall(tools, 'act')).toMatchObject({ isError: true, content: expect.stringContaining('was closed') })
    await one.server.close()
  })

  it('close ends what is still waited for, on lines of before, too', async () => {
    const begun = Promise.withResolvers<void>()
    let calls = 0
    await using one = await connect((_, { stream, result }) => {
      if (++calls > 1) return result(said('ran'))
      stream()
      begun.resolve()
    })
    const first = one.run()
    await begun.promise
    one.raw.forget()
    expect(await one.run()).toMatchObject({ content: 'ran' })
    await one.server.close()
    expect(await first).toMatchObject({ isError: true })
  })

  it('an agent goes on after what went wrong', async () => {
    let calls = 0
    await using one = await connect((_, reply) =>
      ++calls === 1 ? reply.response.destroy() : reply.result(said('ran')),
    )
    const model = scriptedModel([{ calls: [{ name: 'act' }] }, { calls: [{ name: 'act' }] }, 'Well.'])
    const agent = new Agent({ name: 'doer', model, tools: one.server.tools() })
    expect((await agent.run('Act.')).text).toBe('Well.')
    const results = model.requests.at(-1)?.messages.filter(({ role }) => role === 'tool')
    expect(results).toMatchObject([{ isError: true }, { content: expect.stringContaining('\nran\n') }])
  })
})
