/** What is recorded is replayed: same bytes, same events, without a server; what must not be kept is not in the files. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, isClewError, type RunEvent, tool } from '@clew/core'
import { type LocalReply, startOpenRouter } from '@clew/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { readRecordings } from '../../../test/shared.ts'
import { type OpenRouterSettings, openrouter as openrouterWithRetries, record, replay } from '../src/index.ts'
import { aRequest } from './ask.ts'
import { callChunk, chunk } from './play.ts'

/** A request that is made again would be another exchange. */
const openrouter = (id: string | undefined, settings: OpenRouterSettings) =>
  openrouterWithRetries(id, { retries: 0, ...settings })

const apiKey = 'sk-or-v1-0123456789abcdef0123456789abcdef'
const signed = [{ type: 'reasoning.text', text: 'Two sums.', signature: 'sk-ab/cd+EFGH012345678901==', index: 0 }]
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clew-recordings-'))
})
afterEach(() => rm(folder, { recursive: true }))

const filesIn = async (path: string) => (await readdir(path)).sort()
const readFileOf = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'))
const textOfAll = async () =>
  (await Promise.all((await filesIn(folder)).map((name) => readFile(join(folder, name), 'utf8')))).join('\n')

/** Every response as bytes, on its way through. */
function tapped(inner: typeof fetch) {
  const bodies: Promise<string>[] = []
  const tap: typeof fetch = async (input, init) => {
    const response = await inner(input, init)
    bodies.push(response.clone().text())
    return response
  }
  return { tap, bodies: () => Promise.all(bodies) }
}

const sums = [
  tool({ name: 'add', input: z.object({ a: z.number(), b: z.number() }), execute: ({ a, b }) => a + b }),
  tool({ name: 'note', input: z.object({ text: z.string() }), execute: ({ text }) => `noted: ${text}` }),
]
const threeTurns: LocalReply[] = [
  { reasoningDetails: signed, calls: [{ name: 'add', arguments: { a: 2, b: 3 } }] },
  { calls: [{ name: 'note', arguments: { text: 'fünf 🧵' } }] },
  { text: 'It is five: fünf 🧵. '.repeat(20) },
]

async function sum(inner: typeof fetch, baseURL: string, input = '2 + 3?', key = apiKey) {
  const model = openrouter('m/x', { baseURL, apiKey: key, fetch: inner })
  const run = new Agent({ name: 'sums', instructions: 'Be exact.', model, tools: sums }).run(input)
  const events: RunEvent[] = []
  for await (const event of run) events.push(event)
  return { events: stable(events), result: stable(await run) }
}

/** Ids by the order in which they come, without times. */
function stable<Value>(value: Value): Value {
  const ids = new Map<string, string>()
  return JSON.parse(JSON.stringify(value), (name, field) => {
    if (name === 'ms') return undefined
    if (!(name === 'id' || name === 'callId' || name === 'conversation')) return field
    if (!ids.has(field)) ids.set(field, `id ${ids.size}`)
    return ids.get(field)
  })
}

/** Records what the replies are answered to, then closes the server. */
async function recordSum(replies: LocalReply[] = threeTurns, input?: string) {
  await using server = await startOpenRouter({ respond: replies })
  const recorder = record(folder)
  const played = await sum(recorder, server.url, input)
  await recorder.done()
  return { ...played, url: server.url }
}

const post = (inner: typeof fetch, url: string, body: object, init: RequestInit = {}) =>
  inner(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify(body),
    ...init,
  })
const hello = (content: string, extra: object = {}) => ({
  model: 'm/x',
  plugins: [{ id: 'context-compression', enabled: false }],
  messages: [{ role: 'user', content }],
  ...extra,
})

describe('record and replay', () => {
  it('replays an agent with two tools and three turns: same events, same bytes, no server', async () => {
    await using server = await startOpenRouter({ respond: threeTurns })
    const live = tapped(fetch)
    const recorder = record(folder, { fetch: live.tap })
    const first = await sum(recorder, server.url)
    await recorder.done()
    await server.close()
    expect(await filesIn(folder)).toEqual(['0001--m-x.json', '0002--m-x.json', '0003--m-x.json'])

    const replayer = replay(folder)
    expect(replayer.unused()).toHaveLength(3)
    const again = tapped(replayer)
    const second = await sum(again.tap, 'http://nowhere.invalid/api/v1')
    expect(second).toEqual(first)
    expect(await again.bodies()).toEqual(await live.bodies())
    expect(replayer.unused()).toEqual([])
  })

  it('keeps the form of the shared recordings, with the sizes of the network chunks', async () => {
    await recordSum()
    const { source, request, response } = await readFileOf('0003--m-x.json')
    expect(source).toEqual({
      host: expect.stringMatching(/^127\.0\.0\.1:/),
      recorded_at: expect.stringMatching(/^2.*Z$/),
    })
    expect(request).toMatchObject({ method: 'POST', path: '/api/v1/chat/completions', body: { model: 'm/x' } })
    expect(Object.keys(response)).toEqual(['status', 'headers', 'sse', 'sse_chunk_bytes'])
    expect(response.headers).toEqual({ 'content-type': 'text/event-stream' })
    const bytes = response.sse_chunk_bytes.reduce((sum: number, size: number) => sum + size, 0)
    expect(bytes).toBe(Buffer.byteLength(response.sse))
  })

  it('passes chunks on as they come, and serves them cut at the same places', async () => {
    const pieces = ['data: {"choices":[', '{"delta":{"content":"f', 'ü', 'nf"}}]}\n\n', 'data: [DONE]\n\n']
    let taken = 0
    const source: typeof fetch = async () => {
      const pull = (controller: ReadableStreamDefaultController) => {
        const piece = pieces[taken++]
        if (piece === undefined) controller.close()
        else controller.enqueue(new TextEncoder().encode(piece))
      }
      const body = new ReadableStream({ pull }, { highWaterMark: 0 })
      return new Response(body, {
        headers: { 'content-type': 'text/event-stream', 'x-ratelimit-limit': '5', etag: 'no' },
      })
    }
    const recorder = record(folder, { fetch: source })
    const read = async (response: Response, onPiece = (_: number) => {}) => {
      const seen: string[] = []
      for await (const piece of response.body!) onPiece(seen.push(Buffer.from(piece).toString()))
      return seen
    }
    const response = await post(recorder, 'http://host/v1', hello('Hi'))
    expect(await read(response, (count) => expect(taken).toBe(count))).toEqual(pieces)
    await recorder.done()
    const served = await post(replay(folder), 'http://other/v1', hello('Hi'))
    expect(await read(served)).toEqual(pieces)
    expect(Object.fromEntries(served.headers)).toEqual({
      'content-type': 'text/event-stream',
      'x-ratelimit-limit': '5',
    })
  })

  it('numbers behind the files that are there, whoever else writes', async () => {
    await using server = await startOpenRouter({ respond: () => 'Hi' })
    const two = [record(folder), record(folder)]
    for (const recorder of [...two, ...two]) await (await post(recorder, server.url, hello('a'))).text()
    await Promise.all(two.map((recorder) => recorder.done()))
    const third = record(folder)
    await (await post(third, server.url, hello('b', { model: 'm/y:free' }))).text()
    await third.done()
    const files = await filesIn(folder)
    expect(files).toHaveLength(5)
    expect(files.at(-1)).toMatch(/^000[4-6]--m-y-free\.json$/)
  })

  it('keeps concurrent requests apart, numbered as they began', async () => {
    const gates = Array.from({ length: 8 }, () => Promise.withResolvers<void>())
    await using server = await startOpenRouter({
      respond: async ({ messages }) => {
        const content = String(messages.at(-1)?.content)
        await gates[Number(content)]?.promise
        return `answer ${content}`
      },
    })
    const recorder = record(folder)
    const asked = gates.map(async (_, at) => (await post(recorder, server.url, hello(String(at)))).text())
    // Answered in the opposite order.
    for (const [at, gate] of [...gates.entries()].reverse()) {
      gate.resolve()
      await asked[at]
    }
    await recorder.done()
    const files = await filesIn(folder)
    expect(files).toHaveLength(8)
    for (const [at, file] of files.entries()) {
      const { request, response } = await readFileOf(file)
      expect(request.body.messages[0].content).toBe(String(at))
      expect(response.body.choices[0].message.content).toBe(`answer ${at}`)
    }
    const replayer = replay(folder)
    const answers = gates.map(async (_, at) => (await post(replayer, server.url, hello(String(7 - at)))).json())
    const texts = (await Promise.all(answers)).map((answer) => answer.choices[0].message.content)
    expect(texts).toEqual([7, 6, 5, 4, 3, 2, 1, 0].map((at) => `answer ${at}`))
  })

  it('replays a call that the host gave no id, though Clew gives it another one in each run', async () => {
    const chunks = [
      callChunk({ index: 0, function: { name: 'add', arguments: '{"a":2,"b":3}' } }),
      chunk({}, 'tool_calls'),
    ]
    const { url, result } = await recordSum([{ chunks }, 'Five.'])
    expect(await sum(replay(folder), url)).toMatchObject({ result: { text: result.text } })
  })

  it('keeps whitespace before JSON, and serves JSON to a streamed request', async () => {
    const recorder = record(folder)
    await using server = await startOpenRouter({ respond: ['Hello.'] })
    const text = await (await post(recorder, server.url, hello('Hi'))).text()
    await recorder.done()
    const { response } = await readFileOf('0001--m-x.json')
    expect(response.raw_prefix).toBe('\n         \n')
    const served = await post(replay(folder), server.url, hello('Hi', { stream: true, session_id: 'other' }))
    expect(await served.text()).toBe(text)
    const model = openrouter('m/x', { apiKey, fetch: replay(folder) })
    const result = await new Agent({ name: 'a', model }).run('Hi')
    expect(result.text).toBe('Hello.')
  })

  it('needs no key to replay', async () => {
    vi.stubEnv('OPENROUTER_API_KEY', '')
    const body = hello('Hi')
    const recorder = record(folder, {
      fetch: async () => Response.json({ choices: [{ message: { content: 'Hello.' } }] }),
    })
    await (await post(recorder, 'http://x/v1', body)).text()
    await recorder.done()
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { fetch: replay(folder) }) })
    expect((await agent.run('Hi')).text).toBe('Hello.')
    vi.unstubAllEnvs()
  })

  it('keeps pages and other texts as they are', async () => {
    const page = '<html>502 for user_2abcdefghij0123456789klmnop</html>'
    await using server = await startOpenRouter({ respond: [{ body: page, status: 502, contentType: 'text/html' }] })
    const recorder = record(folder)
    await (await post(recorder, server.url, hello('Hi'))).text()
    await recorder.done()
    const served = await post(replay(folder), server.url, hello('Hi'))
    expect([served.status, served.headers.get('content-type')]).toEqual([502, 'text/html'])
    expect(await served.text()).toBe('<html>502 for user_REDACTED</html>')
  })

  it('records GET requests by their path, and replays them by path and query', async () => {
    await using server = await startOpenRouter({ respond: [] })
    const recorder = record(folder)
    const headers = { authorization: `Bearer ${apiKey}` }
    expect(await (await recorder(new Request(`${server.url}/models`, { headers }))).json()).toEqual({ data: [] })
    await recorder.done()
    expect(await filesIn(folder)).toEqual(['0001--v1-models.json'])
    await expect(replay(folder)('http://x/v1/models?page=2')).rejects.toThrow('GET /models?page=2 is not recorded')
    expect(await (await replay(folder)('http://x/v1/models')).json()).toEqual({ data: [] })
  })

  it('replays http errors with their status, text and headers', async () => {
    const limited = {
      status: 429,
      error: { message: 'Rate limit reached for org-AbC123dEf456 and user_2xyz789.', code: 429 },
      headers: { 'retry-after': '7', 'set-cookie': 'secret=1' },
    }
    await using server = await startOpenRouter({ respond: [limited] })
    const recorder = record(folder)
    const ask = (inner: typeof fetch) => sum(inner, server.url).catch((error) => error.cause)
    const live = await ask(recorder)
    await recorder.done()
    const { response } = await readFileOf('0001--m-x.json')
    expect(response.headers).toEqual({ 'content-type': 'application/json', 'retry-after': '7' })
    expect(response.body.user_id).toBe('user_REDACTED')
    const replayed = await ask(replay(folder))
    expect(replayed.details).toEqual(live.details)
    expect(replayed.message).toBe('429: Rate limit reached for org_REDACTED and user_REDACTED.')
  })

  it('does not write what was aborted or broke off, and done() does not wait for it', async () => {
    const chunks = [chunk({ content: 'One' }), chunk({ content: 'two' }), chunk({}, 'stop')]
    await using server = await startOpenRouter({ respond: [{ chunks, pace: 60_000 }, 'Whole.'] })
    const recorder = record(folder)
    const leaving = new AbortController()
    const response = await post(recorder, server.url, hello('Hi', { stream: true }), { signal: leaving.signal })
    const reader = response.body!.getReader()
    await reader.read()
    leaving.abort()
    await expect(reader.read()).rejects.toThrow('abort')
    await recorder.done()
    expect(await filesIn(folder)).toEqual([])
    await (await post(recorder, server.url, hello('Hi'))).text()
    await server.close()
    await expect(post(recorder, server.url, hello('Hi'))).rejects.toThrow('fetch failed')
    await recorder.done()
    expect(await filesIn(folder)).toEqual(['0002--m-x.json'])
  })

  it('writes a stream that its reader left behind [DONE]', async () => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: {}\n\ndata: [DONE]\n\n')),
    })
    const headers = { 'content-type': 'text/event-stream' }
    const recorder = record(folder, { fetch: async () => new Response(body, { headers }) })
    const reader = (await post(recorder, 'http://x/v1', hello('Hi'))).body!.getReader()
    await reader.read()
    await reader.cancel()
    await recorder.done()
    expect(await filesIn(folder)).toHaveLength(1)
  })

  it('a file that cannot be written fails done(), not the request', async () => {
    const file = join(folder, 'a-file')
    await writeFile(file, '')
    await using server = await startOpenRouter({ respond: threeTurns })
    const recorder = record(file)
    const { result } = await sum(recorder, server.url)
    expect(result).toMatchObject({ status: 'done' })
    const error = await recorder.done().catch((error) => error)
    expect(isClewError(error, 'input')).toBe(true)
    expect(error.message).toContain(`The recording ${join(file, '0001--m-x.json')} could not be written:`)
    expect(error.message).toMatch(/on a disk with room\. And 2 more\.$/)
  })
})

describe('scrubbing', () => {
  it('keeps no key and no account id, wherever it stands, and replays all the same', async () => {
    const other = 'sk-abcdefghijklmnop0123456789'
    const replies: LocalReply[] = [
      { reasoningDetails: signed, calls: [{ name: 'note', arguments: { text: `a\n${apiKey} Bearer abc123DEF456` } }] },
      // Streamed in pieces of 24 characters: the key comes in parts.
      { text: `The key is ${apiKey}, the other one ${other}; user_17 asked at task-force-meeting-of-today.` },
    ]
    const input = `Keys: ${other} and ${apiKey}. The bearer of bad news; Bearer authentication; user_17.`
    const recorded = await recordSum(replies, input)
    const text = await textOfAll()
    for (const secret of [apiKey, '0123456789abcdef', other, 'abc123DEF456']) expect(text).not.toContain(secret)
    expect(text).toContain(
      'Keys: sk-REDACTED and sk-or-v1-REDACTED. The bearer of bad news; Bearer authentication; user_17.',
    )
    expect(text).toContain('sk-ab/cd+EFGH012345678901==')

    const replayed = await sum(replay(folder), recorded.url, input)
    // Deltas are cut elsewhere where a secret is gone; what they add up to is the same.
    const whole = ({ events }: typeof replayed) =>
      events.filter(({ type }) => type === 'model-end' || type === 'tool-end').map((event) => JSON.stringify(event))
    const redacted = (text: string) =>
      text
        .replaceAll(apiKey, 'sk-or-v1-REDACTED')
        .replaceAll(other, 'sk-REDACTED')
        .replaceAll('abc123DEF456', 'KEY_REDACTED')
    expect(whole(replayed)).toEqual(whole(recorded).map(redacted))
  })

  it('takes the literal key out of signatures too, whatever it looks like, but not a stand-in such as "k"', async () => {
    const body = {
      choices: [{ message: { reasoning_details: [{ type: 'reasoning.encrypted', data: 'AAplain.key/1BB' }] } }],
    }
    const fetch: typeof globalThis.fetch = async () => Response.json(body)
    for (const key of ['plain.key/1', 'k']) {
      const recorder = record(folder, { fetch })
      const headers = { authorization: `Bearer ${key}` }
      await (await post(recorder, 'http://x/v1', hello(`kit plain.key/1`), { headers })).text()
      await recorder.done()
    }
    const [first, second] = await Promise.all((await filesIn(folder)).map(readFileOf))
    expect(first.response.body.choices[0].message.reasoning_details[0].data).toBe('AAKEY_REDACTEDBB')
    expect(first.request.body.messages[0].content).toBe('kit KEY_REDACTED')
    expect(second.response.body).toEqual(body)
    expect(second.request.body.messages[0].content).toBe('kit plain.key/1')
  })

  it('keeps the cut of a stream where a secret made it shorter', async () => {
    const pieces = [
      `data: {"choices":[{"delta":{"content":"${apiKey.slice(0, 20)}"}}]}\n\ndata: {"choi`,
      `ces":[{"delta":{"content":"${apiKey.slice(20)} ü"}}]}\n\n`,
      'data: [DONE]\n\n',
    ]
    const fetch: typeof globalThis.fetch = async () => {
      const body = new ReadableStream({
        start(controller) {
          for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece))
          controller.close()
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
    const recorder = record(folder, { fetch })
    await (await post(recorder, 'http://x/v1', hello('Hi'))).text()
    await recorder.done()
    const { response } = await readFileOf('0001--m-x.json')
    expect(response.sse).toBe(
      'data: {"choices":[{"delta":{"content":"sk-or-v1-REDACTED"}}]}\n\ndata: {"choices":[{"delta":{"content":" ü"}}]}\n\ndata: [DONE]\n\n',
    )
    expect(response.sse_chunk_bytes).toHaveLength(3)
    const total = response.sse_chunk_bytes.reduce((sum: number, size: number) => sum + size, 0)
    expect(total).toBe(Buffer.byteLength(response.sse))
  })

  it('keeps no session id', async () => {
    const recorder = record(folder, { fetch: async () => Response.json({}) })
    await (await post(recorder, 'http://x/v1', hello('Hi', { session_id: 'random-1' }))).text()
    await recorder.done()
    expect((await readFileOf('0001--m-x.json')).request.body.session_id).toBe('session_REDACTED')
    const served = await post(replay(folder), 'http://x/v1', hello('Hi', { session_id: 'random-2' }))
    expect(await served.json()).toEqual({})
  })
})

describe('what was not recorded', () => {
  const failed = async (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it was served'),
      (error) => error,
    )

  it('fails the run with the difference, as an error that is not retried', async () => {
    const { url } = await recordSum()
    const error = await failed(sum(replay(folder), url, '2 + 4, and mind that the request timed out?'))
    expect(isClewError(error, 'run') && isClewError(error.cause, 'input')).toBe(true)
    expect(error.cause.details).toBeUndefined()
    expect(error.message).toBe(
      [
        `A request to POST chat/completions is not recorded in ${folder}. The nearest recording, 0001--m-x.json, differs:`,
        '  messages[1].content: recorded "2 + 3?", sent "2 + 4, and mind that the request timed out?"',
        `If it is meant, delete the recordings and record all again. Record with openrouter(model, { fetch: record(${JSON.stringify(folder)}) }).`,
      ].join('\n'),
    )
  })

  it('shows at most 20 places, and of long values where they differ', async () => {
    const recorder = record(folder, { fetch: async () => Response.json({}) })
    const long = 'a long prompt '.repeat(50)
    await (await post(recorder, 'http://x/v1', hello(`${long}one`, { top_k: 1 }))).text()
    await recorder.done()
    const tools = Array.from({ length: 30 }, (_, at) => ({ at }))
    const many = Object.fromEntries(tools.map(({ at }) => [`field${at}`, at]))
    const { message } = await failed(post(replay(folder), 'http://x/v1', hello(`${long}two`, many)))
    const lines = message.split('\n')
    expect(lines[1]).toMatch(/^ {2}messages\[0\]\.content: recorded ….{60,}prompt one", sent ….{60,}prompt two"$/)
    expect(lines[2]).toBe('  top_k: recorded 1, sent nothing')
    expect(lines[3]).toBe('  field0: recorded nothing, sent 0')
    expect(lines[21]).toBe('  … and 12 more')
    expect(Math.max(...lines.map((line: string) => line.length))).toBeLessThan(400)
  })

  it('serves the same request in the recorded order, each recording once', async () => {
    let count = 0
    const recorder = record(folder, { fetch: async () => Response.json({ count: ++count }) })
    for (let at = 0; at < 2; at++) await (await post(recorder, 'http://x/v1', hello('Hi'))).text()
    await recorder.done()
    const replayer = replay(folder)
    const next = async () => (await post(replayer, 'http://x/v1', hello('Hi'))).json()
    expect([await next(), await next()]).toEqual([{ count: 1 }, { count: 2 }])
    expect((await failed(next())).message).toContain('more often than it is recorded')
  })

  it('not strict: gets the next unused recording of its endpoint, until none is left', async () => {
    const { url } = await recordSum()
    const replayer = replay(folder, { strict: false })
    expect(await sum(replayer, url, '2 + 4?')).toMatchObject({
      result: { status: 'done', text: 'It is five: fünf 🧵. '.repeat(20) },
    })
    expect(replayer.unused()).toEqual([])
    expect((await failed(sum(replayer, url, '2 + 5?'))).message).toContain('(served already), differs')
  })

  it('honours an abort before and in the middle of a stream', async () => {
    await recordSum()
    const { request } = await readFileOf('0003--m-x.json')
    const leaving = new AbortController()
    const replayer = replay(folder)
    const reader = (await post(replayer, 'http://x/v1', request.body, { signal: leaving.signal })).body!.getReader()
    await reader.read()
    leaving.abort()
    await expect(reader.read()).rejects.toThrow('abort')
    await expect(post(replayer, 'http://x/v1', request.body, { signal: leaving.signal })).rejects.toThrow('abort')
  })

  it.each([
    ['{', 'it is no JSON'],
    ['{"request":{"path":"/x"}}', 'request.method is missing'],
    ['{"request":{"method":"POST","path":"/x"},"response":{}}', 'response.status is missing'],
    ['{"request":{"method":"POST","path":"/x"},"response":{"status":200}}', 'response.headers is missing'],
    [
      '{"request":{"method":"POST","path":"/x"},"response":{"status":200,"headers":{}}}',
      'response has none of body, sse and text',
    ],
    [
      '{"request":{"method":"POST","path":"/x"},"response":{"status":200,"headers":{},"sse":"","text":""}}',
      'sse and text',
    ],
  ])('names the file and what is missing: %s', async (text, problem) => {
    await writeFile(join(folder, 'bad.json'), text)
    const { message } = await failed(post(replay(folder), 'http://x/v1', hello('Hi')))
    expect(message).toContain(`${folder}/bad.json cannot be replayed: `)
    expect(message).toContain(problem)
  })

  it('says that the folder is empty or missing', async () => {
    const ask = (path: string) => failed(post(replay(path), 'http://x/v1', hello('Hi')))
    expect((await ask(folder)).message).toContain(`There are no recordings in ${folder}. Record with`)
    expect((await ask(join(folder, 'none'))).message).toMatch(/none cannot be read: ENOENT/)
  })
})

const recordings = readRecordings()
describe.skipIf(recordings.length === 0)('shared recordings', () => {
  it.each(recordings.map((recording) => [recording.name, recording] as const))(
    'serves and records %s',
    async (name, recording) => {
      const { name: _, ...form } = recording
      await writeFile(join(folder, name), JSON.stringify(form))
      const { status, headers, sse, body, raw_prefix = '' } = recording.response
      const direct: typeof fetch = async () =>
        new Response(sse ?? raw_prefix + JSON.stringify(body), {
          status,
          headers: { 'content-type': sse === undefined ? 'application/json' : 'text/event-stream', ...headers },
        })
      const decode = async (inner: typeof fetch) => {
        const answer = openrouter('m/x', { apiKey: 'k', fetch: inner }).generate(aRequest())
        try {
          for (;;) {
            const next = await answer.next()
            if (next.done) return next.value
          }
        } catch (error) {
          if (!isClewError(error, 'model')) throw error
          return { message: error.message, details: error.details }
        }
      }
      expect(await decode(replay(folder, { strict: false }))).toEqual(await decode(direct))

      // Nothing in them is a secret: recorded again, they stay as they are.
      const recorder = record(join(folder, 'again'), { fetch: direct })
      await (await post(recorder, 'http://x/v1', recording.request.body)).text()
      await recorder.done()
      const [file] = await filesIn(join(folder, 'again'))
      const { request, response } = await readFileOf(join('again', file!))
      expect(request.body).toEqual(recording.request.body)
      expect([response.sse, response.body, response.raw_prefix ?? '']).toEqual([sse, body, raw_prefix])
    },
  )
})
