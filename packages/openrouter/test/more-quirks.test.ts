/** Odd answers and odd input beside the shared cases: what hosts are known to send, each with its reason. */
import { type AddressInfo, createServer } from 'node:net'
import { Agent, type Message, tool } from '@clew/core'
import { type LocalReply, startOpenRouter } from '@clew/testing'
import { describe, expect, it, vi } from 'vitest'
import { catalogue, compatible, openrouter } from '../src/index.ts'
import { type Asked, ask, shown } from './ask.ts'
import { callChunk, chunk, play } from './play.ts'

vi.mock('../src/wait.ts', async (original) => ({
  ...(await original<typeof import('../src/wait.ts')>()),
  wait: () => Promise.resolve(),
}))

const paris = '{"city":"Paris"}'
const rome = '{"city":"Rome"}'
const end = chunk({}, 'tool_calls')
const hi = chunk({ content: 'hi' })
const stop = chunk({}, 'stop')
const call = (index: unknown, id: unknown, name?: unknown, text?: unknown) =>
  callChunk({
    ...(index !== undefined && { index }),
    ...(id !== undefined && { id }),
    function: { name, arguments: text },
  })
const calls = (reply: Asked['reply']) => reply?.toolCalls?.map(({ name, arguments: text }) => `${name} ${text}`)
const whole = {
  id: 'gen-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
}
const body = (text: string, contentType: string): LocalReply => ({ body: text, contentType })
const events = (...chunks: object[]) => chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')

describe('tool calls', () => {
  it.each<[string, object[], string[]]>([
    [
      'an index that is a text, fragments in turns',
      [
        call('0', 'a', 'w', ''),
        call('1', 'b', 't', ''),
        call('0', undefined, undefined, paris),
        call('1', undefined, undefined, '{}'),
      ],
      [`w ${paris}`, 't {}'],
    ],
    [
      'a new id with every fragment, as old vLLM made them up',
      [call(0, 'a', 'w', ''), call(0, 'b', undefined, '{"city":'), call(0, 'c', undefined, '"Paris"}')],
      [`w ${paris}`],
    ],
    [
      'a nameless call behind a whole one is still another',
      [call(0, 'a', 'w', paris), call(0, 'b', undefined, rome), call(0, undefined, 't', '')],
      [`w ${paris}`, `t ${rome}`],
    ],
    [
      'another name under one index, without ids',
      [call(0, undefined, 'w', '{}'), call(0, undefined, 't', rome)],
      ['w {}', `t ${rome}`],
    ],
    [
      'the whole call once more at the end',
      [call(0, 'a', 'w', '{"city":'), call(0, undefined, undefined, '"Paris"}'), call(0, 'a', 'w', paris)],
      [`w ${paris}`],
    ],
    [
      'the form of 2023',
      [
        chunk({ function_call: { name: 'w', arguments: '{"city":' } }),
        chunk({ function_call: { arguments: '"Paris"}' } }),
      ],
      [`w ${paris}`],
    ],
  ])('%s', async (_, chunks, expected) => {
    const { reply } = await ask({ chunks: [...chunks, end] })
    expect(calls(reply)).toEqual(expected)
    expect(reply?.finishReason).toBe('tool-calls')
  })

  it.each<[string, object[], string[]]>([
    [
      'one id',
      [
        { id: 'a', function: { name: 'w', arguments: paris } },
        { id: 'a', function: { name: 'w', arguments: rome } },
      ],
      [`w ${paris}`, `w ${rome}`],
    ],
    [
      'one index',
      [
        { index: 0, function: { name: 'w', arguments: '{}' } },
        { index: 0, function: { name: 't', arguments: rome } },
      ],
      ['w {}', `t ${rome}`],
    ],
  ])('of a whole message are never merged: %s', async (_, tool_calls, expected) => {
    const text = JSON.stringify({ choices: [{ message: { content: null, tool_calls }, finish_reason: 'tool_calls' }] })
    expect(calls((await ask(body(text, 'application/json'))).reply)).toEqual(expected)
  })

  it.each(['length', 'max_tokens', 'MAX_TOKENS', 'max_output_tokens'])(
    'are cut when the reason is %s',
    async (reason) => {
      const { reply } = await ask({ chunks: [call(0, 'a', 'w', paris), chunk({}, reason)] })
      expect(reply?.finishReason).toBe('length')
    },
  )
})

describe('reasoning', () => {
  const text = { type: 'reasoning.text', text: 'Let me', signature: 'S', format: 'anthropic-claude-v1', index: 0 }
  const sealed = (index: number) => ({ type: 'reasoning.encrypted', id: 'rs_1', data: 'X', index })
  it.each<[string, object[], string, unknown]>([
    [
      'the plain string where the details bring no text',
      [chunk({ reasoning: 'Hm', reasoning_details: [sealed(0)] })],
      'Hm',
      [sealed(0)],
    ],
    [
      'streamed plain, then whole in the details',
      [chunk({ reasoning: 'Let ' }), chunk({ reasoning: 'me' }), chunk({ reasoning_details: [text] })],
      'Let me',
      [text],
    ],
    [
      'in the details, then whole and plain',
      [chunk({ reasoning_details: [text] }), chunk({ reasoning: 'Let me' })],
      'Let me',
      [text],
    ],
    [
      'the same text twice from one source',
      [chunk({ reasoning: 'ha' }), chunk({ reasoning: 'ha' })],
      'haha',
      undefined,
    ],
    [
      'an encrypted item that comes again, elsewhere',
      [
        chunk({ reasoning_details: [sealed(0)] }),
        chunk({ reasoning_details: [{ type: 'reasoning.summary', summary: 's', index: 0 }, sealed(1)] }),
      ],
      's',
      [sealed(0), { type: 'reasoning.summary', summary: 's', index: 0 }],
    ],
  ])('%s', async (_, chunks, reasoning, details) => {
    const { reply, deltas } = await ask({ chunks: [...chunks, hi, stop] })
    expect(reply?.reasoning).toBe(reasoning)
    expect(shown(deltas, 'reasoning-delta')).toBe(reasoning)
    expect(reply?.reasoningDetails).toEqual(details)
  })

  it('is dropped by its format where the message does not say who made it', async () => {
    const messages = (format: string): Message[] => [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b', reasoningDetails: [{ ...text, format }] },
      { role: 'user', content: 'c' },
    ]
    const sent = async (format: string) =>
      (await ask('ok', { messages: messages(format) }, {}, 'openai/gpt-5')).body.messages as {
        reasoning_details?: unknown
      }[]
    expect((await sent('anthropic-claude-v1'))[1]).not.toHaveProperty('reasoning_details')
    expect((await sent('openai-responses-v1'))[1]).toHaveProperty('reasoning_details')
  })
})

describe('envelopes', () => {
  const other = (delta: object, finish: string | null = null) => ({
    choices: [{ index: 1, delta, finish_reason: finish }],
  })
  it.each<[string, object[], string]>([
    [
      'another alternative in chunks of its own',
      [hi, other({ content: 'no' }), other({}, 'length'), chunk({ content: '!' }), stop],
      'hi!',
    ],
    [
      'alternatives in any order',
      [{ choices: [other({ content: 'no' }).choices[0], { index: 0, delta: { content: 'hi' } }] }, stop],
      'hi',
    ],
    ['the whole message behind its pieces', [chunk({ content: 'h' }), chunk({ content: 'i' }), whole], 'hi'],
  ])('%s', async (_, chunks, content) => {
    const { reply, deltas } = await ask({ chunks })
    expect(reply).toMatchObject({ content, finishReason: 'stop' })
    expect(shown(deltas, 'text-delta')).toBe(content)
  })

  it('numbers that are texts are numbers', async () => {
    const usage = {
      prompt_tokens: '10',
      completion_tokens: 5,
      cost: '0.25',
      prompt_tokens_details: { cached_tokens: '4' },
    }
    const { reply } = await ask({ chunks: [hi, stop, { choices: [], usage }] })
    expect(reply?.usage).toMatchObject({ inputTokens: 10, outputTokens: 5, cachedTokens: 4, usd: 0.25 })
  })

  it.each<[string, LocalReply]>([
    ['JSON under the name of a stream', body(JSON.stringify(whole), 'text/event-stream')],
    ['JSON as plain text, over several lines', body(JSON.stringify(whole, null, 1), 'text/plain')],
    ['a stream under the name of JSON', body(`: wait\n\n${events(hi, stop)}data: [DONE]\n\n`, 'application/json')],
  ])('%s', async (_, reply) => {
    expect((await ask(reply)).reply).toMatchObject({ content: 'hi', finishReason: 'stop' })
  })
})

describe('errors', () => {
  it.each<[string, LocalReply, object, RegExp]>([
    [
      'as JSON under the name of a stream',
      body('{"error":{"code":502,"message":"down"}}', 'text/event-stream'),
      { code: 502, retryable: true },
      /down/,
    ],
    [
      'as a page under the name of a stream',
      body('<html>Bad gateway</html>', 'text/event-stream'),
      { code: 'bad-stream' },
      /<html>Bad gateway/,
    ],
    [
      'of vLLM, without a frame',
      { chunks: [{ object: 'error', message: 'nope', code: 400 }] },
      { status: 400, retryable: false },
      /nope/,
    ],
    [
      'with a word for a code',
      { chunks: [{ error: { code: 'server_error', message: 'x' } }] },
      { code: 'server_error', retryable: true },
      /x/,
    ],
    ['of FastAPI', { body: '{"detail":[{"msg":"field required"}]}', status: 422 }, { status: 422 }, /field required/],
    [
      'that no wait ends',
      { status: 429, error: { code: 'insufficient_quota', message: 'pay' } },
      { retryable: false },
      /pay/,
    ],
  ])('%s', async (_, reply, details, message) => {
    const { error } = await ask(reply)
    expect(error).toMatchObject({ details })
    expect((error as Error).message).toMatch(message)
  })

  it('an event that is no JSON: what came before it is shown, however the network cuts, and nothing is asked again', async () => {
    const { error, deltas } = await ask(
      body(`${events(hi)}data: {bad\n\n${events(stop)}`, 'text/event-stream'),
      {},
      { retries: 2 },
    )
    expect(shown(deltas, 'text-delta')).toBe('hi')
    expect(error).toMatchObject({ details: { code: 'bad-stream', partial: { text: 'hi' } } })
  })

  it('a JSON answer that the connection cuts is asked for again', async () => {
    const text = JSON.stringify(whole)
    let requests = 0
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`
        if (++requests === 1) socket.write(head + text.slice(0, 9), () => socket.destroy())
        else socket.end(head + text)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const model = openrouter('m/x', {
      baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      apiKey: 'k',
    })
    expect((await new Agent({ name: 'a', model }).run('Hi')).text).toBe('hi')
    expect(requests).toBe(2)
    server.close()
  })

  it.each([
    'Input length 300000 exceeds the maximum allowed input length of 262144 tokens.',
    '413 status code (no body)',
    'Range of input length should be [1, 98304]',
    'The decoder prompt (length 40000) is longer than the maximum model length of 32768.',
    '`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4080 `inputs` tokens and 20 `max_new_tokens`',
    'You requested 2000 output tokens and your prompt contains at least 7000 input tokens, for a total of 9000 tokens.',
    'Input prompt (33000 tokens) is too long and exceeds limit of 32768',
    '{"error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}',
  ])('"%s" is a context overflow', async (message) => {
    expect((await ask({ status: 413, error: { message } })).error).toMatchObject({
      details: { kind: 'context-overflow' },
    })
  })

  it.each([
    'ThrottlingException: Too many tokens, please wait before trying again.',
    "Invalid 'tools[0].function.description': string too long. Expected a string with maximum length 1024.",
  ])('"%s" is none', async (message) => {
    expect((await ask({ status: 400, error: { message } })).error).not.toHaveProperty('details.kind')
  })
})

describe('requests', () => {
  it('a pin keeps to the regions that the user allows', async () => {
    const details = [{ type: 'reasoning.text', text: 't', signature: 'S', format: 'anthropic-claude-v1' }]
    const first = { text: '', reasoningDetails: details, calls: [{ name: 'w' }], provider: 'Google' }
    const second = async (provider: object) => {
      const w = tool({ name: 'w', effect: 'pure', execute: () => 'x' })
      const { bodies } = await play([first, 'ok'], { model: 'anthropic/claude-x', tools: [w], settings: { provider } })
      return bodies[1]!.provider
    }
    expect(await second({ only: ['google-vertex/europe', 'anthropic'] })).toEqual({ only: ['google-vertex/europe'] })
    expect(await second({ order: ['google-vertex/europe'], allowFallbacks: false })).toMatchObject({
      only: ['google-vertex/europe'],
    })
    expect(await second({ only: ['google-vertex', 'anthropic'] })).toEqual({ only: ['google-vertex'] })
    expect(await second({ order: ['google-vertex/europe'] })).toEqual({ only: ['google-vertex'] })
  })

  it.each<[object, RegExp]>([
    [{ temperature: Number.NaN }, /temperature is NaN;/],
    [{ temperature: 1n }, /temperature is 1;/],
    [{ provider: { maxPrice: { prompt: Number.NaN } } }, /provider\.maxPrice is/],
    [{ provider: { preferredMaxLatency: Number.NaN } }, /provider\.preferredMaxLatency is NaN/],
    [{ logitBias: { 5: 'x' } }, /logitBias is/],
    [{ timeoutMs: '5' }, /timeoutMs is "5"/],
  ])('%# settings that JSON would change are refused', (settings, message) => {
    expect(() => openrouter('m/x', settings)).toThrow(message)
  })

  it('extra fields may be named like what every object has', async () => {
    expect((await ask('ok', {}, { extraBody: { toString: 1 } as never })).body.toString).toBe(1)
  })

  it('a profile of three words sends what it sets', async () => {
    await using server = await startOpenRouter({ respond: ['ok'] })
    const profile = { name: 'mine', reasoningOut: 'none', reasoningSwitch: 'none' } as never
    await new Agent({
      name: 'a',
      model: compatible({ profile, baseURL: server.url, apiKey: 'k' })('m', { maxTokens: 5 }),
    }).run('Hi')
    expect(server.requests[0]!.body).toMatchObject({ max_tokens: 5 })
  })

  it('a time-out without end is none', async () => {
    const { reply } = await ask(async () => 'ok', {}, { timeoutMs: Number.POSITIVE_INFINITY })
    expect(reply?.content).toBe('ok')
  })
})

describe('the catalogue', () => {
  const entry = (id: string, pricing: unknown) => ({ id, pricing, supported_parameters: ['tools'] })
  const open = (answer: unknown, asked: string[] = []) =>
    catalogue({
      apiKey: 'k',
      cacheFolder: false,
      fetch: async (url) => {
        asked.push(String(url))
        return Response.json(answer)
      },
    })

  it('prices that are not told are not nothing', async () => {
    const prices = [
      { prompt: '-1', completion: '-1' },
      { prompt: 'NaN', completion: '1' },
      null,
      { prompt: '0', completion: '0' },
    ]
    const cards = await open({ data: prices.map((price, at) => entry(`a/${at}`, price)) }).models()
    expect(cards.map((card) => card.prices)).toEqual([undefined, undefined, undefined, { input: 0, output: 0 }])
    const usage = { prompt_tokens: 10, completion_tokens: 5 }
    const asked = await ask(
      { chunks: [hi, stop, { choices: [], usage }] },
      {},
      { catalogue: open({ data: [entry('m/x', prices[0])] }) },
    )
    expect(asked.reply?.usage).not.toHaveProperty('usd')
  })

  it('all who ask at once share one question; a page that names itself is read once', async () => {
    const asked: string[] = []
    const shared = open({ data: [entry('m/x', null)], links: { next: '/api/v1/models' } }, asked)
    const lists = await Promise.all([shared.models(), shared.models(), shared.model('m/x')])
    expect(lists[0]).toHaveLength(1)
    expect(asked).toHaveLength(1)
  })

  it.each([[null], ['x'], [[]], [{ data: 'x' }]])('%j is told as an error of the server', async (answer) => {
    await expect(open(answer).models()).rejects.toMatchObject({ name: 'ModelError' })
    await expect(open(answer).key()).rejects.toMatchObject({ name: 'ModelError' })
  })

  it('a look-up that hangs is left at once', async () => {
    const controller = new AbortController()
    const hanging = catalogue({
      apiKey: 'k',
      cacheFolder: false,
      fetch: () => new Promise(() => controller.abort(new Error('left'))),
    })
    const { error } = await ask('ok', { signal: controller.signal }, { catalogue: hanging })
    expect(error).toMatchObject({ message: 'left' })
  })
})
