/** What is written is found again: runs, traces, totals, changes. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { openTraces, type SpanData, TraceError } from '../src/index.ts'
import { hex, made, run } from './made.ts'
import { temporary } from './temporary.ts'

const folder = temporary()
let count = 0
function store(...spans: SpanData[]) {
  count += 1
  const traces = openTraces(join(folder, `${count}.db`), { create: true })
  traces.add(spans)
  return traces
}
const agent = (name: string, more = {}) => ({
  'gen_ai.operation.name': 'invoke_agent',
  'gen_ai.agent.name': name,
  ...more,
})

describe('runs', () => {
  it('a run is a row with what it cost, how long it took and what went wrong', () => {
    const [row, ...more] = store(...run('a')).runs()
    expect(more).toEqual([])
    expect(row).toEqual({
      traceId: hex('a', 32),
      spanId: hex('ra', 16),
      runId: 'run a',
      name: 'invoke_agent guide',
      status: 'done',
      agent: 'guide',
      models: ['qwen'],
      provider: 'openrouter',
      tokens: { input: 200, output: 60, cached: 0, reasoning: 0 },
      usd: 0.003,
      modelCalls: 2,
      toolCalls: 1,
      errors: 1,
      error: 'No such city',
      service: 'test',
      startMs: Date.parse('2026-11-20T12:00:00Z'),
      ms: 3000,
      cursor: expect.any(String),
    })
  })

  it('what a run says of itself counts, since it knows of tries that no span tells of', () => {
    const [root, ...rest] = run('a') as [SpanData, ...SpanData[]]
    root.attributes = {
      ...root.attributes,
      'clew.usage.input_tokens': 900,
      'clew.usage.output_tokens': 90,
      'clew.usage.cost.usd': 0.5,
      'clew.usage.cache_read.input_tokens': 7,
      'clew.usage.reasoning.output_tokens': 8,
    }
    expect(store(root, ...rest).runs()[0]).toMatchObject({
      tokens: { input: 900, output: 90, cached: 7, reasoning: 8 },
      usd: 0.5,
    })
  })

  it('an agent that works for another is no run, and what stands around agents is none', () => {
    const parentSpanId = (id: string) => ({ parentSpanId: hex(id, 16) })
    const traces = store(
      made('web', { ms: 9, kind: 'server' }),
      made('one', { ...parentSpanId('web'), at: 1, ms: 5, attributes: agent('one') }),
      made('tool', { ...parentSpanId('one'), at: 2, ms: 2 }),
      made('sub', { ...parentSpanId('tool'), at: 3, ms: 1, attributes: agent('sub') }),
      made('two', { ...parentSpanId('web'), at: 7, ms: 1, attributes: agent('two') }),
    )
    expect(traces.runs().map((row) => row.agent)).toEqual(['two', 'one'])
  })

  it('a trace without agents is a run by its root, also when the root came last or never', () => {
    const child = made('child', { parentSpanId: hex('root', 16), at: 1, ms: 1 })
    const traces = store(child)
    expect(traces.runs().map(({ name }) => name)).toEqual(['child'])
    traces.add([made('root', { ms: 5 })])
    expect(traces.runs().map(({ name }) => name)).toEqual(['root'])
  })

  it('spans that stand in a circle are shown, and nothing goes round for ever', () => {
    const traces = store(
      made('x', { parentSpanId: hex('y', 16), ms: 1, attributes: agent('x') }),
      made('y', { parentSpanId: hex('x', 16), ms: 1, attributes: agent('y') }),
      made('z', { parentSpanId: hex('z', 16), ms: 1, trace: 'b', attributes: { 'gen_ai.operation.name': 'chat' } }),
    )
    expect(traces.runs()).toEqual(expect.any(Array))
    for (const by of ['day', 'agent', 'model'] as const) expect(traces.totals({ by })).toEqual(expect.any(Array))
  })

  it('a run that waited and was gone on with says so', () => {
    const waiting = made('one', { ms: 5, attributes: agent('clerk', { 'clew.run.id': 'r', 'clew.status': 'waiting' }) })
    const traces = store(waiting)
    expect(traces.runs().map(({ status }) => status)).toEqual(['waiting'])
    traces.add([
      made('two', {
        trace: 'b',
        at: 9,
        ms: 5,
        attributes: agent('clerk', { 'clew.run.id': 'r', 'clew.status': 'done' }),
      }),
    ])
    expect(traces.runs().map(({ status }) => status)).toEqual(['done', 'resumed'])
    expect(traces.find('r')).toEqual([hex('a', 32), hex('b', 32)])
  })

  it('tells how runs ended: by their own word, by their span, or that nobody is there to end them', () => {
    const traces = store(
      made('stopped', { at: 3, ms: 1, trace: '1', attributes: { 'clew.status': 'stopped', 'clew.stop': 'usd' } }),
      made('failed', { at: 2, ms: 1, trace: '2', status: 'error', message: 'no' }),
      made('plain', { at: 1, ms: 1, trace: '3' }),
      made('open', { trace: '4' }),
    )
    expect(traces.runs().map(({ status, stop, error }) => [status, stop, error])).toEqual([
      ['stopped', 'usd', undefined],
      ['failed', undefined, 'no'],
      ['done', undefined, undefined],
      ['lost', undefined, undefined],
    ])
    expect(traces.runs({ status: 'failed' }).map(({ name }) => name)).toEqual(['failed'])
  })

  it('is asked by agent, model, text and time', () => {
    const traces = store(...run('a'), ...run('b', 60_000, 'clerk', 'gpt'))
    traces.add([
      made('said', {
        trace: 'b',
        parentSpanId: hex('rb', 16),
        at: 60_001,
        ms: 1,
        attributes: { 'gen_ai.input.messages': 'Is 100% of Oslo_x here?' },
      }),
    ])
    const found = (query: object) => traces.runs(query).map(({ traceId }) => traceId)
    const [a, b] = [hex('a', 32), hex('b', 32)]
    expect(found({})).toEqual([b, a])
    expect(found({ agent: 'clerk' })).toEqual([b])
    expect(found({ model: 'qwen' })).toEqual([a])
    expect(found({ text: 'oslo_X' })).toEqual([b])
    expect(found({ text: '100% OF' })).toEqual([b])
    // A sign, not a pattern.
    expect(found({ text: '1%f' })).toEqual([])
    expect(found({ text: 'such city', agent: 'guide' })).toEqual([a])
    expect(found({ since: Date.parse('2026-11-20T12:00:30Z') })).toEqual([b])
  })

  it('goes on behind a cursor, also among runs that began at once', () => {
    const traces = store(...['1', '2', '3', '4', '5'].map((trace) => made('root', { trace, ms: 1 })))
    const pages: string[][] = []
    for (let before: string | undefined; ; ) {
      const page = traces.runs({ limit: 2, ...(before !== undefined && { before }) })
      if (page.length === 0) break
      pages.push(page.map(({ traceId }) => traceId))
      before = page.at(-1)?.cursor
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1])
    expect(new Set(pages.flat()).size).toBe(5)
    expect(() => traces.runs({ before: 'yesterday' })).toThrow(TraceError)
  })
})

describe('traces', () => {
  it('spans come in order and without their content, which is asked for by span', () => {
    const long = 'x'.repeat(5_000_000)
    const messages = '[{"role":"user"}]'
    const event = { name: 'said', time: '5', attributes: { what: 'y'.repeat(2000), short: 1 } }
    const span = made('one', {
      ms: 1,
      attributes: { long, 'gen_ai.input.messages': messages, list: Array.from({ length: 900 }, () => 'z'), n: 1 },
      events: [event],
    })
    const traces = store(made('two', { at: 1, ms: 1, parentSpanId: span.spanId }), span)
    const [first, second] = traces.trace(span.traceId)
    expect([first?.name, second?.name]).toEqual(['one', 'two'])
    expect(first?.attributes).toEqual({ n: 1 })
    expect(first?.events).toEqual([{ ...event, attributes: { short: 1 } }])
    expect(first?.content.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['long', 5_000_000],
      ['gen_ai.input.messages', messages.length],
      ['list', 900 * 4 + 1],
      ['event 0 what', 2000],
    ])
    expect(traces.content(span.traceId, span.spanId)).toMatchObject({ long, 'gen_ai.input.messages': messages })
    expect(traces.whole(span.traceId)[0]).toEqual(span)
  })

  it('is found by its first digits or by the id of its run', () => {
    const traces = store(made('x', { trace: 'abcd', ms: 1 }), ...run('e'))
    expect(traces.find(hex('abcd', 32))).toEqual([hex('abcd', 32)])
    expect(traces.find('FFFFFFFFFFFFFFFFFFFFFFFF6')).toEqual([hex('abcd', 32)])
    expect(traces.find('ffff')).toHaveLength(2)
    expect(traces.find('run e')).toEqual([hex('e', 32)])
    expect(traces.find('fff')).toEqual([])
    expect(traces.find("' OR 1=1")).toEqual([])
  })

  it('a span that has ended stays as it is; one that goes on is brought forward', () => {
    const traces = store(made('one', { name: 'begun' }))
    expect(traces.add([made('one', { name: 'over', ms: 5 })])).toBe(1)
    expect(traces.add([made('one', { name: 'forged', ms: 9 })])).toBe(0)
    expect(traces.trace(hex('a', 32)).map(({ name, ms }) => [name, ms])).toEqual([['over', 5]])
  })

  it('5,000 spans are listed and read fast enough to be looked at', () => {
    const spans = Array.from({ length: 5000 }, (_, at) =>
      made(`s${at}`, {
        at,
        ms: 1,
        ...(at > 0 && { parentSpanId: hex(`s${Math.floor((at - 1) / 8)}`, 16) }),
        attributes: at % 2 ? { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.input_tokens': 1 } : agent('a'),
      }),
    )
    const traces = store(...spans)
    const began = performance.now()
    expect(traces.runs()[0]?.tokens.input).toBe(2500)
    expect(traces.trace(hex('a', 32))).toHaveLength(5000)
    expect(traces.totals({ by: 'agent' })[0]?.calls).toBeGreaterThan(1000)
    // Measured: 60 ms. What is quadratic takes minutes.
    expect(performance.now() - began).toBeLessThan(5000)
  })
})

describe('totals', () => {
  it('sums cost, tokens, calls, errors and times by day, model, agent, tool and provider', () => {
    const traces = store(...run('a'), ...run('b', 1000, 'clerk', 'gpt'), ...run('c', 2 * 86_400_000))
    const all = (by: Parameters<typeof traces.totals>[0]['by']) =>
      traces
        .totals({ by })
        .map(({ key, runs, calls, errors, tokens, usd }) => [
          key,
          runs,
          calls,
          errors,
          tokens.input,
          tokens.output,
          usd,
        ])
    expect(all('day')).toEqual([
      ['2026-11-20', 2, 4, 0, 400, 120, 0.006],
      ['2026-11-22', 1, 2, 0, 200, 60, 0.003],
    ])
    expect(all('model')).toEqual([
      ['qwen', 2, 4, 0, 400, 120, 0.006],
      ['gpt', 1, 2, 0, 200, 60, 0.003],
    ])
    expect(all('agent')).toEqual([
      ['guide', 2, 4, 0, 400, 120, 0.006],
      ['clerk', 1, 2, 0, 200, 60, 0.003],
    ])
    expect(all('provider')).toEqual([['openrouter', 3, 6, 0, 600, 180, expect.closeTo(0.009)]])
    expect(all('tool')).toEqual([['weather', 3, 3, 3, 0, 0, undefined]])
    const [model] = traces.totals({ by: 'model', since: Date.parse('2026-11-21') })
    expect(model).toMatchObject({
      runs: 1,
      ms: { p50: 1000, p90: 1000, p99: 1000 },
      firstMs: { p50: 500 },
      tokensPerSecond: { p50: 20, p99: 100 },
    })
  })

  it('a day counts runs that never got to a model, and tries that failed', () => {
    const traces = store(
      made('root', { ms: 1 }),
      made('call', {
        trace: 'b',
        ms: 1,
        attributes: {
          'gen_ai.operation.name': 'chat',
          'clew.retries': 2,
          'clew.restarts': 1,
          'clew.cost.usd': 1,
          'clew.lost.cost.usd': 2,
        },
      }),
    )
    expect(traces.totals({ by: 'day' })[0]).toMatchObject({ runs: 2, calls: 1, retries: 3, usd: 3 })
  })

  it('of a model call in a span of another, with the same figures, one counts', () => {
    const attributes = { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.input_tokens': 5 }
    const traces = store(
      made('outer', { ms: 2, attributes }),
      made('inner', { ms: 1, parentSpanId: hex('outer', 16), attributes }),
    )
    expect(traces.totals({ by: 'model' })[0]).toMatchObject({ calls: 1, tokens: { input: 5 } })
  })
})

describe('changes', () => {
  it('tells what came since, each span as it is now, and where to go on', () => {
    const traces = store(made('old', { ms: 1 }))
    const begun = traces.changes()
    expect(begun.spans).toEqual([])
    traces.add([made('new', { name: 'begun' })])
    traces.add([made('other', { ms: 1 })])
    const first = traces.changes(begun.at)
    expect(first.spans.map(({ name }) => name)).toEqual(['begun', 'other'])
    traces.add([made('new', { name: 'over', ms: 2 })])
    const second = traces.changes(first.at)
    expect(second.spans.map(({ name, state }) => [name, state])).toEqual([['over', 'ended']])
    expect(traces.changes(second.at)).toEqual({ at: second.at, spans: [] })
    // In pieces, none is left out and none comes twice.
    const names: string[] = []
    for (let at = 0; ; ) {
      const next = traces.changes(at, 1)
      if (next.spans.length === 0) break
      names.push(...next.spans.map(({ name }) => name))
      at = next.at
    }
    expect(names).toEqual(['old', 'other', 'over'])
  })
})

describe('the file', () => {
  it('that is not there is an error that says how to switch traces on', () => {
    expect(() => openTraces(join(folder, 'none.db'))).toThrow(/There are no traces at .*none\.db.*localTraces\(\)/)
  })

  it('of a later Clew is not touched, and the error says so', () => {
    const path = join(folder, 'later.db')
    openTraces(path, { create: true }).close()
    const db = new DatabaseSync(path)
    db.exec("UPDATE clew_version SET version = 99 WHERE part = 'traces'")
    db.close()
    expect(() => openTraces(path)).toThrow(/written by a newer version of Clew.*v99/)
  })

  it('that is no database is told as such', () => {
    expect(() => openTraces(import.meta.filename)).toThrow(TraceError)
    expect(() => openTraces(import.meta.filename)).toThrow(/not a database/)
  })
})
