/** A run as spans: which there are, below which, and what stands on them. */
import {
  Agent,
  fatal,
  type Middleware,
  type Model,
  ModelError,
  memorySession,
  noUsage,
  type RunEvent,
  tool,
} from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { openrouter } from '@clew/openrouter'
import { startOpenRouter } from '@clew/testing'
import { TracerProvider } from '@opentelemetry/sdk-trace'
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
        yield [{ type: 'model-restart', reason: 'busy' }]
        return { content: 'Hello.', finishReason: 'stop', usage: usage(1), source: { model: 'm/x' } }
      },
    }
    await new Agent({ name: 'a', model, use: [trace({ tracerProvider })] }).run('Hi')
    expect(one('chat m/x').attributes).toMatchObject({
      'clew.retries': 3,
      'clew.restarts': 1,
      'clew.cost.usd': 1,
      'clew.lost.cost.usd': 0.75,
      'gen_ai.usage.input_tokens': 3,
    })
    // What was shown of it was void: the answer itself came in one piece.
    expect(one('chat m/x').attributes['gen_ai.request.stream']).toBeUndefined()
    const names = one('chat m/x').events.map(({ name }) => name)
    expect(names).toEqual(['clew.retry', 'clew.retry', 'clew.restart', 'clew.retry'])
    expect(one('invoke_agent a').attributes).toMatchObject({
      'clew.usage.cost.usd': 1.75,
      'clew.usage.input_tokens': 9,
    })
  })

  it.each<[string, Error, object]>([
    ['a kind', new ModelError('no', { kind: 'rate-limit', status: 429 }), { 'error.type': 'rate-limit' }],
    ['a status', new ModelError('no', { status: 503 }), { 'error.type': '503' }],
    ['a code of ours', new ModelError('no', { code: 'unreachable' }), { 'error.type': 'unreachable' }],
    ['a number for a code', new ModelError('no', { code: 1302 }), { 'error.type': '1302' }],
    ['words of a server', new ModelError('no', { code: 'said secret' }), { 'error.type': 'ModelError' }],
    ['another class', new RangeError('no'), { 'error.type': 'RangeError' }],
    [
      'a class that cannot be read',
      Object.assign(new Error('no'), { constructor: undefined }),
      { 'error.type': 'Error' },
    ],
    [
      'what it cost and who failed',
      new ModelError('no', {
        status: 502,
        provider: 'SomeHost',
        generationId: 'gen-7',
        usage: { ...noUsage, requests: 1, inputTokens: 7, usd: 0.5 },
      }),
      {
        'error.type': '502',
        'clew.lost.cost.usd': 0.5,
        'clew.upstream.provider': 'SomeHost',
        'clew.generation.id': 'gen-7',
      },
    ],
  ])('tells a failed model call by %s', async (_, error, expected) => {
    const { tracerProvider, one } = exported()
    const run = new Agent({ name: 'a', model: scriptedModel([error]), use: [trace({ tracerProvider })] }).run('go')
    await expect(run.result()).rejects.toThrow()
    expect(one('chat scripted').attributes).toMatchObject(expected)
    expect(one('chat scripted').status).toEqual({ code: 2 })
    const { 'clew.usage.cost.usd': cost, 'error.type': type } = one('invoke_agent a').attributes
    expect([cost, type]).toEqual([
      'clew.lost.cost.usd' in expected ? 0.5 : undefined,
      one('chat scripted').attributes['error.type'],
    ])
  })

  it('ends what is open when a session cannot be written, with the error of the store', async () => {
    class StoreIsFull extends Error {}
    const { tracerProvider, tree, one } = exported()
    const session = memorySession()
    const full: typeof session = {
      ...session,
      id: 's',
      read: () => session.read(),
      close: () => session.close(),
      async append(at, batch) {
        if (batch.events.some(({ type }) => type === 'model-end')) throw new StoreIsFull('no')
        return session.append(at, batch)
      },
    }
    const run = new Agent({ name: 'a', model: scriptedModel(['hi']), use: [trace({ tracerProvider })] }).run('go', {
      session: full,
    })
    await expect(run.result()).rejects.toThrow('could not be written')
    expect(tree()).toBe('invoke_agent a\n  chat scripted')
    for (const name of ['invoke_agent a', 'chat scripted']) {
      expect(one(name).attributes['error.type']).toBe('StoreIsFull')
    }
  })

  it.each<[RunEvent['type'], string[]]>([
    ['text-delta', ['invoke_agent desk', '  chat scripted']],
    ['tool-progress', ['invoke_agent desk', '  chat scripted', '  execute_tool slow']],
    [
      'child',
      [
        'invoke_agent desk',
        '  chat scripted',
        '  execute_tool helper',
        '    invoke_agent helper',
        '      chat scripted',
      ],
    ],
  ])('ends what is open when a layer leaves the run at a %s, as aborted', async (type, lines) => {
    const { tracerProvider, spans, tree } = exported()
    const leaving: Middleware = {
      name: 'leaving',
      async *run(_, next) {
        for await (const events of next()) {
          yield events
          if (events.some((event) => event.type === type && !('event' in event && event.event.type !== 'text-delta')))
            return
        }
      },
    }
    const slow = tool({
      name: 'slow',
      async *execute() {
        yield 'half'
        return 'whole'
      },
    })
    const helper = new Agent({ name: 'helper', model: scriptedModel(['helping']) })
    const called = type === 'child' ? 'helper' : 'slow'
    const text = type === 'text-delta' ? 'hi' : ''
    const model = scriptedModel([{ text, calls: [{ name: called, arguments: { task: 'help' } }] }, 'done'])
    const use = [leaving, trace({ tracerProvider })]
    const run = new Agent({ name: 'desk', model, tools: [slow, helper.asTool()], use }).run('go')
    await expect(run.result()).rejects.toThrow('did not come to its end')
    expect(tree()).toBe(lines.join('\n'))
    for (const { name, attributes } of spans()) {
      const isOver = name === 'chat scripted' && 'gen_ai.response.finish_reasons' in attributes
      if (name.startsWith('invoke')) expect(attributes['clew.status']).toBe('aborted')
      else if (!isOver) expect(attributes['clew.aborted']).toBe(true)
    }
  })

  it('begins a span when the reader lets the run go on: a slow reader is in none', async () => {
    const begun: string[] = []
    const noting = { onStart: ({ name }: { name: string }) => void begun.push(name), onEnd() {} }
    const spanProcessors = [{ ...noting, forceFlush: async () => {}, shutdown: async () => {} }]
    const tracerProvider = new TracerProvider({ spanProcessors })
    const model = scriptedModel([asks('Oslo'), 'Sunny.'])
    const agent = new Agent({ name: 'a', model, tools: [weather], use: [trace({ tracerProvider })] })
    const seen: [string, string | undefined][] = []
    for await (const { type } of agent.run('go')) if (/start$/.test(type)) seen.push([type, begun.at(-1)])
    expect(seen.filter(([type]) => type !== 'tool-input-start')).toEqual([
      ['run-start', 'invoke_agent a'],
      ['turn-start', 'invoke_agent a'],
      ['tool-start', 'chat scripted'],
      ['turn-start', 'execute_tool weather'],
    ])
  })

  it('tells a run that was stopped before it asked anybody', async () => {
    const { tracerProvider, one, tree } = exported()
    const limits = { tokens: 0 }
    await new Agent({ name: 'a', model: scriptedModel([]), limits, use: [trace({ tracerProvider })] }).run('go')
    expect(tree()).toBe('invoke_agent a')
    expect(one('invoke_agent a').attributes).toMatchObject({ 'clew.stop': 'tokens', 'gen_ai.provider.name': 'unknown' })
  })

  it('tells the output that was asked for, and a history that was made shorter', async () => {
    const { tracerProvider, one } = exported()
    const usage = { ...noUsage, requests: 1, inputTokens: 40, usd: 0.125 }
    const shorter: Middleware = {
      name: 'shorter',
      compact: () => ({ upTo: 1, replacement: [{ role: 'user', content: 'short' }], usage }),
    }
    const use = [trace({ tracerProvider }), shorter]
    const output = z.object({ year: z.number() })
    await new Agent({ name: 'a', model: scriptedModel(['{"year":1}']), output, use }).run('go')
    expect(one('chat scripted').attributes['gen_ai.output.type']).toBe('json')
    const { attributes, events } = one('invoke_agent a')
    expect(attributes).toMatchObject({ 'clew.usage.input_tokens': 50, 'clew.usage.cost.usd': 0.125 })
    expect(events).toMatchObject([
      { name: 'clew.compacted', attributes: { 'clew.compacted.messages': 1, 'clew.cost.usd': 0.125 } },
    ])
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
    expect(named('invoke_agent a').map(({ links }) => links)).toEqual([[], []])
  })
})
