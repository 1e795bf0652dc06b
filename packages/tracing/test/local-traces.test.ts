/** Spans go to the file beside the run, from their start on, and whatever happens to the file harms no run. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { localTraces, openTraces } from '../src/index.ts'
import { made } from './made.ts'
import { temporary } from './temporary.ts'

const folder = temporary()
let files = 0
const file = () => join(folder, `${++files}.db`)
afterEach(() => vi.restoreAllMocks())

const child = (...args: string[]) => [join(import.meta.dirname, 'child.ts'), ...args]
const MiB = 2 ** 20

describe('a tracer', () => {
  it('keeps what OpenTelemetry has of a span', async () => {
    const path = file()
    const traces = localTraces({ path })
    const tracer = traces.getTracer('lib', '1.2')
    const link = {
      context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 },
      attributes: { why: 'x' },
    }
    const root = tracer.startSpan('root', { kind: SpanKind.SERVER, links: [link], startTime: [1_700_000_000, 5] })
    const span = tracer.startSpan('before', { attributes: { a: 1 } }, trace.setSpan(ROOT_CONTEXT, root))
    span
      .setAttribute('b', ['x', 'y'])
      .setAttributes({ c: true, gone: undefined, nan: Number.NaN })
      .addEvent('e', { n: 1 }, new Date(1_700_000_001_000))
      .addLink(link)
      .updateName('after')
      .setStatus({ code: SpanStatusCode.ERROR, message: 'no' })
    span.recordException(new TypeError('bad'))
    span.end([1_700_000_002, 7])
    span.setAttribute('late', 1).updateName('late').end()
    root.end([1_700_000_003, 0])
    await traces.forceFlush()
    const spans = openTraces(path).whole(root.spanContext().traceId)
    expect(span.isRecording()).toBe(false)
    expect(spans).toEqual([
      {
        traceId: expect.stringMatching(/^[\da-f]{32}$/),
        spanId: expect.stringMatching(/^[\da-f]{16}$/),
        name: 'root',
        kind: 'server',
        start: '1700000000000000005',
        end: '1700000003000000000',
        status: 'unset',
        attributes: {},
        events: [],
        links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), attributes: { why: 'x' } }],
        origin: {
          resource: { 'service.name': expect.any(String), 'process.pid': process.pid },
          scope: { name: 'lib', version: '1.2' },
        },
      },
      expect.objectContaining({
        parentSpanId: root.spanContext().spanId,
        name: 'after',
        kind: 'internal',
        // It began now, behind the end that it was given.
        end: expect.any(String),
        status: 'error',
        message: 'no',
        attributes: { a: 1, b: ['x', 'y'], c: true, nan: 'NaN' },
        events: [
          { name: 'e', time: '1700000001000000000', attributes: { n: 1 } },
          {
            name: 'exception',
            time: expect.any(String),
            attributes: {
              'exception.type': 'TypeError',
              'exception.message': 'bad',
              'exception.stacktrace': expect.stringContaining('local-traces.test'),
            },
          },
        ],
        links: [expect.anything()],
      }),
    ])
    expect(spans[1]?.end).toBe(spans[1]?.start)
    await traces.shutdown()
  })

  it('finds the parent in the active context, unless a root is asked for', async () => {
    const manager = new AsyncLocalStorageContextManager().enable()
    context.setGlobalContextManager(manager)
    const traces = localTraces({ path: file() })
    const tracer = traces.getTracer('lib')
    const ids = await tracer.startActiveSpan('outer', async (outer) => {
      await Promise.resolve()
      const inner = tracer.startActiveSpan('inner', { kind: SpanKind.CLIENT }, (span) => span)
      const other = tracer.startActiveSpan('root', { root: true }, (span) => span)
      return [outer, inner, other].map((span) => span.spanContext().traceId)
    })
    expect(ids[0]).toBe(ids[1])
    expect(ids[0]).not.toBe(ids[2])
    context.disable()
    await traces.shutdown()
  })

  it('a span is there from its start on, with what it has so far, and is running until it ends', async () => {
    const path = file()
    const traces = localTraces({ path })
    const span = traces.getTracer('lib').startSpan('live', { attributes: { 'gen_ai.input.messages': 'asked' } })
    await traces.forceFlush()
    const reader = openTraces(path)
    const { traceId, spanId } = span.spanContext()
    expect(reader.runs()[0]).toMatchObject({ status: 'running', name: 'live' })
    expect(reader.trace(traceId)[0]).toMatchObject({ state: 'running' })
    span.setAttributes({ step: 1, 'gen_ai.output.messages': 'said' })
    await traces.forceFlush()
    expect(reader.trace(traceId)[0]?.attributes).toEqual({ step: 1 })
    // As long as before.
    span.setAttribute('gen_ai.output.messages', 'told')
    span.end()
    await traces.forceFlush()
    expect(reader.content(traceId, spanId)).toEqual({
      'gen_ai.input.messages': 'asked',
      'gen_ai.output.messages': 'told',
    })
    expect(reader.runs()[0]?.status).toBe('done')
    await traces.shutdown()
  })

  it('what is open when its store is closed is told as lost', async () => {
    const path = file()
    const traces = localTraces({ path })
    traces.getTracer('lib').startSpan('open')
    await traces.shutdown()
    expect(openTraces(path).runs()[0]?.status).toBe('lost')
  })

  it('refuses bounds that are none', () => {
    expect(() => localTraces({ maxDays: 0 })).toThrow(/maxDays is 0/)
    expect(() => localTraces({ maxBytes: 1000 })).toThrow(/maxBytes is 1000/)
  })
})

describe('processes', () => {
  it('two that write one file at once, from nothing, lose nothing', async () => {
    const path = file()
    const codes = await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise((resolve) =>
            spawn(process.execPath, child('batches', path, '50'), { stdio: ['ignore', 'ignore', 'inherit'] }).on(
              'exit',
              resolve,
            ),
          ),
      ),
    )
    expect(codes).toEqual([0, 0, 0])
    const traces = openTraces(path)
    expect(traces.runs({ limit: 1000 })).toHaveLength(150)
    expect(traces.changes(0, 10_000).spans).toHaveLength(300)
  })

  it('one that ends writes what waits, also when it ends by an error', () => {
    const path = file()
    expect(spawnSync(process.execPath, child('end', path, '3')).status).toBe(0)
    expect(spawnSync(process.execPath, child('throw', path)).status).toBe(1)
    expect(
      openTraces(path)
        .runs()
        .map(({ name, status }) => [name.replace(/\d+ /, ''), status]),
    ).toEqual([
      ['thrown', 'lost'],
      ['2', 'done'],
      ['1', 'done'],
      ['0', 'done'],
    ])
  })

  it('one that is killed while it writes loses its last moments, and its open spans are told as lost', async () => {
    const path = file()
    const process_ = spawn(process.execPath, child('on', path), { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => process_.stdout.once('data', resolve))
    const reader = openTraces(path)
    const begun = () => reader.runs({ text: 'begun' }).map(({ status }) => status)
    expect(begun()).toEqual(['running'])
    const ended = new Promise((resolve) => process_.once('exit', resolve))
    process_.kill('SIGKILL')
    await ended
    expect(begun()).toEqual(['lost'])
    expect(reader.runs({ limit: 1000 }).length).toBeGreaterThan(20)
    const db = new DatabaseSync(path)
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    // Another one goes on with the file.
    expect(spawnSync(process.execPath, child('end', path)).status).toBe(0)
    expect(begun()).toEqual(['lost'])
    expect(db.prepare('SELECT count(*) AS marks FROM writers').get()).toEqual({ marks: 0 })
    db.close()
  })

  it('one on another computer, which cannot be looked at, counts as long as it is heard of', () => {
    const path = file()
    expect(spawnSync(process.execPath, child('throw', path)).status).toBe(1)
    const db = new DatabaseSync(path)
    const mark = JSON.stringify({ pid: 1, place: 'elsewhere', began: '1' })
    db.exec('UPDATE spans SET writer = 77 WHERE "end" IS NULL')
    const heard = db.prepare('INSERT OR REPLACE INTO writers VALUES (77, ?, ?)')
    const statusAfter = (seconds: number) => {
      heard.run(mark, Date.now() - seconds * 1000)
      return openTraces(path).runs()[0]?.status
    }
    expect([statusAfter(1), statusAfter(60)]).toEqual(['running', 'lost'])
    db.close()
  })
})

describe('bounds', () => {
  it('the oldest traces go when there is too much, and the file stays as small as was asked', () => {
    const path = file()
    expect(spawnSync(process.execPath, child('large', path, '60', String(2 * MiB))).status).toBe(0)
    const names = openTraces(path)
      .runs({ limit: 100 })
      .map(({ name }) => name)
    expect(names[0]).toBe('large 59')
    expect(names.length).toBeGreaterThan(8)
    expect(names.length).toBeLessThan(20)
    expect(statSync(path).size).toBeLessThan(2 * MiB)
  })

  it('of a run that says more than there is room for the spans stay, and of the rest its length; told once', () => {
    const path = file()
    const { status, stderr } = spawnSync(process.execPath, child('much', path, '30', String(MiB)), { encoding: 'utf8' })
    expect(status).toBe(0)
    expect(stderr.match(/ClewWarning: Traces in .* full/g)).toHaveLength(1)
    const traces = openTraces(path)
    const [row] = traces.runs()
    const spans = traces.trace(row?.traceId ?? '')
    expect(spans).toHaveLength(32)
    const kept = spans.flatMap(({ content }) => content).map(({ bytes, isKept }) => [bytes, isKept])
    expect(kept[0]).toEqual([100_000, true])
    expect(kept.at(-1)).toEqual([100_000, false])
    expect(statSync(path).size).toBeLessThan(1.1 * MiB)
  })

  it('traces older than was asked go when the store is opened', async () => {
    const path = file()
    const writer = openTraces(path, { create: true })
    const day = 86_400_000
    const at = (days: number) => Date.now() - days * day - Date.parse('2026-11-20T12:00:00Z')
    writer.add([
      made('old', { trace: 'old', at: at(8), ms: 1, attributes: { 'gen_ai.input.messages': 'x'.repeat(MiB) } }),
      made('open', { trace: 'open', at: at(9) }),
      made('later', { trace: 'both', at: at(6), ms: 1, attributes: { 'gen_ai.input.messages': 'x' } }),
      made('begun', { trace: 'both', at: at(8), ms: 1 }),
    ])
    const traces = localTraces({ path, maxDays: 7 })
    traces.getTracer('lib').startSpan('new').end()
    await traces.forceFlush()
    expect(writer.changes(0).spans.map(({ name }) => name)).toEqual(['later', 'begun', 'new'])
    await traces.shutdown()
    writer.close()
    const db = new DatabaseSync(path)
    expect(db.prepare('SELECT count(*) AS pieces FROM content').get()).toEqual({ pieces: 1 })
    db.close()
    // What is free is given back.
    expect(statSync(path).size).toBeLessThan(MiB / 2)
  })
})

describe('a file that cannot be written', () => {
  const broken = async (path: string) => {
    const told = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const traces = localTraces({ path })
    const tracer = traces.getTracer('lib')
    for (const name of ['one', 'two', 'three']) {
      const span = tracer.startSpan(name)
      span.end()
      await traces.forceFlush()
    }
    await traces.shutdown()
    return told.mock.calls
  }

  it.each([
    ['a folder', (path: string) => void mkdirSync(path), /unable to open/],
    ['no database', (path: string) => writeFileSync(path, 'words '.repeat(1000)), /not a database/],
    ['below a file', (path: string) => writeFileSync(join(path, '..', 'file'), ''), /ENOTDIR|EEXIST/],
  ])('%s harms no run, and is told once', async (name, make, reason) => {
    const path = name === 'below a file' ? join(folder, 'file', 'x.db') : file()
    if (name === 'below a file') writeFileSync(join(folder, 'file'), '')
    else make(path)
    const before = name === 'no database' ? readFileSync(path) : undefined
    const calls = await broken(path)
    expect(calls).toHaveLength(1)
    expect(calls[0]?.[0]).toMatch(reason)
    expect(calls[0]?.[0]).toContain(path)
    expect(calls[0]?.[1]).toBe('ClewWarning')
    if (before) expect(readFileSync(path)).toEqual(before)
  })

  it('that could not be opened is not tried with every span', async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const path = file()
    mkdirSync(path)
    const traces = localTraces({ path })
    const tracer = traces.getTracer('lib')
    tracer.startSpan('one').end()
    await traces.forceFlush()
    rmSync(path, { recursive: true })
    tracer.startSpan('two').end()
    await traces.forceFlush()
    expect(existsSync(path)).toBe(false)
    await traces.shutdown()
  })

  it('that another process holds is written when it is free', async () => {
    const path = file()
    const told = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    openTraces(path, { create: true }).close()
    const traces = localTraces({ path })
    const tracer = traces.getTracer('lib')
    tracer.startSpan('first').end()
    await traces.forceFlush()
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    tracer.startSpan('second').end()
    await traces.forceFlush()
    const reader = openTraces(path)
    expect(reader.runs()).toHaveLength(1)
    other.exec('COMMIT')
    await traces.forceFlush()
    expect(reader.runs()).toHaveLength(2)
    expect(told).not.toHaveBeenCalled()
    await traces.shutdown()
  })

  it('that is full is told once, and goes on when there is room', () => {
    const path = file()
    // In blocks of 512 bytes: as a disk that is full.
    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', 'ulimit -f 1000; exec "$@"', 'sh', process.execPath, ...child('large', path, '30')],
      { encoding: 'utf8' },
    )
    expect([status, stdout]).toEqual([0, 'done\n'])
    expect(stderr.match(/ClewWarning/g)).toHaveLength(1)
    expect(existsSync(path)).toBe(true)
    expect(spawnSync(process.execPath, child('end', path, '2')).status).toBe(0)
    expect(openTraces(path).runs().length).toBeGreaterThanOrEqual(2)
  })

  it.skipIf(process.getuid?.() === 0)('that is read-only can be read', () => {
    const path = file()
    const writer = openTraces(path, { create: true })
    writer.add([made('one', { ms: 1 })])
    writer.close()
    chmodSync(path, 0o444)
    expect(openTraces(path).runs()).toHaveLength(1)
  })
})
