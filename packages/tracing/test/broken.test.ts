/** A broken exporter, processor, tracer, meter or context manager harms no run. */
import { Agent, type RunEvent, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { context, type TracerProvider as ITracerProvider, type MeterProvider } from '@opentelemetry/api'
import {
  BatchSpanProcessor,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { afterEach, describe, expect, it } from 'vitest'
import { type TraceOptions, trace } from '../src/index.ts'
import { exported, treeOf } from './exported.ts'

const no = () => {
  throw new Error('broken')
}

/** A run with all that tracing touches: parallel tools, a sub-agent, a tool that fails. */
async function result(options?: TraceOptions) {
  const use = options ? [trace(options)] : []
  const look = tool({ name: 'look', execute: async () => 'seen' })
  const failing = tool({ name: 'failing', execute: no })
  const helper = new Agent({
    name: 'helper',
    model: scriptedModel([{ calls: [{ name: 'look' }] }, 'helped']),
    tools: [look],
    use,
  })
  const calls = [{ name: 'look' }, { name: 'failing' }, { name: 'helper', arguments: { task: 'help' } }]
  const model = scriptedModel([
    { text: 'first', calls, chunks: 3 },
    { text: 'done', chunks: 2 },
  ])
  const agent = new Agent({ name: 'desk', model, tools: [look, failing, helper.asTool()], use })
  const run = agent.run('go')
  const types: RunEvent['type'][] = []
  for await (const { type } of run) types.push(type)
  const { status, text, usage, state } = await run
  return {
    status,
    text,
    usage,
    types: types.toSorted(),
    messages: state.messages.map(({ role, content }) => [role, content]),
  }
}

const exporting = (exporter: SpanExporter, batch = false) => {
  const processor = batch
    ? new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1 })
    : new SimpleSpanProcessor({ exporter })
  return new TracerProvider({ spanProcessors: [processor] })
}
const processing = (processor: Partial<SpanProcessor>) =>
  new TracerProvider({
    spanProcessors: [{ onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {}, ...processor }],
  })
const never = new Promise<void>(() => {})
const exporter = (parts: Partial<SpanExporter>): SpanExporter => ({
  export: (_, done) => done({ code: 0 }),
  shutdown: async () => {},
  ...parts,
})
const tracing = (startSpan: () => unknown) =>
  ({ getTracer: () => ({ startSpan, startActiveSpan: no }) }) as unknown as ITracerProvider
/** A span whose every method throws. */
const brokenSpan = new Proxy({}, { get: () => no })
const metering = (meter: unknown) => ({ getMeter: () => meter }) as MeterProvider

describe('P134: the run comes to the same', () => {
  afterEach(() => context.disable())

  it.each<[string, () => TraceOptions]>([
    ['an exporter that throws', () => ({ tracerProvider: exporting(exporter({ export: no })) })],
    ['an exporter that throws in batches', () => ({ tracerProvider: exporting(exporter({ export: no }), true) })],
    [
      'an exporter that fails',
      () => ({
        tracerProvider: exporting(exporter({ export: (_, done) => done({ code: 1, error: new Error('no') }) })),
      }),
    ],
    [
      'an exporter that never answers',
      () => ({
        tracerProvider: exporting(exporter({ export: () => {}, forceFlush: () => never, shutdown: () => never })),
      }),
    ],
    [
      'an exporter that answers late',
      () => ({
        tracerProvider: exporting(exporter({ export: (_, done) => void setImmediate(() => done({ code: 0 })) })),
      }),
    ],
    ['a processor that throws at the start', () => ({ tracerProvider: processing({ onStart: no }) })],
    ['a processor that throws at the end', () => ({ tracerProvider: processing({ onEnd: no }) })],
    ['a processor that throws before the end', () => ({ tracerProvider: processing({ onEnding: no }) })],
    ['a provider that throws', () => ({ tracerProvider: { getTracer: no } })],
    ['a tracer that throws', () => ({ tracerProvider: tracing(no) })],
    ['a tracer that gives nothing', () => ({ tracerProvider: tracing(() => undefined) })],
    ['spans that throw', () => ({ tracerProvider: tracing(() => brokenSpan) })],
    ['a meter provider that throws', () => ({ meterProvider: { getMeter: no } })],
    ['a meter that throws', () => ({ meterProvider: metering({ createHistogram: no }) })],
    ['instruments that throw', () => ({ meterProvider: metering({ createHistogram: () => ({ record: no }) }) })],
    ['attributes that throw', () => ({ ...exported(), attributes: no })],
    ['redaction that throws', () => ({ ...exported(), content: { redact: no } })],
  ])('with %s', async (_, options) => {
    const { tracerProvider, meterProvider, attributes, content } = options()
    const given = Object.entries({ tracerProvider, meterProvider, attributes, content }).filter(
      ([, value]) => value !== undefined,
    )
    expect(await result(Object.fromEntries(given))).toEqual(await result())
  })

  it('with a context manager that throws', async () => {
    const broken = { active: no, with: no, bind: no, enable: no, disable: () => broken }
    context.setGlobalContextManager(broken as never)
    const spans: ReadableSpan[] = []
    const tracerProvider = processing({ onEnd: (span) => void spans.push(span) })
    expect(await result({ tracerProvider })).toEqual(await result())
    expect(treeOf(spans)).toContain('    invoke_agent helper\n')
  })

  it('P134: after an export that threw the next batch is sent', async () => {
    const sent: string[] = []
    let batches = 0
    const flaky = exporter({
      export(spans: ReadableSpan[], done) {
        batches += 1
        if (batches === 1) throw new Error('broken once')
        sent.push(...spans.map(({ name }) => name))
        done({ code: 0 })
      },
    })
    const tracerProvider = exporting(flaky)
    const expected = await result()
    expect(await result({ tracerProvider })).toEqual(expected)
    await tracerProvider.forceFlush()
    expect(sent.at(-1)).toBe('invoke_agent desk')
    sent.length = 0
    expect(await result({ tracerProvider })).toEqual(expected)
    await tracerProvider.forceFlush()
    expect(sent).toHaveLength(10)
  })
})
