/** `openTraces()`: the reading door of a store of traces, for viewers, terminals and exports. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describeError, isClewError } from '@clew/core'
import { joinContent } from './content.ts'
import { all, type Database, isBusy, one, openDatabase } from './database.ts'
import { defaultPath } from './local-traces.ts'
import { contentOf, readSpans, type TraceSpan } from './read-span.ts'
import type { RunRow } from './run-row.ts'
import { type RunsQuery, readRuns } from './runs.ts'
import type { Attributes, SpanData } from './span.ts'
import { readTotals, type TotalsQuery, type TotalsRow } from './totals.ts'
import { TraceError } from './trace-error.ts'
import { writeSpans } from './write-spans.ts'

export type Traces = {
  readonly path: string
  /** The newest first. */
  runs(query?: RunsQuery): RunRow[]
  /** Those of one trace. */
  runsOf(traceId: string): RunRow[]
  /** Ids of the traces of the run with this id, or else of those that begin with these digits, four or more; the oldest first. */
  find(run: string): string[]
  /** All spans of a trace in the order in which they began, without their content; none when there is no such trace. */
  trace(traceId: string): TraceSpan[]
  /** What a span's attributes and events leave out, by name. */
  content(traceId: string, spanId: string): Attributes
  totals(query: TotalsQuery): TotalsRow[]
  /**
   * Spans that were written since `at`, each as it is now, about `limit` of them (1,000 by default), and the next `at`.
   * Without `at`: none, and where the store stands now.
   */
  changes(at?: number, limit?: number): { at: number; spans: TraceSpan[] }
  /** Ids of traces, the oldest first, of which something began at or after `since`, in milliseconds since 1970. */
  traceIds(since?: number): string[]
  /** A trace with its content in its place, as it is exported. */
  whole(traceId: string): SpanData[]
  /** Takes spans from elsewhere. One that is there and has ended stays as it is. Gives how many were new or changed. */
  add(spans: Iterable<SpanData>): number
  close(): void
}

export type OpenTracesOptions = {
  /** Makes the file when it is not there, to import into it. Default: no. */
  create?: boolean
}

/** @throws TraceError, also from every method: no file, no such file, a later Clew's file, or SQLite's reason. */
export function openTraces(path: string = defaultPath, { create = false }: OpenTracesOptions = {}): Traces {
  const file = resolve(path)
  if (!create && !existsSync(file))
    throw new TraceError(
      `There are no traces at ${file}. Switch them on where the agent is made: use: [trace({ tracerProvider: localTraces() })], from @clew/tracing. Or name another file.`,
    )
  const attempt = <Result>(doing: string, work: () => Result): Result => {
    try {
      return work()
    } catch (error) {
      throw failure(file, doing, error)
    }
  }
  const database = attempt('opened', () => open(file))
  return {
    path: file,
    runs: (query) => attempt('read', () => readRuns(database, query)),
    runsOf: (traceId) => attempt('read', () => readRuns(database, {}, traceId)),
    find: (run) => attempt('read', () => find(database, run)),
    trace: (traceId) => attempt('read', () => readSpans(database, ofTrace, traceId)),
    content: (traceId, spanId) => attempt('read', () => contentOf(database, traceId, spanId)),
    totals: (query) => attempt('read', () => readTotals(database, query)),
    changes: (at, limit = 1000) => attempt('read', () => changes(database, at, limit)),
    traceIds: (since = 0) => attempt('read', () => traceIds(database, since)),
    whole: (traceId) => attempt('read', () => whole(database, traceId)),
    add: (spans) => attempt('written', () => writeSpans(database, spans).count),
    close: () => database.close(),
  }
}

/** One that may only be read is opened all the same. */
function open(file: string): Database {
  try {
    return openDatabase(file)
  } catch (error) {
    // 8: read only, 14: cannot be opened for writing, 3: permission.
    if (![3, 8, 14].includes(((error as { errcode?: number }).errcode ?? 0) % 256)) throw error
    return openDatabase(file, { readOnly: true })
  }
}

/** Where two began at once, the one that took longer stands around the other. */
const ofTrace = 'trace_id = ? ORDER BY start, "end" IS NOT NULL, "end" DESC, s.no'

function changes(database: Database, at: number | undefined, limit: number): { at: number; spans: TraceSpan[] } {
  const now = one<{ seq: number }>(database, 'SELECT seq FROM clock')?.seq ?? 0
  if (at === undefined) return { at: now, spans: [] }
  // What was written together comes together, so that the next `at` is behind all of it.
  const last =
    one<{ seq: number }>(
      database,
      'SELECT max(seq) AS seq FROM (SELECT seq FROM spans WHERE seq > ? ORDER BY seq LIMIT ?)',
      at,
      limit,
    )?.seq ?? now
  return { at: last, spans: readSpans(database, 'seq > ? AND seq <= ? ORDER BY seq, s.no', at, last) }
}

function find(database: Database, run: string): string[] {
  const ids = (where: string, ...values: string[]) =>
    all<{ trace_id: string }>(
      database,
      `SELECT trace_id FROM spans WHERE ${where} GROUP BY trace_id ORDER BY min(start) LIMIT 100`,
      ...values,
    ).map(({ trace_id }) => trace_id)
  const ofRun = ids('head = 1 AND run = ?', run)
  const digits = run.toLowerCase()
  if (ofRun.length > 0 || !/^[\da-f]{4,32}$/.test(digits)) return ofRun
  // The letter behind the last digit.
  return ids('trace_id >= ? AND trace_id < ?', digits, `${digits}g`)
}

function traceIds(database: Database, since: number): string[] {
  const rows = database
    .sql('SELECT trace_id FROM traces WHERE last >= ? ORDER BY last')
    .all(BigInt(Math.ceil(since)) * 1_000_000n)
  return rows.map(({ trace_id }) => trace_id as string)
}

function whole(database: Database, traceId: string): SpanData[] {
  return readSpans(database, ofTrace, traceId).map(({ content, state: _state, startMs: _startMs, ms: _ms, ...span }) =>
    content.length === 0
      ? span
      : { ...span, ...joinContent(span.attributes, span.events, contentOf(database, traceId, span.spanId)) },
  )
}

function failure(file: string, doing: string, error: unknown): unknown {
  if (isClewError(error)) return error
  const next = isBusy(error) ? 'Another process writes: try again.' : 'Look at the file, or name another one.'
  return new TraceError(`The traces at ${file} could not be ${doing}: ${describeError(error)}. ${next}`, {
    cause: error,
  })
}
