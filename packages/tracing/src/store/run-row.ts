/** `rowOf()`: a run as a row of the list: what is summed over its spans, and what its own span tells. */
import { type Database, one } from './database.ts'
import { modelCalls } from './facts.ts'

/**
 * `waiting`: for answers; once they are given, `resumed`, since what came after is a run of its own under the same
 * `runId`. `lost`: its process died. `handed-over` and other words are what the framework says.
 */
export type RunStatus =
  | 'running'
  | 'waiting'
  | 'resumed'
  | 'done'
  | 'stopped'
  | 'aborted'
  | 'failed'
  | 'lost'
  | (string & {})

export type Tokens = { input: number; output: number; cached: number; reasoning: number }

export type RunRow = {
  traceId: string
  /** Of the run's own span. */
  spanId: string
  /** By which the framework knows the run. */
  runId?: string
  name: string
  status: RunStatus
  /** Which limit or middleware stopped it. */
  stop?: string
  agent?: string
  /** All that were asked, the first first. */
  models: string[]
  provider?: string
  tokens: Tokens
  /** Missing where nothing tells what it cost. */
  usd?: number
  modelCalls: number
  toolCalls: number
  /** Spans that failed. */
  errors: number
  /** What the run failed of, or else its first span that failed. */
  error?: string
  /** The program that ran it, as its resource names it. */
  service?: string
  /** Milliseconds since 1970. */
  startMs: number
  /** How long it took, in milliseconds; missing until it has ended. */
  ms?: number
  /** Where the list goes on: the next `before`. */
  cursor: string
}

/** A span that may be a run's. */
export type Head = {
  no: number
  trace_id: string
  span_id: string
  parent_id: string | null
  start: string
  op: string | null
}

type Own = {
  name: string
  outcome: string | null
  stop: string | null
  agent: string | null
  provider: string | null
  run: string | null
  status: string
  message: string | null
  writer: number | null
  ended: number
  start_ms: number
  ms: number | null
  input: number | null
  output: number | null
  cached: number | null
  reasoning: number | null
  usd: number | null
  service: string | null
}
type Sums = {
  input: number | null
  output: number | null
  cached: number | null
  reasoning: number | null
  usd: number | null
  calls: number
  tools: number
  errors: number
  error: string | null
  models: string
  provider: string | null
}

const calls = `op IN (${modelCalls.map((op) => `'${op}'`).join(', ')})`
const below = `
  WITH RECURSIVE below (no, id) AS (
    SELECT no, span_id FROM spans WHERE no = ?1
    UNION SELECT s.no, s.span_id FROM below CROSS JOIN spans s INDEXED BY spans_by_parent ON s.trace_id = ?2 AND s.parent_id = below.id)`

export function rowOf(
  database: Database,
  { no, trace_id, span_id, start }: Head,
  isAlive: (writer: number | null) => boolean,
): RunRow {
  const own = one<Own>(
    database,
    `SELECT name, outcome, stop, agent, provider, run, status, message, writer, "end" IS NOT NULL AS ended,
        start / 1000000 AS start_ms, ("end" - start) / 1e6 AS ms, input, output, cached, reasoning, usd,
        (SELECT text ->> '$.resource."service.name"' FROM origins WHERE no = origin) AS service
      FROM spans WHERE no = ?`,
    no,
  ) as Own
  const sums = one<Sums>(
    database,
    `${below}, inside AS MATERIALIZED (SELECT spans.* FROM below CROSS JOIN spans USING (no) ORDER BY start)
      SELECT sum(input) FILTER (WHERE ${calls}) AS input, sum(output) FILTER (WHERE ${calls}) AS output,
        sum(cached) FILTER (WHERE ${calls}) AS cached, sum(reasoning) FILTER (WHERE ${calls}) AS reasoning,
        sum(usd) FILTER (WHERE ${calls}) AS usd, count(*) FILTER (WHERE ${calls}) AS calls,
        count(*) FILTER (WHERE op = 'execute_tool') AS tools, count(*) FILTER (WHERE status = 'error') AS errors,
        (SELECT coalesce(message, name || coalesce(': ' || (attributes ->> '$."error.type"'), '')) FROM inside
          WHERE status = 'error' LIMIT 1) AS error,
        (SELECT provider FROM inside WHERE provider IS NOT NULL LIMIT 1) AS provider,
        (SELECT json_group_array(model) FROM (
          SELECT model FROM inside WHERE model IS NOT NULL GROUP BY model ORDER BY max(${calls}) DESC, min(start))) AS models
      FROM inside`,
    no,
    trace_id,
  ) as Sums
  const status = statusOf(database, own, start, isAlive)
  const error = own.status === 'error' ? (own.message ?? sums.error) : sums.error
  return {
    traceId: trace_id,
    spanId: span_id,
    ...(own.run !== null && { runId: own.run }),
    name: own.name,
    status,
    ...(own.stop !== null && { stop: own.stop }),
    ...(own.agent !== null && { agent: own.agent }),
    models: JSON.parse(sums.models) as string[],
    ...optional('provider', own.provider ?? sums.provider),
    // What the run itself tells counts: it knows of tries that no span tells of.
    tokens: {
      input: own.input ?? sums.input ?? 0,
      output: own.output ?? sums.output ?? 0,
      cached: own.cached ?? sums.cached ?? 0,
      reasoning: own.reasoning ?? sums.reasoning ?? 0,
    },
    ...optional('usd', own.usd ?? sums.usd),
    modelCalls: sums.calls,
    toolCalls: sums.tools,
    errors: sums.errors,
    ...optional('error', error),
    ...optional('service', own.service),
    startMs: own.start_ms,
    ...optional('ms', own.ms),
    cursor: `${start}.${no}`,
  }
}

function statusOf(database: Database, own: Own, start: string, isAlive: (writer: number | null) => boolean): RunStatus {
  if (!own.ended) return isAlive(own.writer) ? 'running' : 'lost'
  const status = own.outcome ?? (own.status === 'error' ? 'failed' : 'done')
  if (status !== 'waiting' || own.run === null) return status
  const later = 'SELECT 1 FROM spans WHERE run = ? AND head = 1 AND start > ? LIMIT 1'
  return one(database, later, own.run, BigInt(start)) ? 'resumed' : 'waiting'
}

function optional<Name extends string, Value>(name: Name, value: Value | null): { [Key in Name]?: Value } {
  return (value === null ? {} : { [name]: value }) as { [Key in Name]?: Value }
}
