/** `TraceSpan`: a span as it is read, without its content; `contentOf()` reads that. */
import { all, type Database } from './database.ts'
import { isGone } from './process-mark.ts'
import type { Attributes, AttributeValue, Kind, Origin, SpanData, SpanEvent, SpanLink, StatusCode } from './span.ts'

export type TraceSpan = SpanData & {
  /** `lost`: its process died before it ended. */
  state: 'running' | 'ended' | 'lost'
  /** Milliseconds since 1970. */
  startMs: number
  /** How long it took, in milliseconds; missing until it has ended. */
  ms?: number
  /** What `attributes` and `events` leave out: by name, with its length. Pieces of events are named `event 0 NAME`. */
  content: { name: string; bytes: number; isKept: boolean }[]
}

type SpanRow = {
  no: number
  writer: number | null
  trace_id: string
  span_id: string
  parent_id: string | null
  name: string
  kind: Kind
  start: string
  end: string | null
  start_ms: number
  ms: number | null
  status: StatusCode
  message: string | null
  attributes: string
  events: string | null
  links: string | null
  origin: string
  pieces: string | null
}

/** `where` and what follows it, with its values. */
export function readSpans(database: Database, where: string, ...values: (string | number)[]): TraceSpan[] {
  const isAlive = living(database)
  return all<SpanRow>(
    database,
    `SELECT s.no, writer, trace_id, span_id, parent_id, name, kind, CAST(start AS TEXT) AS start,
        CAST("end" AS TEXT) AS "end", start / 1000000 AS start_ms, ("end" - start) / 1e6 AS ms, status, message,
        attributes, events, links, o.text AS origin,
        (SELECT json_group_array(json_array(name, bytes, value IS NOT NULL) ORDER BY rowid) FROM content WHERE span = s.no) AS pieces
      FROM spans s JOIN origins o ON o.no = s.origin WHERE ${where}`,
    ...values,
  ).map((row) => ({
    traceId: row.trace_id,
    spanId: row.span_id,
    ...(row.parent_id !== null && { parentSpanId: row.parent_id }),
    name: row.name,
    kind: row.kind,
    start: row.start,
    ...(row.end !== null && { end: row.end }),
    state: row.end !== null ? 'ended' : isAlive(row.writer) ? 'running' : 'lost',
    startMs: row.start_ms,
    ...(row.ms !== null && { ms: row.ms }),
    status: row.status,
    ...(row.message !== null && { message: row.message }),
    attributes: JSON.parse(row.attributes) as Attributes,
    events: JSON.parse(row.events ?? '[]') as SpanEvent[],
    links: JSON.parse(row.links ?? '[]') as SpanLink[],
    origin: JSON.parse(row.origin) as Origin,
    content: (JSON.parse(row.pieces ?? '[]') as [string, number, number][]).map(([name, bytes, isKept]) => ({
      name,
      bytes,
      isKept: isKept === 1,
    })),
  }))
}

/** What of it was kept, by name. */
export function contentOf(database: Database, traceId: string, spanId: string): Attributes {
  const rows = all<{ name: string; isText: number; value: string }>(
    database,
    `SELECT c.name, isText, value FROM content c JOIN spans s ON s.no = c.span
      WHERE trace_id = ? AND span_id = ? AND value IS NOT NULL`,
    traceId,
    spanId,
  )
  return Object.fromEntries(
    rows.map(({ name, isText, value }) => [name, isText === 1 ? value : (JSON.parse(value) as AttributeValue)]),
  )
}

/** Whether the process that writes a span is there; each is looked at once. */
export function living(database: Database): (writer: number | null) => boolean {
  const known = new Map<number, boolean>()
  return (writer) => {
    if (writer === null) return false
    const found = known.get(writer)
    if (found !== undefined) return found
    const [row] = all<{ mark: string; heard: number }>(database, 'SELECT mark, heard FROM writers WHERE no = ?', writer)
    const isAlive = row !== undefined && !isGone(row.mark, row.heard)
    known.set(writer, isAlive)
    return isAlive
  }
}
