/** A run as spans: which there are, below which, and what stands on them. */
import { Agent, fatal, type Model, memorySession, noUsage, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { openrouter } from '@clew/openrouter'
import { startOpenRouter } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { trace } from '../src/index.ts'
import { exported } from './exported.ts'

const weather = tool({
  name: 'weather',
  description: 'The weather in a city, now.',
  input: z.object({ city: z.string() }),
  effect: 'pure',
  execute: ({ city }) => `${city}: sunny`,
})
const asks = (...cities: string[]) => ({ calls: cities.map((city) => ({ name: 'weather', arguments: { city } })) })

describe('trace', () => {
  it('P132: one run is one trace, chat and execute_tool stand under invoke_agent, and metadata on each', async () => {
    const { tracerProvider, spans, tree } = exported()
    const attributes = ({ user }: { user: string }) => ({ 'user.id': user, stage: 'test' })
    const agent = new Agent<{ user: string }>({
      name: 'guide',
      model: { ...scriptedModel([asks('Oslo', 'Rome'), 'Sunny.']), id: 'm/x' },
      tools: [weather],
      use: [trace({ tracerProvider, attributes })],
    })
    await agent.run('Where?', { context: { user: 'ada' } })
    expect(tree()).toBe(
      ['invoke_agent guide', '  chat m/x', '  execute_tool weather', '  execute_tool weather', '  chat m/x'].join('\n'),
    )
    expect(new Set(spans().map((span) => span.spanContext().traceId)).size).toBe(1)
    for (const span of spans()) expect(span.attributes).toMatchObject({ 'user.id': 'ada', stage: 'test' })
  })

  it('P133: model, provider and tokens are those of the answer', async () => {
    const { tracerProvider, one } = exported()
    const usage = {
      prompt_tokens: 120,
      completion_tokens: 30,
      total_tokens: 150,
      cost: 0.002,
      prompt_tokens_details: { cached_tokens: 100 },
      completion_tokens_details: { reasoning_tokens: 12 },
    }
    await using server = await startOpenRouter({ respond: [{ text: 'Hi.', provider: 'SomeHost', usage }] })
    const model = openrouter('m/asked', { baseURL: server.url, apiKey: 'k' })
    await new Agent({ name: 'a', model, use: [trace({ tracerProvider })] }).run('Hi')
    const { attributes } = one('chat m/asked')
    expect(attributes).toMatchObject({
      'gen_ai.provider.name': 'openrouter',
      'gen_ai.request.model': 'm/asked',
      'gen_ai.response.model': 'm/asked',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 120,
      'gen_ai.usage.output_tokens': 30,
      'gen_ai.usage.cache_read.input_tokens': 100,
      'gen_ai.usage.reasoning.output_tokens': 12,
      'clew.upstream.provider': 'SomeHost',
      'clew.cost.usd': 0.002,
      'clew.retries': 0,
    })
    expect(attributes['gen_ai.response.id']).toMatch(/^gen-/)
    expect(attributes['clew.generation.id']).toBe(attributes['gen_ai.response.id'])
  })

  it('tells usage on the span of the model call, and its sum on the agent under another name', async () => {
    const { tracerProvider, spans, one } = exported()
    const model = scriptedModel([
      { ...asks('Oslo'), usage: { usd: 0.25 } },
      { text: 'Sunny.', usage: { usd: 0.5 } },
    ])
    await new Agent({ name: 'guide', model, tools: [weather], use: [trace({ tracerProvider })] }).run('Where?')
    const counted = spans().filter((span) => 'gen_ai.usage.input_tokens' in span.attributes)
    expect(counted.map(({ name }) => name)).toEqual(['chat scripted', 'chat scripted'])
    expect(one('invoke_agent guide').attributes).toMatchObject({
      'clew.usage.requests': 2,
      'clew.usage.input_tokens': 20,
      'clew.usage.output_tokens': 10,
      'clew.usage.cost.usd': 0.75,
      'clew.turns': 2,
      'clew.status': 'done',
      'gen_ai.provider.name': 'unknown',
      'gen_ai.request.model': 'scripted',
    })
  })

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('no such city')
      },
      'TypeError',
    ],
    [
      'returns an error of its stream',
      async function* () {
        yield 'half'
        throw new RangeError('no')
      },
      'RangeError',
    ],
    [
      'throws no error',
      () => {
        throw 'no'
      },
      'string',
    ],
  ])('P136: a tool that %s has a span with its end and its error', async (_, execute, type) => {
    const { tracerProvider, one } = exported()
    const failing = tool({ name: 'failing', execute })
    const model = scriptedModel([{ calls: [{ name: 'failing' }] }, 'Sorry.'])
    await new Agent({ name: 'a', model, tools: [failing], use: [trace({ tracerProvider })] }).run('go')
    const span = one('execute_tool failing')
    expect(span.ended).toBe(true)
    expect(span.attributes['error.type']).toBe(type)
    expect(span.status).toEqual({ code: 2 })
  })

  it('P136: a tool that ends the run ends its span, and the run tells the error', async () => {
    const { tracerProvider, one } = exported()
    const ending = tool({
      name: 'ending',
      execute: () => {
        throw fatal('enough')
      },
    })
    const model = scriptedModel([{ calls: [{ name: 'ending' }] }])
    const run = new Agent({ name: 'a', model, tools: [ending], use: [trace({ tracerProvider })] }).run('go')
    await expect(run.result()).rejects.toThrow('enough')
    expect(one('execute_tool ending').attributes['error.type']).toBe('FatalError')
    expect(one('invoke_agent a').attributes).toMatchObject({ 'clew.status': 'failed', 'error.type': 'FatalError' })
  })

  it('shows a call that never ran, with what kept it from running', async () => {
    const { tracerProvider, one } = exported()
    const model = scriptedModel([{ calls: [{ name: 'weather', arguments: { city: 7 } }] }, 'Sorry.'])
    await new Agent({ name: 'a', model, tools: [weather], use: [trace({ tracerProvider })] }).run('go')
    expect(one('execute_tool weather').attributes['error.type']).toBe('not_run')
  })

  it('ends every span of a run that is left in the middle, as aborted', async () => {
    const { tracerProvider, spans, tree } = exported()
    const controller = new AbortController()
    const hanging = tool({
      name: 'hanging',
      execute: (_, { signal }) => {
        setImmediate(() => controller.abort())
        return new Promise((_, reject) => signal.addEventListener('abort', reject))
      },
    })
    const model = scriptedModel([{ calls: [{ name: 'hanging' }] }])
    const { signal } = controller
    const run = new Agent({ name: 'a', model, tools: [hanging], use: [trace({ tracerProvider })] }).run('go', {
      signal,
    })
    await expect(run.result()).rejects.toThrow('aborted')
    expect(tree()).toBe('invoke_agent a\n  chat scripted\n  execute_tool hanging')
    expect(spans().find(({ name }) => name === 'invoke_agent a')?.attributes['clew.status']).toBe('aborted')
  })

  it('breaking out of the stream while the model answers ends the spans', async () => {
    const { tracerProvider, tree, one } = exported()
    const model = scriptedModel([{ text: 'one two three', chunks: 3 }])
    for await (const event of new Agent({ name: 'a', model, use: [trace({ tracerProvider })] }).run('go')) {
      if (event.type === 'text-delta') break
    }
    expect(tree()).toBe('invoke_agent a\n  chat scripted')
    expect(one('chat scripted').attributes['clew.aborted']).toBe(true)
    expect(one('invoke_agent a').attributes['clew.status']).toBe('aborted')
  })

  it('tells why a run was stopped and what was left of its budget', async () => {
    const { tracerProvider, one, named } = exported()
    const model = scriptedModel([asks('Oslo'), asks('Rome'), 'Enough.'])
    const limits = { turns: 2, tokens: 100, usd: 1, ms: 60_000 }
    await new Agent({ name: 'a', model, tools: [weather], limits, use: [trace({ tracerProvider })] }).run('go')
    expect(one('invoke_agent a').attributes).toMatchObject({
      'clew.status': 'stopped',
      'clew.stop': 'turns',
      'clew.budget.left.tokens': 55,
      'clew.budget.left.usd': 1,
      'clew.budget.left.ms': expect.any(Number),
    })
    expect(named('chat scripted').map((span) => span.attributes['clew.budget.left.tokens'])).toEqual([85, 70, 55])
  })

  it('counts retries, and restarts of an answer that was shown in part', async () => {
    const { tracerProvider, one } = exported()
    const usage = (usd: number) => ({ ...noUsage, requests: 1, inputTokens: 3, usd })
    const model: Model = {
      id: 'm/x',
      async *generate() {
        yield [{ type: 'model-restart', reason: 'busy' }]
        yield [{ type: 'model-restart', reason: 'busy', usage: usage(0.25) }]
        yield [{ type: 'text-delta', text: 'Ha' }]
        yield [{ type: 'model-restart', reason: 'cut', usage: usage(0.5) }]
        yield [{ type: 'text-delta', text: 'Hello.' }]
        return { content: 'Hello.', finishReason: 'stop', usage: usage(1), source: { model: 'm/x' } }
      },
    }
    await new Agent({ name: 'a', model, use: [trace({ tracerProvider })] }).run('Hi')
    expect(one('chat m/x').attributes).toMatchObject({
      'clew.retries': 2,
      'clew.restarts': 1,
      'clew.cost.usd': 1,
      'clew.lost.cost.usd': 0.75,
      'gen_ai.usage.input_tokens': 3,
    })
    expect(one('chat m/x').events.map(({ name }) => name)).toEqual(['clew.retry', 'clew.retry', 'clew.restart'])
    expect(one('invoke_agent a').attributes).toMatchObject({
      'clew.usage.cost.usd': 1.75,
      'clew.usage.input_tokens': 9,
    })
  })

  it('names the conversation of a session the same in all its runs, and each run by its own id', async () => {
    const { tracerProvider, named } = exported()
    const agent = new Agent({ name: 'a', model: scriptedModel(['one', 'two']), use: [trace({ tracerProvider })] })
    const session = memorySession()
    const first = await agent.run('1', { session })
    const second = await agent.run('2', { session })
    const spans = named('invoke_agent a').map(({ attributes }) => attributes)
    expect(spans.map((each) => each['gen_ai.conversation.id'])).toEqual([first.state.id, first.state.id])
    expect(spans.map((each) => each['clew.run.id'])).toEqual([first.state.id, second.state.id])
  })
})
