/** Where requests go and whose reasoning they carry (section 6.4 of the wire contract). */
import { Agent, type Message, type Middleware, memorySession, tool } from '@clew/core'
import { type LocalAnswer, startOpenRouter } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import { openrouter } from '../src/index.ts'
import { ask } from './ask.ts'
import { eventsOf, play, sent } from './play.ts'

const look = tool({ name: 'look', effect: 'pure', execute: () => 'seen' })
const call = { name: 'look', arguments: {} }
const encrypted = (data: string) => ({ type: 'reasoning.encrypted', data, format: 'google-gemini-v1', index: 0 })
const signedText = (text: string) => ({
  type: 'reasoning.text',
  text,
  signature: `sig-${text}`,
  format: 'anthropic-claude-v1',
  index: 0,
})
const plain = (text: string) => ({ type: 'reasoning.text', text, format: 'unknown', index: 0 })

describe('the provider of a tool loop', () => {
  const twice = (details: LocalAnswer['reasoningDetails'], provider: string): LocalAnswer[] => [
    { calls: [call], reasoningDetails: details!, provider },
    { calls: [call], reasoningDetails: details!, provider },
    { text: 'Done.', provider },
  ]

  it.each([
    ['Google AI Studio', 'google-ai-studio'],
    ['Google', 'google-vertex'],
    ['Amazon Bedrock', 'amazon-bedrock'],
    ['SomeHost', 'SomeHost'],
  ])('stays %s while its encrypted reasoning is needed', async (provider, slug) => {
    const { bodies } = await play(twice([encrypted('x')], provider), { tools: [look] })
    expect(bodies.map((body) => body.provider)).toEqual([undefined, { only: [slug] }, { only: [slug] }])
  })

  it('is free again for the next question, and for reasoning that anybody can read', async () => {
    await using server = await startOpenRouter({ respond: [...twice([signedText('a')], 'Anthropic'), 'And more.'] })
    const agent = new Agent({
      name: 'a',
      model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }),
      tools: [look],
    })
    const session = memorySession()
    await agent.run('Go.', { session })
    await agent.run('And then?', { session })
    expect(server.requests.at(-1)!.body.provider).toBeUndefined()
    const { bodies } = await play(twice([plain('a')], 'SomeHost'), { tools: [look] })
    expect(bodies.every((body) => body.provider === undefined)).toBe(true)
  })

  it('keeps what the settings filter by', async () => {
    const { bodies } = await play(twice([encrypted('x')], 'OpenAI'), {
      tools: [look],
      settings: { provider: { zdr: true, dataCollection: 'deny', order: ['azure', 'openai'], sort: 'price' } },
    })
    expect(bodies[0]!.provider).toEqual({
      zdr: true,
      data_collection: 'deny',
      order: ['azure', 'openai'],
      sort: 'price',
    })
    expect(bodies[1]!.provider).toEqual({ zdr: true, data_collection: 'deny', only: ['openai'] })
  })
})

describe('the session id', () => {
  it('is one for each conversation, over runs and restarts, and nothing of the session’s own name', async () => {
    await using server = await startOpenRouter({ respond: () => 'ok' })
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }) })
    const session = memorySession('user-secret@example.org')
    await agent.run('One', { session })
    await agent.run('Two', { session })
    const { events } = await session.read()
    const reopened = memorySession('other name', JSON.parse(JSON.stringify(events)))
    await agent.run('Three', { session: reopened })
    await agent.run('Elsewhere')
    const ids = server.requests.map(({ body }) => body.session_id as string)
    expect(ids[0]).toMatch(/^[\w-]{10,256}$/)
    expect(ids.slice(0, 3)).toEqual([ids[0], ids[0], ids[0]])
    expect(ids[3]).not.toBe(ids[0])
    expect(server.requests.map(({ text }) => text).join()).not.toContain('secret')
  })

  it('gives way to one that was set', async () => {
    const { body } = await ask('ok', { conversation: 'c1' }, { extraBody: { session_id: 'mine' } })
    expect(body.session_id).toBe('mine')
    expect((await ask('ok', { conversation: 'c1' })).body.session_id).toBe('c1')
  })
})

describe('another model', () => {
  const history = (model: string, details: object[]): Message[] => [
    { role: 'user', content: 'Go.' },
    {
      role: 'assistant',
      content: 'Hm.',
      reasoningDetails: details as never,
      source: { model },
    },
    { role: 'user', content: 'And?' },
  ]
  const detailsSent = async (from: string, to: string, details: object[], settings = {}) =>
    sent((await ask('ok', { messages: history(from, details) }, settings, to)).body as never, 'assistant')[0]!
      .reasoning_details

  it.each<[string, string, object[], object[] | undefined]>([
    ['anthropic/claude-sonnet-4.5', 'anthropic/claude-4.6-opus', [signedText('a')], [signedText('a')]],
    ['anthropic/claude-sonnet-4.5', 'openai/gpt-5', [signedText('a')], undefined],
    ['google/gemini-3-flash', 'qwen/qwen3.5-9b', [encrypted('x'), plain('t')], undefined],
    ['qwen/qwen3.5-9b', 'anthropic/claude-haiku-4.5', [plain('t')], undefined],
    ['qwen/qwen3.5-9b', 'deepseek/deepseek-v4', [plain('t')], [plain('t')]],
    ['openai/gpt-oss-120b', 'qwen/qwen3.5-9b', [plain('t')], [plain('t')]],
    ['anthropic/claude-sonnet-4.5', 'openrouter/auto', [signedText('a')], [signedText('a')]],
    ['deepseek/deepseek-v4', 'openai/gpt-5', [], []],
  ])('after %s, %s gets what it can read', async (from, to, details, expected) => {
    expect(await detailsSent(from, to, details)).toEqual(expected)
  })

  it('of the fallback list is no switch', async () => {
    const settings = { models: ['anthropic/claude-haiku-4.5'] }
    expect(await detailsSent('anthropic/claude-haiku-4.5', 'openai/gpt-5', [signedText('a')], settings)).toEqual([
      signedText('a'),
    ])
  })
})

describe('reasoning that an upstream refuses', () => {
  const refused = {
    status: 400,
    error: {
      message: 'Provider returned error',
      metadata: { raw: '{"error":{"message":"messages.1.content.0: Invalid `signature` in `thinking` block"}}' },
    },
  }

  it('is left out of one more try, and stays out', async () => {
    const first: LocalAnswer = { calls: [call], reasoningDetails: [plain('a')] }
    const second: LocalAnswer = { calls: [call], reasoningDetails: [plain('b')] }
    const { events, bodies, result } = await play([first, refused, second, 'Done.'], { tools: [look] })
    expect(result).toMatchObject({ text: 'Done.' })
    expect(bodies.map((body) => sent(body, 'assistant').map((message) => message.reasoning_details))).toEqual([
      [],
      [[plain('a')]],
      [undefined],
      [undefined, [plain('b')]],
    ])
    expect(eventsOf(events, 'model-restart')).toMatchObject([
      { reason: expect.stringMatching(/Invalid `signature`.*without the reasoning of earlier turns/) },
    ])
  })

  it('stays out of a conversation that middleware copies', async () => {
    const once: LocalAnswer = { calls: [call], reasoningDetails: [plain('a')] }
    const copies: Middleware = {
      name: 'copies',
      model: (request, next) => next({ ...request, messages: structuredClone(request.messages) as Message[] }),
    }
    const again: LocalAnswer = { calls: [call] }
    const { bodies } = await play([once, refused, again, 'Done.'], { tools: [look], use: [copies] })
    expect(bodies).toHaveLength(4)
    expect(bodies.at(-1)!.messages.some((message) => message.reasoning_details)).toBe(false)
  })

  it('a provider that is gone in the middle of a tool loop is given up, visibly', async () => {
    const details = [encrypted('x')]
    const gone = { status: 404, error: { message: 'No allowed providers are available for the selected model.' } }
    const asking: LocalAnswer = { calls: [call], reasoningDetails: details, provider: 'SomeHost' }
    const { bodies, events } = await play([asking, gone, asking, 'Done.'], { tools: [look] })
    expect(bodies.map((body) => body.provider)).toEqual([undefined, { only: ['SomeHost'] }, undefined, undefined])
    expect(eventsOf(events, 'model-restart')).toMatchObject([
      { reason: expect.stringMatching(/^404: No allowed providers.*Trying again with any provider\.$/) },
    ])
    await expect(play([{ calls: [call] }, gone], { tools: [look] })).rejects.toThrow(/No allowed providers/)
  })

  it('is not tried twice, and not at all where there was none or more of it is asked for', async () => {
    const once: LocalAnswer = { calls: [call], reasoningDetails: [plain('a')] }
    await expect(play([once, refused, refused], { tools: [look] })).rejects.toThrow(/Invalid `signature`/)
    await expect(play([{ calls: [call] }, refused], { tools: [look] })).rejects.toThrow(/Invalid `signature`/)
    const missing = { status: 400, error: { message: 'Function call is missing a thought_signature' } }
    await expect(play([once, missing], { tools: [look] })).rejects.toThrow(/missing a thought_signature/)
  })
})

describe('what OpenRouter offers', () => {
  it('goes out under its wire names', async () => {
    const { bodies } = await play(['ok'], {
      tools: [look],
      settings: {
        models: ['a/b', 'c/d'],
        provider: {
          order: ['x'],
          allowFallbacks: false,
          only: ['x', 'y'],
          ignore: ['z'],
          requireParameters: true,
          dataCollection: 'deny',
          zdr: true,
          enforceDistillableText: true,
          quantizations: ['fp8'],
          sort: { by: 'price', partition: 'none' },
          maxPrice: { prompt: 1, completion: 2 },
          preferredMinThroughput: 50,
          preferredMaxLatency: { p90: 3 },
        },
        plugins: [{ id: 'web', max_results: 3 }],
        serverTools: ['web_search', { type: 'openrouter:datetime', parameters: { timezone: 'UTC' } }],
        user: 'u1',
        metadata: { app: 'x' },
        trace: { trace_id: 't' },
        serviceTier: 'flex',
        logprobs: true,
        topLogprobs: 2,
        verbosity: 'low',
        modalities: ['text', 'image'],
        topA: 0.5,
      },
    })
    expect(bodies[0]).toMatchObject({
      models: ['a/b', 'c/d'],
      provider: {
        order: ['x'],
        allow_fallbacks: false,
        only: ['x', 'y'],
        ignore: ['z'],
        require_parameters: true,
        data_collection: 'deny',
        zdr: true,
        enforce_distillable_text: true,
        quantizations: ['fp8'],
        sort: { by: 'price', partition: 'none' },
        max_price: { prompt: 1, completion: 2 },
        preferred_min_throughput: 50,
        preferred_max_latency: { p90: 3 },
      },
      plugins: [
        { id: 'web', max_results: 3 },
        { id: 'context-compression', enabled: false },
      ],
      user: 'u1',
      metadata: { app: 'x' },
      trace: { trace_id: 't' },
      service_tier: 'flex',
      logprobs: true,
      top_logprobs: 2,
      verbosity: 'low',
      modalities: ['text', 'image'],
      top_a: 0.5,
    })
    expect(bodies[0]!.tools!.slice(1)).toEqual([
      { type: 'openrouter:web_search' },
      { type: 'openrouter:datetime', parameters: { timezone: 'UTC' } },
    ])
  })

  it('compression of the context is off unless it is asked for', async () => {
    const asked = await ask('ok', {}, { plugins: [{ id: 'context-compression', engine: 'middle-out' }] })
    expect(asked.body.plugins).toEqual([{ id: 'context-compression', engine: 'middle-out' }])
    const raw = await ask('ok', {}, { extraBody: { plugins: [{ id: 'web' }] } })
    expect(raw.body.plugins).toEqual([{ id: 'web' }, { id: 'context-compression', enabled: false }])
  })

  it('log probabilities come with the event of the answer', async () => {
    const content = [{ token: 'ok', logprob: -0.1 }]
    const choice = (delta: object, logprobs: unknown, finish: string | null = null) => ({
      choices: [{ index: 0, delta, logprobs, finish_reason: finish }],
    })
    const { events } = await play([
      { chunks: [choice({ content: 'o' }, { content }), choice({ content: 'k' }, { content }), choice({}, 5, 'stop')] },
    ])
    expect(eventsOf(events, 'model-end')[0]!.logprobs).toEqual([...content, ...content])
  })
})

describe('cache marks', () => {
  const mark = { type: 'ephemeral' }
  const marksOf = (body: { messages: { content?: unknown }[] }) =>
    body.messages.map(({ content }) =>
      Array.isArray(content) ? content.map((part: { cache_control?: unknown }) => part.cache_control) : [],
    )

  it('P117: stand on the last part of system and of the tail, and are at most four', async () => {
    const calls = (count: number): LocalAnswer => ({ calls: Array.from({ length: count }, () => call) })
    const { bodies } = await play([calls(1), calls(5), 'Done.'], {
      tools: [look],
      instructions: 'Be brief.',
      settings: { cacheControl: true },
    })
    expect(marksOf(bodies[0]!)).toEqual([[mark], [mark]])
    expect(marksOf(bodies[1]!)).toEqual([[mark], [mark], [], [mark]])
    for (const body of bodies) {
      const count = JSON.stringify(body).split('"cache_control"').length - 1
      expect(count).toBeGreaterThan(1)
      expect(count).toBeLessThanOrEqual(4)
      expect(body.messages.at(-1)!.content).toMatchObject([{ cache_control: mark }])
    }
    // But for the marks, a request begins with the one before.
    const plainOf = (body: unknown) =>
      JSON.parse(JSON.stringify(body).replaceAll(',"cache_control":{"type":"ephemeral"}', ''))
    const flat = (messages: { content?: unknown }[]) =>
      messages.map(({ content, ...rest }) => ({
        ...rest,
        content: Array.isArray(content) ? content.map((part: { text: string }) => part.text).join('') : content,
      }))
    const [first, second] = bodies.map((body) => flat(plainOf(body).messages))
    expect(second!.slice(0, first!.length)).toEqual(first)
  })

  it('P118: of several parts, on the last only; with the time to live that was asked for', async () => {
    const text = (each: string) => ({ type: 'text' as const, text: each })
    const { body } = await ask(
      'ok',
      { messages: [{ role: 'user', content: [text('a'), text('b'), text('c')] }] },
      { cacheControl: { ttl: '1h' } },
    )
    expect(marksOf(body as never)).toEqual([[undefined, undefined, { type: 'ephemeral', ttl: '1h' }]])
    expect((await ask('ok')).text).not.toContain('cache_control')
  })
})
