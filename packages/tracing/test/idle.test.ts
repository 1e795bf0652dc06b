/** Where nobody listens, nothing is built; and whose SDK comes late is heard from then on. */
import { Agent, type AgentOptions, emptyState, type Middleware, type Model, type ToolRequest, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { metrics, trace as otel } from '@opentelemetry/api'
import { AlwaysOffSampler, InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, describe, expect, it } from 'vitest'
import { trace, traceMeta } from '../src/index.ts'
import { exported, measured } from './exported.ts'

const look = tool({ name: 'look', execute: () => 'seen' })
const make = (use: Middleware[], more: Partial<AgentOptions> = {}) =>
  new Agent({ name: 'a', model: scriptedModel([{ calls: [{ name: 'look' }] }, 'ok']), tools: [look], use, ...more })

describe('without an SDK', () => {
  afterEach(() => {
    otel.disable()
    metrics.disable()
  })

  it('a layer gives what it was given: no text is redacted, no generator stands between', async () => {
    let redacted = 0
    const redact = (text: string) => {
      redacted += 1
      return text
    }
    const layer = trace({ content: { redact } })
    const source = (async function* () {})() as never
    expect(
      layer.model!({ messages: [], tools: [], signal: new AbortController().signal, runId: 'none' }, () => source),
    ).toBe(source)
    const place = { runId: 'r', path: ['a'], context: undefined, isResumed: false, left: () => ({}), keep: () => {} }
    expect(layer.run!(emptyState(), () => source, place)).toBe(source)
    const { state } = await make([layer]).run('go')
    expect(redacted).toBe(0)
    expect(state.kept).toBeUndefined()
  })

  it('the global SDK is used from the run on before which it was set up', async () => {
    const { tracerProvider, spans } = exported()
    const { meterProvider, points, close } = measured()
    const layer = trace()
    await make([layer]).run('go')
    otel.setGlobalTracerProvider(tracerProvider)
    metrics.setGlobalMeterProvider(meterProvider)
    await make([layer]).run('go')
    expect(spans()).toHaveLength(4)
    expect(await points()).not.toEqual([])
    await close()
  })
})

describe('a run that is over', () => {
  it('is forgotten: a call of it that comes late is nobody’s', async () => {
    const { tracerProvider, spans } = exported()
    const layer = trace({ tracerProvider })
    const { state } = await make([layer]).run('go')
    const source = (async function* () {})() as never
    const late = {
      tool: look,
      call: { id: 'c', name: 'look' },
      execution: { runId: state.id },
    } as unknown as ToolRequest
    expect(layer.tool!(late, () => source)).toBe(source)
    expect(spans()).toHaveLength(4)
  })
})

describe('a layer around the model that leaves an answer', () => {
  it('leaves it to the end of what it wraps', async () => {
    const { tracerProvider } = exported()
    let closed = false
    const scripted = scriptedModel(['never'])
    const model: Model = {
      id: 'm',
      async *generate() {
        try {
          yield [{ type: 'text-delta', text: 'a' }]
          yield [{ type: 'text-delta', text: 'b' }]
          throw new Error('not left')
        } finally {
          closed = true
        }
      },
    }
    const leaving: Middleware = {
      name: 'leaving',
      async *model(request, next) {
        const answer = next(request)
        await answer.next()
        await answer.return(undefined as never)
        expect(closed).toBe(true)
        return yield* scripted.generate(request)
      },
    }
    const result = await new Agent({ name: 'a', model, use: [leaving, trace({ tracerProvider })] }).run('go')
    expect(result.text).toBe('never')
  })
})

describe('a run that is not sampled', () => {
  it('is not written, and says so to other processes', async () => {
    const exporter = new InMemorySpanExporter()
    const tracerProvider = new TracerProvider({
      sampler: new AlwaysOffSampler(),
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
    })
    let redacted = 0
    const redact = (text: string) => {
      redacted += 1
      return text
    }
    let meta: object = {}
    const asking = tool({
      name: 'look',
      execute: (_, execution) => {
        meta = traceMeta(execution)
      },
    })
    await make([trace({ tracerProvider, content: { redact } })], { tools: [asking] }).run('go')
    expect(exporter.getFinishedSpans()).toEqual([])
    expect(meta).toEqual({ traceparent: expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-00$/) })
    expect(redacted).toBe(0)
  })
})

describe('the cache of the provider', () => {
  it.each<[string, Middleware['model'], string | undefined]>([
    ['nothing', undefined, undefined],
    [
      'the instructions',
      (request, next) => next({ ...request, instructions: `now ${request.messages.length}` }),
      'instructions',
    ],
    [
      'a tool',
      (request, next) => next({ ...request, tools: request.tools.slice(request.messages.length > 1 ? 1 : 0) }),
      'tools',
    ],
    [
      'the first message',
      (request, next) =>
        next({
          ...request,
          messages: [{ role: 'user', content: `${request.messages.length}` }, ...request.messages.slice(1)],
        }),
      'messages',
    ],
    [
      'a copy of the messages',
      (request, next) => next({ ...request, messages: structuredClone(request.messages) as never }),
      undefined,
    ],
  ])('is told broken where %s changed between requests', async (_, model, expected) => {
    const { tracerProvider, named } = exported()
    const changing: Middleware = { name: 'changing', ...(model && { model }) }
    await make([changing, trace({ tracerProvider })]).run('go')
    expect(named('chat scripted').map(({ attributes }) => attributes['clew.cache_prefix.break'])).toEqual([
      undefined,
      expected,
    ])
  })
})
