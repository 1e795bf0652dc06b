/** OTLP/HTTP JSON and JSON Lines, out and in. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { OpenTelemetry } from '@ai-sdk/otel'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { generateText, isStepCount, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  exportJsonl,
  exportOtlp,
  importJsonl,
  importOtlp,
  openTraces,
  type SpanData,
  startReceiver,
  TraceError,
} from '../src/index.ts'
import { show } from '../src/terminal/index.ts'
import { hex, made, run } from './made.ts'
import { temporary } from './temporary.ts'

/** Its enum is in a package that we do not use. */
type Compression = NonNullable<NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>['compression']>

const folder = temporary()
let count = 0
const store = (...spans: SpanData[]) => {
  const traces = openTraces(join(folder, `${++count}.db`), { create: true })
  traces.add(spans)
  return traces
}
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
async function receiver() {
  const traces = store()
  let requests = 0
  const counting: typeof traces.add = (spans) => {
    requests += 1
    return traces.add(spans)
  }
  const { url, close } = await startReceiver({ add: counting }, { port: 0 })
  closing.push(close)
  return { traces, url, requests: () => requests }
}
const post = (url: string, body: BodyInit, headers: object = {}) =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })

/** As a page does whose name was turned to this address. */
async function named(url: string, host: string): Promise<Response> {
  const headers = { host, 'content-type': 'application/json' }
  return await new Promise((resolve, reject) => {
    request(url, { method: 'POST', headers }, async (answer) => {
      let body = ''
      for await (const piece of answer) body += piece
      resolve(new Response(body, { status: answer.statusCode ?? 0 }))
    })
      .on('error', reject)
      .end('{}')
  })
}

/** Everything that a span can have. */
const rich = made('rich', {
  ms: 5,
  kind: 'producer',
  status: 'error',
  message: 'no',
  parentSpanId: hex('above', 16),
  attributes: {
    text: 'ä\u0000\u202e<script>',
    whole: -3,
    part: 0.5,
    yes: true,
    list: ['a', 1, [false]],
    map: { a: { b: null } },
    'gen_ai.input.messages': 'x'.repeat(5000),
  },
  events: [{ name: 'e', time: '1763640000000000001', attributes: { long: 'y'.repeat(3000) } }],
  links: [{ traceId: hex('l', 32), spanId: hex('m', 16), attributes: { n: 1 } }],
  origin: { resource: { 'service.name': 's', list: [1] }, scope: { name: 'lib', version: '2', attributes: { a: 1 } } },
})

describe('JSON Lines', () => {
  it('a store that was written and read again is the same, also with spans that go on', async () => {
    const from = store(rich, ...run('b'), made('open', { trace: 'c' }))
    const lines = [...exportJsonl(from)]
    expect(lines).toHaveLength(3)
    const to = store()
    expect(await importJsonl(to, lines.join('').split('\n'))).toEqual({ spans: 6, rejected: 0, reasons: [] })
    for (const id of from.traceIds()) expect(to.whole(id)).toEqual(from.whole(id))
    expect([...exportJsonl(to)]).toEqual(lines)
    // Once more: nothing is new, but for what goes on.
    expect((await importJsonl(to, lines)).spans).toBe(1)
  })

  it('begins where it is told, and names the line that is none', async () => {
    const from = store(...run('a'), ...run('b', 86_400_000))
    expect([...exportJsonl(from, { since: Date.parse('2026-11-21') })]).toHaveLength(1)
    await expect(importJsonl(store(), ['', '{}', '{"a":'])).rejects.toThrow(/^Line 3: This is no JSON/)
  })
})

describe('OTLP/HTTP', () => {
  it.each(['none', 'gzip'] as unknown as Compression[])(
    'spans that the official exporter sends arrive with their parents (%s)',
    async (compression) => {
      const { traces, url } = await receiver()
      const processor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url, compression }) })
      const provider = new TracerProvider({ spanProcessors: [processor] })
      const tracer = provider.getTracer('lib', '1')
      const root = tracer.startSpan('invoke_agent a', { attributes: { 'gen_ai.operation.name': 'invoke_agent' } })
      const chat = tracer.startSpan(
        'chat m',
        { kind: SpanKind.CLIENT, attributes: { 'gen_ai.usage.input_tokens': 7, part: 0.5, list: ['x'] } },
        trace.setSpan(ROOT_CONTEXT, root),
      )
      chat.addEvent('e', { n: 1 }).setStatus({ code: SpanStatusCode.ERROR, message: 'no' }).end()
      root.end()
      await provider.forceFlush()
      await provider.shutdown()
      expect(traces.trace(root.spanContext().traceId)).toMatchObject([
        { spanId: root.spanContext().spanId, kind: 'internal', state: 'ended' },
        {
          parentSpanId: root.spanContext().spanId,
          kind: 'client',
          status: 'error',
          message: 'no',
          attributes: { 'gen_ai.usage.input_tokens': 7, part: 0.5, list: ['x'] },
          events: [{ name: 'e', attributes: { n: 1 } }],
          origin: { scope: { name: 'lib', version: '1' } },
        },
      ])
      expect(traces.runs()).toHaveLength(1)
    },
  )

  it('a store that is sent to another is the same there, but for what goes on', async () => {
    const { traces, url, requests } = await receiver()
    const large = Array.from({ length: 6 }, (_, at) =>
      made(`l${at}`, { trace: 'l', at, ms: 1, attributes: { text: 'x'.repeat(900_000) } }),
    )
    const from = store(rich, ...run('b'), ...large, made('open', { trace: 'c' }))
    expect(await exportOtlp(from, { url })).toEqual({ spans: 11 })
    // In requests that backends take: here six spans have 900,000 characters each.
    expect(requests()).toBe(3)
    // By their last spans.
    expect(traces.traceIds()).toEqual(['a', 'l', 'b'].map((name) => hex(name, 32)))
    for (const id of traces.traceIds()) expect(traces.whole(id)).toEqual(from.whole(id))
    expect(await exportOtlp(from, { url, since: Date.now() + 86_400_000 * 365 })).toEqual({ spans: 0 })
  })

  it('sends the headers that it was given, and tells what the other side answered', async () => {
    const seen: (string | undefined)[] = []
    const server = createServer((asked, response) => {
      seen.push(asked.headers.authorization)
      asked.resume().on('end', () => response.writeHead(401).end('who are you?'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`
    const sent = exportOtlp(store(rich), { url, headers: { authorization: 'key' } })
    await expect(sent).rejects.toThrow(/answered 401 \(who are you\?\); 0 spans were sent before/)
    expect(seen).toEqual(['key'])
    await closing.pop()?.()
    await expect(exportOtlp(store(rich), { url })).rejects.toThrow(/was not reached/)
  })

  it('what cannot be kept is told, and the rest is kept', async () => {
    const { traces, url } = await receiver()
    const good = {
      traceId: 'A'.repeat(32),
      spanId: 'B'.repeat(16),
      name: 'good',
      startTimeUnixNano: 1_700_000_000_000_000_000,
    }
    const spans = [
      {
        ...good,
        endTimeUnixNano: '1700000000000000005',
        kind: 'SPAN_KIND_CLIENT',
        status: { code: 'STATUS_CODE_ERROR' },
        unknown: 1,
      },
      { ...good, traceId: 'x' },
      { ...good, spanId: '0'.repeat(16) },
      { ...good, startTimeUnixNano: '99999999999999999999' },
      7,
    ]
    const response = await post(url, JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }, null] }))
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      partialSuccess: {
        rejectedSpans: '3',
        errorMessage: expect.stringMatching(/traceId is "x", not 32.*spanId.*startTime/),
      },
    })
    expect(traces.whole('a'.repeat(32))).toMatchObject([
      { kind: 'client', status: 'error', end: '1700000000000000005' },
    ])
  })

  it('reads values of every kind, however deep, and integers that JavaScript cannot hold', () => {
    const traces = store()
    const values = {
      big: { intValue: '9007199254740993' },
      small: { intValue: 5 },
      none: {},
      nan: { doubleValue: 'NaN' },
      bytes: { bytesValue: 'AAE=' },
      list: { arrayValue: {} },
      map: { kvlistValue: { values: [{ key: 'k', value: { boolValue: false } }, {}] } },
    }
    let deep: object = { stringValue: 'x' }
    for (let at = 0; at < 500; at += 1) deep = { arrayValue: { values: [deep] } }
    const attributes = Object.entries({ ...values, deep }).map(([key, value]) => ({ key, value }))
    const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), startTimeUnixNano: '1', attributes }
    expect(importOtlp(traces, { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }).spans).toBe(1)
    const { deep: found, ...rest } = traces.whole('a'.repeat(32))[0]?.attributes ?? {}
    expect(rest).toEqual({
      big: '9007199254740993',
      small: 5,
      none: null,
      nan: 'NaN',
      bytes: 'AAE=',
      list: [],
      map: { k: false },
    })
    expect(JSON.stringify(found).length).toBeLessThan(100)
    expect(() => importOtlp(traces, '[]')).toThrow(TraceError)
    expect(importOtlp(traces, '{}').spans).toBe(0)
  })

  it.each([
    ['another path', (url: string) => post(url.replace('traces', 'logs'), '{}'), 404],
    ['another method', (url: string) => fetch(url), 405],
    ['protobuf', (url: string) => post(url, 'x', { 'content-type': 'application/x-protobuf' }), 415],
    ['another packing', (url: string) => post(url, 'x', { 'content-encoding': 'br' }), 415],
    ['a page in a browser', (url: string) => post(url, '{}', { origin: 'http://evil.example' }), 403],
    ['another name for this computer', (url: string) => named(url, 'evil.example'), 403],
    ['no JSON', (url: string) => post(url, '{'), 400],
    ['no OTLP', (url: string) => post(url, '{"a":1}'), 400],
    ['no gzip', (url: string) => post(url, '{}', { 'content-encoding': 'gzip' }), 400],
    ['a bomb', (url: string) => post(url, gzipSync(Buffer.alloc(70 * 2 ** 20)), { 'content-encoding': 'gzip' }), 413],
  ])('refuses %s', async (_, send, status) => {
    const { traces, url } = await receiver()
    const response = await send(url)
    expect(response.status).toBe(status)
    expect((await response.json()) as object).toEqual({ message: expect.any(String) })
    expect(traces.runs()).toEqual([])
  })

  it('a store that fails is no fault of the sender, who may send again', async () => {
    const { traces, url } = await receiver()
    traces.close()
    expect((await post(url, '{}')).status).toBe(503)
  })
})

describe('another framework', () => {
  it('a run of the AI SDK is imported and shown', async () => {
    const { traces, url } = await receiver()
    const provider = new TracerProvider({
      spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) })],
    })
    const usage = {
      inputTokens: { total: 20, noCache: 20, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 5, text: 5, reasoning: 0 },
    }
    let turn = 0
    const model = new MockLanguageModelV4({
      modelId: 'mock-7b',
      doGenerate: async () => {
        turn += 1
        return turn === 1
          ? {
              content: [{ type: 'tool-call', toolCallId: 'c1', toolName: 'weather', input: '{"city":"Oslo"}' }],
              finishReason: { unified: 'tool-calls', raw: undefined },
              usage,
              warnings: [],
            }
          : {
              content: [{ type: 'text', text: 'Go for a walk.' }],
              finishReason: { unified: 'stop', raw: undefined },
              usage,
              warnings: [],
            }
      },
    })
    await generateText({
      model,
      prompt: 'Oslo?',
      stopWhen: isStepCount(3),
      tools: {
        weather: tool({ inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => `Sunny in ${city}` }),
      },
      telemetry: {
        isEnabled: true,
        functionId: 'guide',
        integrations: [new OpenTelemetry({ tracer: provider.getTracer('ai') })],
      },
    })
    await provider.forceFlush()
    await provider.shutdown()
    const [row, ...more] = traces.runs()
    expect(more).toEqual([])
    expect(row).toMatchObject({
      status: 'done',
      agent: 'guide',
      models: ['mock-7b'],
      tokens: { input: 40, output: 10 },
      modelCalls: 2,
      toolCalls: 1,
    })
    expect(traces.totals({ by: 'model' })).toMatchObject([{ key: 'mock-7b', calls: 2, tokens: { input: 40 } }])
    let shown = ''
    const terminal = {
      out: (text: string) => (shown += text),
      isColoured: false,
      columns: 120,
      signal: new AbortController().signal,
    }
    expect(await show(['last', '--content', '--file', traces.path], terminal)).toBe(0)
    expect(shown).toContain('execute_tool weather')
    expect(shown).toContain('20 → 5')
    expect(shown).toContain('Go for a walk.')
  })
})
