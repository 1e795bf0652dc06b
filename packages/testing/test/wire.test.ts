/** What goes over the wire, byte for byte where it matters. */
import { request as httpRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { type LocalAnswer, type LocalReply, type Respond, startOpenRouter } from '../src/index.ts'
import { chunksOf, eventsOf, mergedDetails, post, user, type WireError } from './wire.ts'

const chat = (extra: object = {}) => ({ model: 'm/x', messages: [user], ...extra })

async function answer(reply: LocalReply, extra: object = {}) {
  await using server = await startOpenRouter({ respond: [reply] })
  return await post(server.url, chat(extra))
}

const signedText = { type: 'reasoning.text', text: 'Hm.', signature: 'EqA1', format: 'anthropic-claude-v1', index: 0 }
const full: LocalAnswer = {
  text: 'I will look it up in both of the places that I know of.',
  reasoningDetails: [
    { ...signedText, text: 'A thought that is longer than what goes into a single fragment of a stream.' },
    { id: 'rs_1', type: 'reasoning.encrypted', data: 'gAAA'.repeat(30), format: 'anthropic-claude-v1', index: 0 },
  ],
  calls: [
    { id: 'call_a', name: 'look', arguments: { q: 'a question that takes several fragments', deep: [1, { x: null }] } },
    { name: 'look' },
  ],
  refusal: 'no',
  annotations: [{ type: 'url_citation', url_citation: { url: 'https://example.org' } }],
  nativeFinishReason: 'tool_use',
  provider: 'SomeHost',
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7, cost: 0.5 },
}

describe('a JSON body', () => {
  it('has the shape of the contract', async () => {
    const { status, headers, text } = await answer(full)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    const body = JSON.parse(text)
    expect(body).toEqual({
      id: 'gen-1',
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'm/x',
      provider: 'SomeHost',
      system_fingerprint: null,
      choices: [
        {
          index: 0,
          logprobs: null,
          finish_reason: 'tool_calls',
          native_finish_reason: 'tool_use',
          message: {
            role: 'assistant',
            content: full.text,
            refusal: 'no',
            reasoning: full.reasoningDetails![0]!.text,
            reasoning_details: full.reasoningDetails,
            annotations: full.annotations,
            tool_calls: [
              {
                index: 0,
                id: 'call_a',
                type: 'function',
                function: { name: 'look', arguments: JSON.stringify(full.calls![0]!.arguments) },
              },
              { index: 1, id: 'call_1_1', type: 'function', function: { name: 'look', arguments: '{}' } },
            ],
          },
        },
      ],
      usage: {
        ...full.usage,
        is_byok: false,
        prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: expect.any(Number) },
      },
    })
    expect(Number.isInteger(body.created)).toBe(true)
  })

  it('begins with lines of spaces', async () => {
    const { text } = await answer('Hello')
    expect(text).toMatch(/^\n +\n\{/)
    expect(JSON.parse(text).choices[0].message.content).toBe('Hello')
  })

  it('leaves out what the answer lacks', async () => {
    const { message, ...choice } = JSON.parse((await answer({ usage: null })).text).choices[0]
    expect(message).toEqual({ role: 'assistant', content: '', refusal: null, reasoning: null })
    expect(choice).toMatchObject({ finish_reason: 'stop', native_finish_reason: 'stop' })
    expect(JSON.parse((await answer({ usage: null })).text)).not.toHaveProperty('usage')
  })

  it('keeps an empty list of details, and reads the plain text from summaries', async () => {
    const messageOf = async (reply: LocalAnswer) => JSON.parse((await answer(reply)).text).choices[0].message
    expect(await messageOf({ reasoningDetails: [] })).toMatchObject({ reasoning: null, reasoning_details: [] })
    const reasoningDetails = [
      { type: 'reasoning.summary', summary: 'Hm. ' },
      { type: 'reasoning.encrypted', data: 'x' },
      { type: 'reasoning.text', text: 'Yes.' },
    ]
    expect(await messageOf({ reasoningDetails })).toMatchObject({ reasoning: 'Hm. Yes.' })
  })

  it.each([false, true])('plays a model that writes bad arguments and no reason (stream: %s)', async (stream) => {
    const reply = { calls: [{ name: 'look', arguments: '{"q":' }], finishReason: null }
    const { text } = await answer(reply, { stream })
    if (!stream) {
      const [choice] = JSON.parse(text).choices
      expect(choice.message.tool_calls[0].function.arguments).toBe('{"q":')
      expect([choice.finish_reason, choice.native_finish_reason]).toEqual([null, null])
      return
    }
    const chunks = chunksOf(text)
    const calls = chunks.flatMap((chunk) => chunk.choices[0]!.delta.tool_calls ?? [])
    expect(calls.map((call) => call.function.arguments).join('')).toBe('{"q":')
    expect(new Set(chunks.map((chunk) => chunk.choices[0]!.finish_reason))).toEqual(new Set([null]))
  })
})

describe('a stream', () => {
  it('is framed as server-sent events', async () => {
    const { status, headers, text } = await answer(full, { stream: true })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/event-stream')
    const events = eventsOf(text)
    expect(events[0]).toBe(': OPENROUTER PROCESSING')
    expect(events.at(-1)).toBe('data: [DONE]')
    expect(events.slice(1, -1).every((event) => event.startsWith('data: {') && !event.includes('\n'))).toBe(true)
  })

  it('has the shape of the contract in every chunk', async () => {
    const chunks = chunksOf((await answer(full, { stream: true })).text)
    expect(chunks.length).toBeGreaterThan(10)
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({ id: 'gen-1', object: 'chat.completion.chunk', model: 'm/x', provider: 'SomeHost' })
      expect(chunk.created).toEqual(chunks[0]!.created)
      expect(chunk.choices).toHaveLength(1)
      const { index, delta, logprobs } = chunk.choices[0]!
      expect({ index, logprobs }).toEqual({ index: 0, logprobs: null })
      expect(delta.role).toBe('assistant')
      const isSilent = Boolean(delta.reasoning_details || delta.tool_calls)
      expect(delta).toHaveProperty('content')
      if (isSilent) expect(delta.content || '').toBe('')
    }
    const deltas = chunks.map((chunk) => chunk.choices[0]!.delta)
    expect(deltas.map((delta) => delta.content ?? '').join('')).toBe(full.text)
    expect(deltas.filter((delta) => delta.content).length).toBeGreaterThan(1)
    expect(deltas.flatMap((delta) => delta.refusal ?? [])).toEqual(['no'])
    expect(deltas.flatMap((delta) => delta.annotations ?? [])).toEqual(full.annotations)
  })

  it('ends with the finish reason twice, and usage once in the last chunk', async () => {
    const chunks = chunksOf((await answer(full, { stream: true })).text)
    const ends = chunks.map((chunk) => [chunk.choices[0]!.finish_reason, chunk.choices[0]!.native_finish_reason])
    expect(ends.slice(-2)).toEqual(Array(2).fill(['tool_calls', 'tool_use']))
    expect(new Set(ends.slice(0, -2).flat())).toEqual(new Set([null]))
    expect(chunks.at(-1)!.usage).toMatchObject(full.usage!)
    expect(chunks.slice(0, -1).some((chunk) => 'usage' in chunk)).toBe(false)
    expect(chunks.slice(-2).map((chunk) => chunk.choices[0]!.delta)).toEqual(
      Array(2).fill({ role: 'assistant', content: '' }),
    )
  })

  it('says nothing of usage when there is none', async () => {
    const chunks = chunksOf((await answer({ text: 'Hi', usage: null }, { stream: true })).text)
    expect(chunks.map((chunk) => chunk.choices[0]!.finish_reason)).toEqual([null, 'stop'])
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
  })

  it('brings reasoning in fragments, and the signature in one of its own', async () => {
    const chunks = chunksOf((await answer(full, { stream: true })).text)
    const deltas = chunks.flatMap(({ choices }) => (choices[0]!.delta.reasoning_details ? [choices[0]!.delta] : []))
    const [thought, secret] = full.reasoningDetails!
    expect(deltas.every((delta) => delta.reasoning_details!.length === 1)).toBe(true)
    const fragments = deltas.flatMap((delta) => delta.reasoning_details!)

    const texts = fragments.filter((fragment) => 'text' in fragment)
    expect(texts.length).toBeGreaterThan(1)
    expect(texts.map((fragment) => fragment.text).join('')).toBe(thought!.text)
    expect(texts.some((fragment) => 'signature' in fragment)).toBe(false)
    expect(deltas.map((delta) => delta.reasoning ?? '')).toEqual(fragments.map((fragment) => fragment.text ?? ''))

    const { text: _, ...bare } = thought!
    expect(fragments.slice(texts.length)).toEqual([bare, secret])
    expect(mergedDetails(chunks)).toEqual(full.reasoningDetails)
  })

  it('brings calls in fragments that only the index joins', async () => {
    const chunks = chunksOf((await answer(full, { stream: true })).text)
    const fragments = chunks.flatMap((chunk) => chunk.choices[0]!.delta.tool_calls ?? [])
    const openings = fragments.filter((fragment) => 'id' in fragment)
    expect(openings).toEqual([
      { index: 0, id: 'call_a', type: 'function', function: { name: 'look', arguments: '' } },
      { index: 1, id: 'call_1_1', type: 'function', function: { name: 'look', arguments: '' } },
    ])
    for (const [index, { arguments: args = {} }] of full.calls!.entries()) {
      const own = fragments.filter((fragment) => fragment.index === index)
      expect(own[0]).toHaveProperty('id')
      expect(own.slice(1).every((fragment) => !('name' in fragment.function))).toBe(true)
      expect(own.map((fragment) => fragment.function.arguments).join('')).toBe(JSON.stringify(args))
    }
    expect(fragments.filter((fragment) => fragment.index === 0).length).toBeGreaterThan(2)
  })

  it('never splits a character', async () => {
    const emoji = '🦀🥶👩‍👩‍👧‍👦 naïve 漢字 𝕏 '.repeat(20)
    for (const shift of ['', 'a', 'ab']) {
      const text = shift + emoji
      const reply: LocalAnswer = {
        text,
        reasoningDetails: [
          { type: 'reasoning.text', text, index: 0 },
          { type: 'reasoning.summary', summary: text, index: 1 },
        ],
        calls: [{ name: 'look', arguments: { text } }],
      }
      const chunks = chunksOf((await answer(reply, { stream: true })).text)
      const deltas = chunks.map((chunk) => chunk.choices[0]!.delta)
      const contents = deltas.map((delta) => delta.content ?? '')
      const calls = deltas.flatMap((delta) => delta.tool_calls ?? []).map((call) => call.function.arguments)
      const reasoning = deltas.map((delta) => delta.reasoning ?? '')
      expect([...contents, ...calls, ...reasoning].filter((piece) => !piece.isWellFormed())).toEqual([])
      expect(contents.join('')).toBe(text)
      expect(JSON.parse(calls.join(''))).toEqual({ text })
      expect(reasoning.join('')).toBe(text + text)
      expect(mergedDetails(chunks)).toEqual(reply.reasoningDetails)
    }
  })
})

describe('scripted replies', () => {
  it.each([false, true])('plays a stream byte for byte (stream: %s)', async (stream) => {
    const chunks = [': one', { a: 1 }, '{"b": 2}', ':two', 'no JSON']
    const { headers, text } = await answer({ chunks }, { stream })
    expect(headers.get('content-type')).toBe('text/event-stream')
    expect(text).toBe(': one\n\ndata: {"a":1}\n\ndata: {"b": 2}\n\n:two\n\ndata: no JSON\n\ndata: [DONE]\n\n')
  })

  it('leaves [DONE] out', async () => {
    const { text } = await answer({ chunks: [{ error: { code: 502 } }], done: false }, { stream: true })
    expect(text).toBe('data: {"error":{"code":502}}\n\n')
    expect((await answer({ chunks: [], done: false }, { stream: true })).text).toBe('')
  })

  it.each([false, true])('answers an error with its headers (stream: %s)', async (stream) => {
    const metadata = { provider_name: 'SomeHost', raw: '{"message":"slow"}' }
    const { status, headers, text } = await answer(
      {
        status: 429,
        error: { message: 'Slow down', metadata },
        headers: { 'Retry-After': '7', 'x-ratelimit-limit': '20' },
      },
      { stream },
    )
    expect(status).toBe(429)
    expect(headers.get('content-type')).toBe('application/json')
    expect([headers.get('retry-after'), headers.get('x-ratelimit-limit')]).toEqual(['7', '20'])
    expect(JSON.parse(text)).toEqual({
      error: { code: 429, message: 'Slow down', metadata },
      user_id: expect.any(String),
    })
  })

  it('answers an error with a code of its own', async () => {
    const { status, text } = await answer({ status: 200, error: { message: 'Late', code: 'rate_limited' } })
    expect([status, JSON.parse(text).error.code]).toEqual([200, 'rate_limited'])
  })

  it.each([false, true])('answers a raw body (stream: %s)', async (stream) => {
    const raw = await answer({ body: '<html>ü', status: 524, contentType: 'text/html' }, { stream })
    expect([raw.status, raw.headers.get('content-type'), raw.text]).toEqual([524, 'text/html', '<html>ü'])
    const plain = await answer({ body: '' }, { stream })
    expect([plain.status, plain.headers.get('content-type'), plain.text]).toEqual([200, 'application/json', ''])
  })

  it('tells when the script has ended', async () => {
    await using server = await startOpenRouter({ respond: ['one'] })
    expect((await post(server.url, chat())).status).toBe(200)
    const { status, text } = await post(server.url, chat())
    expect(status).toBe(400)
    expect((JSON.parse(text) as WireError).error).toEqual({
      code: 400,
      message:
        "The local server's script failed: it has 1 answers, but was asked for answer 2. Add one to respond, or give a function",
    })
  })

  it.each<[string, Respond]>([
    [
      'throws',
      () => {
        throw new Error('boom')
      },
    ],
    ['rejects', () => Promise.reject(new Error('boom'))],
    ['rejects with a text', () => Promise.reject('boom')],
  ])('tells when the script %s', async (_, fails) => {
    await using server = await startOpenRouter({ respond: [fails, 'fine'] })
    const { status, text } = await post(server.url, chat({ stream: true }))
    expect(status).toBe(400)
    expect((JSON.parse(text) as WireError).error.message).toBe("The local server's script failed: boom")
    expect((await post(server.url, chat())).status).toBe(200)
  })

  it('hands the request to the script', async () => {
    const seen: unknown[] = []
    const respond: Respond = (request, { turn, received }) => {
      seen.push([turn, request, received.method, received.path, received.headers['x-title']])
      return `turn ${turn}`
    }
    await using server = await startOpenRouter({ respond })
    const headers = { authorization: 'Bearer k', 'X-Title': 'Tests' }
    expect((await post(server.url, chat(), headers)).text).toContain('turn 1')
    expect((await post(server.url, chat({ seed: 5 }), headers)).text).toContain('turn 2')
    const rest = ['POST', '/api/v1/chat/completions', 'Tests']
    expect(seen).toEqual([
      [1, chat(), ...rest],
      [2, chat({ seed: 5 }), ...rest],
    ])
    expect(server.requests.map((request) => request.text)).toEqual([
      JSON.stringify(chat()),
      JSON.stringify(chat({ seed: 5 })),
    ])
  })
})

describe('usage', () => {
  const usageOf = (text: string) => JSON.parse(text).usage

  it('counts four characters a token, and what the request shares with the one before as cached', async () => {
    await using server = await startOpenRouter({
      respond: [{ text: 'x'.repeat(41), reasoningDetails: [signedText] }, 'y'],
    })
    const bodies = [chat(), { ...chat(), messages: [user, { role: 'assistant', content: 'x' }, user] }]
    const [first, second] = [
      usageOf((await post(server.url, bodies[0])).text),
      usageOf((await post(server.url, bodies[1])).text),
    ]
    const [short, long] = bodies.map((body) => JSON.stringify(body))
    expect(first.prompt_tokens).toBe(Math.ceil(short!.length / 4))
    expect(first.completion_tokens).toBe(11 + first.completion_tokens_details.reasoning_tokens)
    expect(first.completion_tokens_details.reasoning_tokens).toBeGreaterThan(0)
    expect(first.total_tokens).toBe(first.prompt_tokens + first.completion_tokens)
    expect(first.cost).toBeGreaterThan(0)
    expect(first.prompt_tokens_details.cached_tokens).toBe(0)
    const shared = [...long!].findIndex((character, at) => character !== short![at])
    expect(second.prompt_tokens_details.cached_tokens).toBe(Math.floor(shared / 4))
    expect(second.prompt_tokens_details.cached_tokens).toBeGreaterThan(5)
  })

  it('is the same in a stream', async () => {
    // Requests of the same length.
    const whole = await answer('Hello', { stream: null })
    const streamed = await answer('Hello', { stream: true })
    expect(chunksOf(streamed.text).at(-1)!.usage).toEqual(usageOf(whole.text))
  })
})

describe('the connection', () => {
  const endless: LocalAnswer = { text: 'On and on and on it goes, '.repeat(5_000), pace: 1 }
  const options = (body: object, signal?: AbortSignal) => ({
    method: 'POST',
    headers: { authorization: 'Bearer k' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })

  it('is loopback, on a port of its own', async () => {
    await using one = await startOpenRouter({ respond: ['one'] })
    await using two = await startOpenRouter({ respond: ['two'] })
    expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v1$/)
    expect(one.url).not.toBe(two.url)
    expect((await post(two.url, chat())).text).toContain('"two"')
    expect((await post(one.url, chat())).text).toContain('"one"')
    expect([one.requests.length, two.requests.length]).toEqual([1, 1])
  })

  it.each([false, true])('closes as complete when the answer was whole (stream: %s)', async (stream) => {
    await using server = await startOpenRouter({ respond: ['fine', { status: 500, error: { message: 'bad' } }] })
    await post(server.url, chat({ stream }))
    await post(server.url, chat({ stream }))
    await post(server.url, { messages: [] })
    expect(await Promise.all(server.requests.map((request) => request.closed))).toEqual(Array(3).fill('complete'))
  })

  it('closes as aborted when the client leaves a stream', async () => {
    await using server = await startOpenRouter({ respond: [endless, 'fine'] })
    const controller = new AbortController()
    const response = await fetch(`${server.url}/chat/completions`, options(chat({ stream: true }), controller.signal))
    const reader = response.body!.getReader()
    expect((await reader.read()).value!.length).toBeGreaterThan(0)
    controller.abort()
    expect(await server.requests[0]!.closed).toBe('aborted')
    expect((await post(server.url, chat())).status).toBe(200)
  })

  it('closes as aborted when the client leaves before the answer, whatever the script says then', async () => {
    const late = Promise.withResolvers<LocalReply>()
    const arrived = Promise.withResolvers<void>()
    const respond: Respond = () => {
      arrived.resolve()
      return late.promise
    }
    await using server = await startOpenRouter({ respond: [respond, 'fine'] })
    const controller = new AbortController()
    const pending = fetch(`${server.url}/chat/completions`, options(chat({ stream: true }), controller.signal))
    await arrived.promise
    controller.abort()
    await expect(pending).rejects.toThrow()
    expect(await server.requests[0]!.closed).toBe('aborted')
    late.resolve(full)
    expect((await post(server.url, chat())).status).toBe(200)
  })

  it('survives a client that leaves within its request', async () => {
    await using server = await startOpenRouter({ respond: ['fine'] })
    const half = httpRequest(`${server.url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-length': '100' },
    })
    const gone = new Promise((resolve) => half.once('error', resolve))
    await new Promise<void>((resolve) => half.write('{"model":', () => resolve()))
    half.destroy(new Error('gone'))
    await gone
    expect((await post(server.url, chat())).status).toBe(200)
    expect(server.requests).toHaveLength(1)
  })

  it('reads a body whose pieces cut characters', async () => {
    await using server = await startOpenRouter({ respond: ['fine'] })
    const body = { ...chat(), messages: [{ role: 'user', content: 'naïve 🦀 漢字' }] }
    const bytes = Buffer.from(JSON.stringify(body))
    const status = await new Promise((resolve, reject) => {
      // Chunked: each write is a piece of its own.
      const request = httpRequest(`${server.url}/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer k', 'transfer-encoding': 'chunked' },
      })
      request.once('error', reject).once('response', (response) => resolve(response.resume().statusCode))
      for (const byte of bytes) request.write(Buffer.from([byte]))
      request.end()
    })
    expect(status).toBe(200)
    expect(server.requests[0]!.text).toBe(bytes.toString())
    expect(server.requests[0]!.body).toEqual(body)
  })

  it.each([false, true])('serves many at a time, in any order (stream: %s)', async (stream) => {
    const count = 12
    const gates = Array.from({ length: count }, () => Promise.withResolvers<void>())
    const all = Promise.withResolvers<void>()
    const respond: Respond = async ({ seed }, { turn }) => {
      if (turn === count) all.resolve()
      await gates[Number(seed)]!.promise
      return { text: `seed ${seed}, turn ${turn}`, calls: [{ name: 'look' }] }
    }
    await using server = await startOpenRouter({ respond })
    const finished: number[] = []
    const answers = gates.map(async (_, seed) => {
      const { text } = await post(server.url, chat({ stream, seed }))
      finished.push(seed)
      gates[seed - 1]?.resolve()
      return text
    })
    await all.promise
    gates[count - 1]!.resolve()
    const texts = await Promise.all(answers)
    expect(finished).toEqual(gates.map((_, seed) => count - 1 - seed))
    const turns = new Set<string>()
    for (const [seed, text] of texts.entries()) {
      const body = stream ? undefined : JSON.parse(text)
      const chunks = stream ? chunksOf(text) : []
      const content =
        body?.choices[0].message.content ?? chunks.map((chunk) => chunk.choices[0]!.delta.content).join('')
      const [call] =
        body?.choices[0].message.tool_calls ?? chunks.flatMap(({ choices }) => choices[0]!.delta.tool_calls ?? [])
      const [, turn = ''] = content.match(/turn (\d+)/) ?? []
      turns.add(turn)
      // All that the server numbers is numbered by the turn of the request, not by the last that came in.
      expect([content, body?.id ?? chunks[0]!.id, call.id]).toEqual([
        `seed ${seed}, turn ${turn}`,
        `gen-${turn}`,
        `call_${turn}_0`,
      ])
    }
    expect(turns.size).toBe(count)
  })

  it('is cut by close, answered or not', async () => {
    const arrived = Promise.withResolvers<void>()
    const server = await startOpenRouter({
      respond: () => {
        arrived.resolve()
        return new Promise(() => {})
      },
    })
    const pending = fetch(`${server.url}/chat/completions`, options(chat())).catch((error: unknown) => error)
    await arrived.promise
    await server.close()
    expect(await pending).toBeInstanceOf(TypeError)
    expect(await server.requests[0]!.closed).toBe('aborted')
    await expect(post(server.url, chat())).rejects.toThrow()
  })
})
