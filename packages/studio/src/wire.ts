/** What the server and the page say to each other. All of it is plain JSON; the page imports these types and nothing else. */
import type { Json, Need, RunEvent } from '@clew/core'

/** What a program of another framework says of its runs can be any word. */
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

/** Sums over model calls. `inputTokens` has the cached ones in it, `outputTokens` the reasoning. */
export type Spend = {
  inputTokens: number
  outputTokens: number
  cachedTokens: number
  /** US dollars; absent when no provider told any. */
  usd?: number
}

/** One run. `id` is its trace's, `span` the one of its outermost agent. */
export type RunRow = Spend & {
  id: string
  span: string
  agent: string
  models: string[]
  status: RunStatus
  /** What was asked, shortened; absent where content is not kept. */
  title?: string
  /** Milliseconds since 1970. */
  start: number
  /** Absent while it runs. */
  ms?: number
  /** What went wrong, or why it stopped. */
  reason?: string
}

export type RunsPage = { runs: RunRow[]; hasMore: boolean }

export type SpanKind = 'agent' | 'model' | 'tool' | 'other'

/** One bar of the waterfall, without what was said. */
export type SpanRow = Partial<Spend> & {
  id: string
  parent?: string
  kind: SpanKind
  name: string
  /** `lost`: its process died before it ended. */
  status: 'running' | 'ok' | 'error' | 'lost'
  start: number
  ms?: number
  model?: string
  provider?: string
  reasoningTokens?: number
  error?: string
}

export type Trace = { run: RunRow; spans: SpanRow[] }

export type Part = { type: string; [key: string]: Json }
/** A message as the conventions for generative AI write it. */
export type Said = { role: string; parts: Part[]; finish_reason?: string }
export type ToolDefinition = { name: string; description?: string; parameters?: Json; [key: string]: Json | undefined }

export type ModelRequestContent = {
  instructions?: string
  tools: ToolDefinition[]
  messages: Said[]
  /** Temperature and the like, as sent. */
  settings: { [name: string]: Json }
}

/** What one span holds, read when it is opened. */
export type SpanContent = {
  request?: ModelRequestContent
  answer?: Said[]
  arguments?: Json
  result?: Json
  error?: string
  attributes: { [name: string]: Json }
  events: { name: string; at: number; attributes: { [name: string]: Json } }[]
}

export type PartChange = {
  label: string
  change: 'same' | 'changed' | 'added' | 'removed'
  before?: string
  after?: string
}

/** A request against the one before it, part by part in the order in which providers read them. */
export type Comparison = {
  /** The span of the request before. */
  previous: string
  parts: PartChange[]
  settings: { name: string; before?: Json; after?: Json }[]
  /** Whether all of the request before stands unchanged at the beginning of this one. */
  prefix: { isWhole: true } | { isWhole: false; part: number; label: string; at: number }
  /** Some of either request was not kept, so that only the rest could be compared. */
  isPartial: boolean
}

export type SpanPage = { span: SpanRow; content: SpanContent; comparison?: Comparison }

/** `day`: as `2026-11-23`, in the time zone of the server. `errors`: model calls that failed. */
export type Day = Spend & { day: string; runs: number; calls: number; errors: number }
/** Half, nine of ten and ninety-nine of a hundred are not above it. */
export type Percentiles = { p50: number; p90: number; p99: number }
export type Group = Spend & {
  name: string
  calls: number
  errors: number
  retries: number
  /** Milliseconds that calls took, and those to the first piece of an answer. */
  ms?: Percentiles
  firstMs?: Percentiles
  /** Output tokens a second. */
  speed?: Percentiles
}
export type By = 'model' | 'agent' | 'tool' | 'provider'
export type Activity = { days: Day[]; by: { [Name in By]: Group[] } }

/** A line of a talk with an agent: what happened, and how it ended. */
export type TalkLine =
  | RunEvent
  | { type: 'talk-end'; status: 'done' | 'waiting' | 'stopped'; needs: Need[] }
  | { type: 'talk-failed'; error: string }
export type Agents = { names: string[] }
