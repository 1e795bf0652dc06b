/** What the studio reads: `openTraces()` of `@clew/tracing` gives it. */
import type { Json } from '@clew/core'
import type { By, Percentiles } from './wire.ts'

export type Attributes = { [name: string]: Json }

export type TraceSpan = {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  state: 'running' | 'ended' | 'lost'
  /** Milliseconds since 1970. */
  startMs: number
  ms?: number
  status: 'unset' | 'ok' | 'error'
  message?: string
  attributes: Attributes
  /** `time` in nanoseconds since 1970, in digits. */
  events: { name: string; time: string; attributes?: Attributes }[]
}

type Tokens = { input: number; output: number; cached: number }

export type RunRecord = {
  traceId: string
  spanId: string
  name: string
  status: string
  stop?: string
  agent?: string
  models: string[]
  tokens: Tokens
  usd?: number
  error?: string
  startMs: number
  ms?: number
}

export type TotalsRecord = {
  key: string
  runs: number
  calls: number
  errors: number
  retries: number
  tokens: Tokens
  usd?: number
  ms?: Percentiles
  firstMs?: Percentiles
  tokensPerSecond?: Percentiles
}

export interface Traces {
  /** The newest first. */
  runs(query: { text?: string; status?: string; agent?: string; model?: string; limit?: number }): RunRecord[]
  /** In the order in which they began, without their content; none when there is no such trace. */
  trace(traceId: string): TraceSpan[]
  /** What the attributes of a span leave out, by name. */
  content(traceId: string, spanId: string): Attributes
  totals(query: { by: By | 'day'; since?: number }): TotalsRecord[]
  /** Spans that were written since `at`, and the next `at`. Without `at`: none, and where the store stands. */
  changes(at?: number): { at: number; spans: { traceId: string }[] }
  /** A trace with all of its content. */
  whole(traceId: string): object[]
}
