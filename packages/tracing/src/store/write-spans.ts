/** `writeSpans()`: spans into the tables, in one transaction; a span that is there is brought forward. */

import { type Piece, splitContent } from './content.ts'
import { type Database, one } from './database.ts'
import { factsOf } from './facts.ts'
import type { SpanData } from './span.ts'
import { transaction } from './transaction.ts'

/** `writer`: the process in which the span goes on; none for one that came from elsewhere. */
export type Writing = { writer?: number; maxContentBytes?: number }

/**
 * A span that has ended is never changed. `maxContentBytes`: content beyond it is not kept, only how long it was.
 * @returns how many spans were new or changed, and of how many pieces only the length was kept.
 */
export function writeSpans(
  database: Database,
  spans: Iterable<SpanData>,
  writing: Writing = {},
): { count: number; dropped: number } {
  return transaction(database.db, () => {
    const seq = (one<{ seq: number }>(database, 'UPDATE clock SET seq = seq + 1 RETURNING seq') as { seq: number }).seq
    const room = { bytes: writing.maxContentBytes ?? Number.POSITIVE_INFINITY, dropped: 0 }
    let count = 0
    for (const span of spans) if (writeSpan(database, span, seq, writing.writer, room)) count += 1
    return { count, dropped: room.dropped }
  })
}

type Room = { bytes: number; dropped: number }

const put = `
  INSERT INTO spans (seq, head, writer, trace_id, span_id, parent_id, name, kind, start, "end", status, message,
      attributes, events, links, origin, op, agent, model, provider, tool, run, outcome, stop,
      input, output, cached, reasoning, usd, first_ms, retries)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (trace_id, span_id) DO UPDATE SET seq = excluded.seq, writer = excluded.writer, head = excluded.head,
      parent_id = excluded.parent_id, name = excluded.name, "end" = excluded."end", status = excluded.status,
      message = excluded.message, attributes = excluded.attributes, events = excluded.events, links = excluded.links,
      op = excluded.op, agent = excluded.agent, model = excluded.model, provider = excluded.provider,
      tool = excluded.tool, run = excluded.run, outcome = excluded.outcome, stop = excluded.stop, input = excluded.input,
      output = excluded.output, cached = excluded.cached, reasoning = excluded.reasoning, usd = excluded.usd,
      first_ms = excluded.first_ms, retries = excluded.retries
    WHERE spans."end" IS NULL
  RETURNING no`

function writeSpan(database: Database, span: SpanData, seq: number, writer: number | undefined, room: Room): boolean {
  const { traceId, spanId, parentSpanId = null, links } = span
  const facts = factsOf(span)
  const { attributes, events, pieces } = splitContent(span.attributes, span.events)
  const isHead = parentSpanId === null || facts.op === 'invoke_agent' || !isThere(database, traceId, parentSpanId)
  const row = one<{ no: number }>(
    database,
    put,
    seq,
    isHead ? 1 : 0,
    span.end === undefined ? (writer ?? null) : null,
    traceId,
    spanId,
    parentSpanId,
    span.name,
    span.kind,
    BigInt(span.start),
    span.end === undefined ? null : BigInt(span.end),
    span.status,
    span.message ?? null,
    JSON.stringify(attributes),
    events.length > 0 ? JSON.stringify(events) : null,
    links.length > 0 ? JSON.stringify(links) : null,
    originOf(database, JSON.stringify(span.origin)),
    facts.op,
    facts.agent,
    facts.model,
    facts.provider,
    facts.tool,
    facts.run,
    facts.outcome,
    facts.stop,
    facts.input,
    facts.output,
    facts.cached,
    facts.reasoning,
    facts.usd,
    facts.firstMs,
    facts.retries,
  )
  if (!row) return false
  // Children that came before it, as they do from others, are no roots any more.
  database
    .sql("UPDATE spans SET head = 0 WHERE trace_id = ? AND parent_id = ? AND head = 1 AND op IS NOT 'invoke_agent'")
    .run(traceId, spanId)
  database
    .sql('INSERT INTO traces VALUES (?, ?) ON CONFLICT DO UPDATE SET last = max(last, excluded.last)')
    .run(traceId, BigInt(span.start))
  for (const piece of pieces) writePiece(database, row.no, piece, room)
  return true
}

function isThere(database: Database, traceId: string, spanId: string): boolean {
  return one(database, 'SELECT 1 FROM spans WHERE trace_id = ? AND span_id = ?', traceId, spanId) !== undefined
}

function writePiece(database: Database, span: number, { name, isText, text }: Piece, room: Room): void {
  const bytes = Buffer.byteLength(text)
  const known = one<{ bytes: number }>(database, 'SELECT bytes FROM content WHERE span = ? AND name = ?', span, name)
  // What a running span was given comes again with all that it was given later.
  const isSame = known?.bytes === bytes && one(database, sameValue, span, name, text) !== undefined
  if (isSame) return
  const isKept = bytes <= room.bytes
  if (isKept) room.bytes -= bytes
  else room.dropped += 1
  database
    .sql('INSERT OR REPLACE INTO content VALUES (?, ?, ?, ?, ?)')
    .run(span, name, isText ? 1 : 0, bytes, isKept ? text : null)
}

const sameValue = 'SELECT 1 FROM content WHERE span = ? AND name = ? AND value = ?'

/** As few as there are processes and libraries, so they are looked for each time. */
function originOf(database: Database, text: string): number {
  const known = one<{ no: number }>(database, 'SELECT no FROM origins WHERE text = ?', text)
  return (
    known ??
    one<{ no: number }>(database, 'INSERT INTO origins (text) VALUES (?) RETURNING no', text) ?? { no: 0 }
  ).no
}
