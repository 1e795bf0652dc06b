/** `readRuns()`: one row for each run: the outermost `invoke_agent` span, or the root of a trace that has none. */
import type { SQLInputValue } from 'node:sqlite'
import { type Database, one } from './database.ts'
import { living } from './read-span.ts'
import { type Head, type RunRow, type RunStatus, rowOf } from './run-row.ts'
import { TraceError } from './trace-error.ts'

export type RunsQuery = {
  /** In names, messages and content; capital letters count as small ones. */
  text?: string
  status?: RunStatus
  agent?: string
  model?: string
  /** Milliseconds since 1970. */
  since?: number
  /** Default 50. */
  limit?: number
  /** The `cursor` of the last row that is known. */
  before?: string
}

/** The newest first; of one trace, where it is named. @throws TraceError for a cursor that is none. */
export function readRuns(database: Database, query: RunsQuery = {}, traceId?: string): RunRow[] {
  const { limit = 50, status } = query
  const isAlive = living(database)
  const { where, values } = conditions(query)
  if (traceId !== undefined) {
    where.push('trace_id = ?')
    values.push(traceId)
  }
  const heads = database.sql(
    `SELECT no, trace_id, span_id, parent_id, CAST(start AS TEXT) AS start, op FROM spans s
      WHERE ${where.join(' AND ')} ORDER BY start DESC, no DESC`,
  )
  const rows: RunRow[] = []
  for (const head of heads.iterate(...values) as Iterable<Head>) {
    if (rows.length >= limit) break
    if (!isRun(database, head)) continue
    const row = rowOf(database, head, isAlive)
    if (status === undefined || row.status === status) rows.push(row)
  }
  return rows
}

function conditions({ text, agent, model, since, before }: RunsQuery) {
  const where = ['head = 1']
  const values: SQLInputValue[] = []
  const inTrace = (condition: string) => `EXISTS (SELECT 1 FROM spans i WHERE i.trace_id = s.trace_id AND ${condition})`
  if (since !== undefined) {
    where.push('start >= ?')
    values.push(BigInt(Math.ceil(since)) * 1_000_000n)
  }
  if (before !== undefined) {
    const [, start, no] = /^(\d+)\.(\d+)$/.exec(before) ?? []
    if (start === undefined || no === undefined)
      throw new TraceError(`before is ${JSON.stringify(before)}. Give the cursor of a row that runs() gave.`)
    where.push('(start, no) < (?, ?)')
    values.push(BigInt(start), Number(no))
  }
  if (agent !== undefined) {
    where.push(inTrace('i.agent = ?'))
    values.push(agent)
  }
  if (model !== undefined) {
    where.push(inTrace('i.model = ?'))
    values.push(model)
  }
  if (text) {
    const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`
    const like = (column: string) => `${column} LIKE ? ESCAPE '\\'`
    const content = `EXISTS (SELECT 1 FROM content WHERE span = i.no AND ${like('value')})`
    where.push(inTrace(`(${like('i.name')} OR ${like('i.message')} OR ${like('i.attributes')} OR ${content})`))
    values.push(pattern, pattern, pattern, pattern)
  }
  return { where, values }
}

/** An agent that works for another is no run of its own, and neither is what stands around agents. */
export function isRun(
  database: Database,
  { trace_id, parent_id, op }: Omit<Head, 'no' | 'span_id' | 'start'>,
): boolean {
  if (op !== 'invoke_agent')
    return !one(database, "SELECT 1 FROM spans WHERE trace_id = ? AND op = 'invoke_agent' LIMIT 1", trace_id)
  return !one(
    database,
    // UNION, which forgets what it has seen: foreign spans may stand in a circle.
    `WITH RECURSIVE above (id, parent, op) AS (
        SELECT span_id, parent_id, op FROM spans WHERE trace_id = ?1 AND span_id = ?2
        UNION SELECT s.span_id, s.parent_id, s.op FROM above CROSS JOIN spans s ON s.trace_id = ?1 AND s.span_id = above.parent)
      SELECT 1 FROM above WHERE op = 'invoke_agent' LIMIT 1`,
    trace_id,
    parent_id,
  )
}
