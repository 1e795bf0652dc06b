/** `readTotals()`: what was spent, how fast it was and what failed, by day, model, agent, tool or provider. */
import { all, type Database } from './database.ts'
import { modelCalls } from './facts.ts'
import type { Tokens } from './run-row.ts'
import { isRun } from './runs.ts'

export type TotalsBy = 'day' | 'model' | 'agent' | 'tool' | 'provider'

/** Of what was measured: half, nine of ten and ninety-nine of a hundred are not above it. */
export type Percentiles = { p50: number; p90: number; p99: number }

export type TotalsRow = {
  /** The day as `2026-11-23` in the time zone of this computer; the name of the model, agent, tool or provider; or empty for none. */
  key: string
  /** In how many runs it was. */
  runs: number
  /** Model calls; by tool, calls of the tool. */
  calls: number
  errors: number
  /** Tries that came to nothing before a call succeeded or failed. */
  retries: number
  tokens: Tokens
  /** Missing where nothing tells what it cost. */
  usd?: number
  /** How long calls took, in milliseconds. */
  ms?: Percentiles
  /** To the first piece of an answer, in milliseconds. */
  firstMs?: Percentiles
  /** Of one answer, from its first piece on where that is known. */
  tokensPerSecond?: Percentiles
}

export type TotalsQuery = { by: TotalsBy; since?: number }

type Row = {
  trace_id: string
  span_id: string
  parent_id: string | null
  head: number
  start_ms: number
  ms: number | null
  op: string | null
  agent: string | null
  model: string | null
  provider: string | null
  tool: string | null
  status: string
  input: number | null
  output: number | null
  cached: number | null
  reasoning: number | null
  usd: number | null
  first_ms: number | null
  retries: number | null
}

type Sum = TotalsRow & { all: Row[]; inRuns: Set<string> }

/** The dearest first; days by date. */
export function readTotals(database: Database, { by, since = 0 }: TotalsQuery): TotalsRow[] {
  const rows = all<Row>(
    database,
    `SELECT trace_id, span_id, parent_id, head, start / 1000000 AS start_ms, ("end" - start) / 1e6 AS ms, op, agent, model,
        provider, tool, status, input, output, cached, reasoning, usd, first_ms, retries
      FROM spans WHERE start >= ? ORDER BY start, no`,
    BigInt(Math.ceil(since)) * 1_000_000n,
  )
  const family = new Family(rows)
  const sums = new Map<string, Sum>()
  for (const row of rows) {
    const counts = by === 'tool' ? row.op === 'execute_tool' : family.isCall(row)
    if (!counts) continue
    const key = keyOf(row, by, family)
    const sum = sums.get(key) ?? empty(key)
    sums.set(key, sum)
    add(sum, row)
  }
  // A day also counts runs that never got to a model.
  if (by === 'day') for (const row of rows) if (row.head === 1 && isRun(database, row)) countRun(sums, row)
  const list = [...sums.values()].map(finished)
  return by === 'day'
    ? list.sort((a, b) => (a.key < b.key ? -1 : 1))
    : list.sort((a, b) => (b.usd ?? 0) - (a.usd ?? 0) || b.calls - a.calls || (a.key < b.key ? -1 : 1))
}

/** Who stands above whom. */
class Family {
  readonly #byId: Map<string, Row>
  readonly #aroundCalls = new Set<string>()

  constructor(rows: readonly Row[]) {
    this.#byId = new Map(rows.map((row) => [`${row.trace_id} ${row.span_id}`, row]))
    for (const row of rows) {
      if (!modelCalls.includes(row.op ?? '')) continue
      for (const above of this.above(row)) this.#aroundCalls.add(above.span_id)
    }
  }

  /** Where a framework has a span for the model call and another around it, with the same figures, the inner one counts. */
  isCall({ op, span_id }: Row): boolean {
    return modelCalls.includes(op ?? '') && !this.#aroundCalls.has(span_id)
  }

  agentOf(row: Row): string {
    if (row.agent !== null) return row.agent
    for (const { agent } of this.above(row)) if (agent !== null) return agent
    return ''
  }

  *above({ trace_id, parent_id }: Row): Generator<Row> {
    const seen = new Set<string>()
    for (let id = parent_id; id !== null && !seen.has(id); ) {
      seen.add(id)
      const row = this.#byId.get(`${trace_id} ${id}`)
      if (!row) return
      yield row
      id = row.parent_id
    }
  }
}

function keyOf(row: Row, by: TotalsBy, family: Family): string {
  switch (by) {
    case 'day':
      return dayOf(row.start_ms)
    case 'model':
      return row.model ?? ''
    case 'provider':
      return row.provider ?? ''
    case 'tool':
      return row.tool ?? ''
    case 'agent':
      return family.agentOf(row)
  }
}

export function dayOf(ms: number): string {
  const at = new Date(ms)
  const two = (number: number) => String(number).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

function empty(key: string): Sum {
  const tokens = { input: 0, output: 0, cached: 0, reasoning: 0 }
  return { key, runs: 0, calls: 0, errors: 0, retries: 0, tokens, all: [], inRuns: new Set() }
}

function add(sum: Sum, row: Row): void {
  sum.calls += 1
  sum.inRuns.add(row.trace_id)
  sum.runs = sum.inRuns.size
  if (row.status === 'error') sum.errors += 1
  sum.retries += row.retries ?? 0
  for (const kind of ['input', 'output', 'cached', 'reasoning'] as const) sum.tokens[kind] += row[kind] ?? 0
  if (row.usd !== null) sum.usd = (sum.usd ?? 0) + row.usd
  sum.all.push(row)
}

function countRun(sums: Map<string, Sum>, row: Row): void {
  const key = dayOf(row.start_ms)
  const sum = sums.get(key) ?? empty(key)
  sums.set(key, sum)
  sum.inRuns.delete(row.trace_id)
  sum.inRuns.add(`${row.trace_id} ${row.span_id}`)
  sum.runs = sum.inRuns.size
}

function finished({ all: rows, inRuns: _, ...row }: Sum): TotalsRow {
  const measured = (read: (row: Row) => number | null) =>
    percentiles(rows.map(read).filter((value): value is number => value !== null))
  const ms = measured((each) => each.ms)
  const firstMs = measured((each) => each.first_ms)
  const tokensPerSecond = measured(({ output, ms: took, first_ms }) => {
    const seconds = ((took ?? 0) - (first_ms ?? 0)) / 1000
    return output && seconds > 0 ? output / seconds : null
  })
  return { ...row, ...(ms && { ms }), ...(firstMs && { firstMs }), ...(tokensPerSecond && { tokensPerSecond }) }
}

/** By the nearest rank. */
export function percentiles(numbers: readonly number[]): Percentiles | undefined {
  if (numbers.length === 0) return undefined
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] as number
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) }
}
