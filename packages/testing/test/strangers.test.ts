/** Clients that know nothing of this server: what works against OpenRouter must work here, unchanged. */
import { createOpenRouter } from '@openrouter/ai-sdk-provider'
import { APICallError, generateText, isStepCount, streamText, tool } from 'ai'
import OpenAI, { APIError, APIUserAbortError, RateLimitError } from 'openai'
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type LocalAnswer, type LocalReply, startOpenRouter } from '../src/index.ts'

/** An answer that streams for longer than any test waits, for clients that leave. */
const endless: LocalAnswer = { text: 'Once more, with feeling. '.repeat(5_000), pace: 1 }

describe('openai', () => {
  const connect = (url: string) => new OpenAI({ baseURL: url, apiKey: 'k', maxRetries: 0 })
  const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hi' }]
  const add = {
    type: 'function' as const,
    function: {
      name: 'add',
      description: 'Adds two numbers.',
      parameters: {
        type: 'object' as const,
        properties: { a: { type: 'number' as const }, b: { type: 'number' as const } },
        required: ['a', 'b'],
      },
      parse: (text: string) => z.object({ a: z.number(), b: z.number() }).parse(JSON.parse(text)),
      function: ({ a, b }: { a: number; b: number }) => String(a + b),
    },
  }

  const signed = {
    reasoningDetails: [
      { type: 'reasoning.text', text: 'Sum.', signature: 'EqA1', format: 'anthropic-claude-v1', index: 0 },
    ],
    calls: [{ name: 'add', arguments: { a: 1, b: 2 } }],
  }

  it('reads a whole answer', async () => {
    await using server = await startOpenRouter({
      respond: [{ text: 'Hello', usage: { prompt_tokens: 3, completion_tokens: 2 } }],
    })
    const answer = await connect(server.url).chat.completions.create({ model: 'm/x', messages })
    expect(answer).toMatchObject({ object: 'chat.completion', model: 'm/x' })
    expect(answer.choices[0]!.message).toMatchObject({ role: 'assistant', content: 'Hello' })
    expect(answer.choices[0]!.finish_reason).toBe('stop')
    expect(answer.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 2 })
    expect(server.requests[0]!.headers.authorization).toBe('Bearer k')
  })

  it('reads a streamed answer', async () => {
    const text = 'A text that is longer than a single chunk of the stream, with an emoji 🦀 in it.'
    await using server = await startOpenRouter({ respond: [{ text, usage: { completion_tokens: 7 } }] })
    const stream = await connect(server.url).chat.completions.create({ model: 'm/x', messages, stream: true })
    const pieces: string[] = []
    const finishes = new Set<string>()
    const usages: number[] = []
    for await (const chunk of stream) {
      const [choice] = chunk.choices
      if (choice?.delta.content) pieces.push(choice.delta.content)
      if (choice?.finish_reason) finishes.add(choice.finish_reason)
      if (chunk.usage) usages.push(chunk.usage.completion_tokens)
    }
    expect(pieces.join('')).toBe(text)
    expect(pieces.length).toBeGreaterThan(1)
    expect([...finishes]).toEqual(['stop'])
    expect(usages).toEqual([7])
  })

  it('carries a tool round trip', async () => {
    await using server = await startOpenRouter({
      respond: [
        {
          calls: [
            { name: 'add', arguments: { a: 1, b: 2 } },
            { name: 'add', arguments: { a: 3, b: 4 } },
          ],
        },
        ({ messages }) => `Got ${messages.flatMap((message) => (message.role === 'tool' ? [message.content] : []))}`,
      ],
    })
    const runner = connect(server.url).chat.completions.runTools({ model: 'm/x', messages, tools: [add] })
    expect(await runner.finalContent()).toBe('Got 3,7')
    expect(server.requests).toHaveLength(2)
  })

  it('carries a streamed tool round trip', async () => {
    await using server = await startOpenRouter({
      respond: [
        {
          text: 'Let me see.',
          calls: [
            { name: 'add', arguments: { a: 100_000_000, b: 200_000_000 } },
            { name: 'add', arguments: { a: 3, b: 4 } },
          ],
        },
        ({ messages }) => `Got ${messages.flatMap((message) => (message.role === 'tool' ? [message.content] : []))}`,
      ],
    })
    const runner = connect(server.url).chat.completions.runTools({ model: 'm/x', messages, tools: [add], stream: true })
    expect(await runner.finalContent()).toBe('Got 300000000,7')
    expect(server.requests.map((request) => request.body.stream)).toEqual([true, true])
    expect(server.requests[1]!.body.messages[1]).toMatchObject({ role: 'assistant', content: 'Let me see.' })
  })

  it('gives signed reasoning back when its caller keeps the message', async () => {
    await using server = await startOpenRouter({ respond: [signed, 'Three'] })
    const client = connect(server.url)
    const first = await client.chat.completions.create({ model: 'm/x', messages, tools: [add] })
    const { message } = first.choices[0]!
    const answer = await client.chat.completions.create({
      model: 'm/x',
      messages: [...messages, message, { role: 'tool', tool_call_id: message.tool_calls![0]!.id, content: '3' }],
      tools: [add],
    })
    expect(answer.choices[0]!.message.content).toBe('Three')
    expect(server.requests[1]!.body.messages[1]!.reasoning_details).toEqual(signed.reasoningDetails)
  })

  it('is refused when its runner drops signed reasoning', async () => {
    await using server = await startOpenRouter({ respond: [signed, 'never'] })
    const runner = connect(server.url).chat.completions.runTools({ model: 'm/x', messages, tools: [add] })
    const error = await runner.finalContent().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining('reasoning_details: missing') })
  })

  it.each([false, true])('surfaces an error as APIError (stream: %s)', async (stream) => {
    await using server = await startOpenRouter({
      respond: [{ status: 429, error: { message: 'Slow down', code: 429 }, headers: { 'retry-after': '7' } }],
    })
    const error: unknown = await connect(server.url)
      .chat.completions.create({ model: 'm/x', messages, stream })
      .then(
        () => undefined,
        (reason) => reason,
      )
    expect(error).toBeInstanceOf(RateLimitError)
    expect(error).toMatchObject({ status: 429, code: 429, message: '429 Slow down' })
    expect((error as RateLimitError).headers.get('retry-after')).toBe('7')
  })

  it('surfaces a refusal of the strict server', async () => {
    await using server = await startOpenRouter({ respond: ['never'] })
    const dangling: ChatCompletionMessageParam[] = [
      ...messages,
      { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'add', arguments: '{}' } }] },
    ]
    const answer = connect(server.url).chat.completions.create({ model: 'm/x', messages: dangling })
    await expect(answer).rejects.toBeInstanceOf(APIError)
    await expect(answer).rejects.toMatchObject({ status: 400, message: expect.stringContaining('without results: a') })
  })

  it('aborts while streaming', async () => {
    await using server = await startOpenRouter({ respond: [endless] })
    const controller = new AbortController()
    const stream = await connect(server.url).chat.completions.create(
      { model: 'm/x', messages, stream: true },
      { signal: controller.signal },
    )
    let seen = 0
    for await (const _ of stream) {
      seen += 1
      controller.abort()
    }
    expect(seen).toBeGreaterThan(0)
    expect(await server.requests[0]!.closed).toBe('aborted')
  })

  it('aborts before the answer', async () => {
    const controller = new AbortController()
    await using server = await startOpenRouter({
      respond: async (_, { received }) => {
        controller.abort()
        await received.closed
        return 'too late'
      },
    })
    const answer = connect(server.url).chat.completions.create(
      { model: 'm/x', messages },
      { signal: controller.signal },
    )
    await expect(answer).rejects.toBeInstanceOf(APIUserAbortError)
    expect(await server.requests[0]!.closed).toBe('aborted')
  })
})

describe('@openrouter/ai-sdk-provider', () => {
  const claude = [
    {
      type: 'reasoning.text',
      text: 'Which is colder? First I need the weather of Oslo 🥶, then that of Rome.',
      signature: 'EqA1',
      format: 'anthropic-claude-v1',
      index: 0,
    },
  ]
  const openai = [
    { type: 'reasoning.summary', summary: 'Now the others.', format: 'openai-responses-v1', index: 0 },
    { type: 'reasoning.encrypted', data: 'gAAA', id: 'rs_1', format: 'openai-responses-v1', index: 0 },
  ]
  const respond: LocalReply[] = [
    { reasoningDetails: claude, calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
    {
      reasoningDetails: openai,
      text: 'And now the others.',
      calls: [
        { name: 'weather', arguments: { city: 'Rome' } },
        { name: 'weather', arguments: { city: 'Bergen' } },
      ],
    },
    {
      text: 'Oslo is the coldest.',
      usage: {
        prompt_tokens: 40,
        completion_tokens: 9,
        total_tokens: 49,
        cost: 0.125,
        prompt_tokens_details: { cached_tokens: 30 },
      },
    },
  ]

  const settingsFor = (url: string, asked: string[] = []) => ({
    model: createOpenRouter({ baseURL: url, apiKey: 'k' })('m/x'),
    prompt: 'Where is it coldest?',
    stopWhen: isStepCount(5),
    maxRetries: 0,
    tools: {
      weather: tool({
        inputSchema: z.object({ city: z.string() }),
        execute: ({ city }) => {
          asked.push(city)
          return `${city}: ${city.length} °C`
        },
      }),
    },
  })

  it.each([
    ['generateText', async (settings: ReturnType<typeof settingsFor>) => generateText(settings)],
    ['streamText', async (settings: ReturnType<typeof settingsFor>) => streamText(settings)],
  ])('%s keeps signed reasoning over three turns', async (_, ask) => {
    await using server = await startOpenRouter({ respond })
    const asked: string[] = []
    const result = await ask(settingsFor(server.url, asked))
    expect(await result.text).toBe('Oslo is the coldest.')
    expect(asked).toEqual(['Oslo', 'Rome', 'Bergen'])

    expect(server.requests).toHaveLength(3)
    const { messages } = server.requests[2]!.body
    expect(messages.map((message) => message.role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'tool', 'tool'])
    expect(messages[1]!.reasoning_details).toEqual(claude)
    expect(messages[3]!.reasoning_details).toEqual(openai)
    expect(messages[5]!.content).toBe('Bergen: 6 °C')

    const steps = await result.steps
    expect(steps.map((step) => step.reasoningText)).toEqual([claude[0]!.text, openai[0]!.summary, undefined])
    expect(steps[2]!.usage).toMatchObject({
      inputTokens: 40,
      inputTokenDetails: { cacheReadTokens: 30 },
      outputTokens: 9,
      totalTokens: 49,
    })
    expect(steps[2]!.providerMetadata?.openrouter).toMatchObject({
      provider: 'Localhost',
      usage: { promptTokens: 40, completionTokens: 9, totalTokens: 49, cost: 0.125 },
    })
  })

  it('is refused when it is made to forget the reasoning', async () => {
    await using server = await startOpenRouter({ respond })
    const result = generateText({
      ...settingsFor(server.url),
      prepareStep: ({ messages }) => ({
        messages: messages.map((message) => {
          if (message.role !== 'assistant' || typeof message.content === 'string') return message
          return {
            role: 'assistant',
            content: message.content.map((part) => ({ ...part, providerOptions: undefined })),
          }
        }),
      }),
    })
    await expect(result).rejects.toSatisfy((error) => APICallError.isInstance(error) && error.statusCode === 400)
    await expect(result).rejects.toThrow('reasoning_details: missing')
  })

  it('surfaces an error', async () => {
    await using server = await startOpenRouter({ respond: [{ status: 402, error: { message: 'No credits' } }] })
    const result = generateText(settingsFor(server.url))
    await expect(result).rejects.toSatisfy((error) => APICallError.isInstance(error) && error.statusCode === 402)
    await expect(result).rejects.toThrow('No credits')
  })

  it('aborts while streaming', async () => {
    await using server = await startOpenRouter({ respond: [endless] })
    const controller = new AbortController()
    const { stream } = streamText({ ...settingsFor(server.url), abortSignal: controller.signal })
    const types: string[] = []
    for await (const part of stream) {
      types.push(part.type)
      if (part.type === 'text-delta') controller.abort()
    }
    expect(types).toContain('text-delta')
    expect(types.at(-1)).toBe('abort')
    expect(await server.requests[0]!.closed).toBe('aborted')
  })
})
