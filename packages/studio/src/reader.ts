/** `Reader` gives what the page asks for, out of the store and the query of a request. */
import { encodeSpans, type RunRow as RunRecord, type TotalsRow, type Traces } from '@clew/tracing'
import { compare } from './compare.ts'
import { spanContent, spanRow, titleOf } from './spans.ts'
import type { Activity, By, Comparison, RunRow, RunsPage, SpanContent, SpanPage, SpanRow, Trace } from './wire.ts'

/** Runs of one answer. */
const maxRuns = 1000
const maxDays = 366
/** What was asked in a run does not change; the list would read it again with every look. */
const maxTitles = 5000

export class Reader {
  readonly #traces: Traces
  readonly #titles = new Map<string, string>()

  constructor(traces: Traces) {
    this.#traces = traces
  }

  runs(query: URLSearchParams): RunsPage {
    const limit = count(query.get('limit'), 100, maxRuns)
    const chosen = Object.fromEntries([...query].filter(([name, value]) => filters.has(name) && value.trim() !== ''))
    const found = this.#traces.runs({ ...chosen, limit: limit + 1 })
    return { runs: found.slice(0, limit).map((run) => this.#row(run)), hasMore: found.length > limit }
  }

  trace(id: string): Trace | undefined {
    const spans = this.#traces.trace(id).map(spanRow)
    return spans.length === 0 ? undefined : { run: this.#runOf(id, spans), spans }
  }

  /** A span with what it holds; a model call also with what changed against the call before it. */
  span(traceId: string, spanId: string): SpanPage | undefined {
    const spans = this.#traces.trace(traceId).map(spanRow)
    const span = spans.find(({ id }) => id === spanId)
    const content = span && this.content(traceId, spanId)
    if (!content) return undefined
    const comparison = span.kind === 'model' && this.#against(traceId, { spans, span, content })
    return { span, content, ...(comparison && { comparison }) }
  }

  content(traceId: string, spanId: string): SpanContent | undefined {
    const span = this.#traces.trace(traceId).find((found) => found.spanId === spanId)
    return span && spanContent(span, { ...span.attributes, ...this.#traces.content(traceId, spanId) })
  }

  /** All of a trace as OTLP, which other programs read, and `importOtlp()` of `@clew/tracing`. */
  otlp(id: string): object | undefined {
    const spans = this.#traces.whole(id)
    return spans.length === 0 ? undefined : encodeSpans(spans)
  }

  activity(query: URLSearchParams): Activity {
    const days = count(query.get('days'), 7, maxDays)
    const first = new Date()
    first.setHours(0, 0, 0, 0)
    first.setDate(first.getDate() - days + 1)
    const since = first.getTime()
    const groups = (by: By) =>
      this.#traces.totals({ by, since }).map(({ key, ...row }) => ({ name: key || 'not named', ...group(row) }))
    const known = new Map(this.#traces.totals({ by: 'day', since }).map((row) => [row.key, row]))
    return {
      days: Array.from({ length: days }, (_, index) => {
        const at = new Date(first)
        at.setDate(at.getDate() + index)
        const day = dayOf(at)
        const { runs = 0, ...row } = known.get(day) ?? nothing
        return { day, runs, ...group(row) }
      }),
      by: { model: groups('model'), agent: groups('agent'), tool: groups('tool'), provider: groups('provider') },
    }
  }

  #row(run: RunRecord): RunRow {
    const { traceId, spanId, name, agent = name, models, status, startMs, ms, tokens, usd } = run
    const title = this.#title(traceId, spanId)
    const reason = status === 'failed' ? run.error : run.stop && `stopped by its limit: ${run.stop}`
    return {
      id: traceId,
      span: spanId,
      agent,
      models,
      status,
      ...(title && { title }),
      start: startMs,
      ...(ms !== undefined && { ms }),
      ...(reason && { reason }),
      ...spend({ tokens, ...(usd !== undefined && { usd }) }),
    }
  }

  #title(traceId: string, spanId: string): string {
    const key = `${traceId} ${spanId}`
    const known = this.#titles.get(key)
    if (known) return known
    const title = titleOf(this.#traces.content(traceId, spanId)) ?? ''
    if (this.#titles.size >= maxTitles) this.#titles.clear()
    this.#titles.set(key, title)
    return title
  }

  /** The trace as one run: its outermost agents are one after the other, as where it waited and went on. */
  #runOf(id: string, spans: SpanRow[]): RunRow {
    const outermost = heads(spans)
    const [first, last] = [outermost[0] as SpanRow, outermost.at(-1) as SpanRow]
    const listed = this.#traces.trace(id).find(({ spanId }) => spanId === last.id)
    const told = listed?.attributes['clew.status']
    const stop = listed?.attributes['clew.stop']
    const status =
      last.status === 'ok'
        ? typeof told === 'string'
          ? told
          : 'done'
        : last.status === 'error'
          ? 'failed'
          : last.status
    const sum = (of: (span: SpanRow) => number | undefined) =>
      outermost.reduce((total, span) => total + (of(span) ?? 0), 0)
    const title = this.#title(id, first.id)
    const reason = last.error ?? (typeof stop === 'string' ? `Stopped by its limit: ${stop}.` : undefined)
    return {
      id,
      span: first.id,
      agent: first.name,
      models: [...new Set(spans.flatMap(({ kind, model }) => (kind === 'model' && model ? [model] : [])))],
      status,
      ...(title && { title }),
      start: first.start,
      ...(last.ms !== undefined && { ms: last.start + last.ms - first.start }),
      ...(reason && { reason }),
      inputTokens: sum(({ inputTokens }) => inputTokens),
      outputTokens: sum(({ outputTokens }) => outputTokens),
      cachedTokens: sum(({ cachedTokens }) => cachedTokens),
      ...(outermost.some(({ usd }) => usd !== undefined) && { usd: sum(({ usd }) => usd) }),
    }
  }

  /** The call before is the last that the same agent began earlier. */
  #against(
    traceId: string,
    { spans, span, content }: { spans: SpanRow[]; span: SpanRow; content: SpanContent },
  ): Comparison | undefined {
    const calls = spans.filter(({ kind, parent }) => kind === 'model' && parent === span.parent)
    const previous = calls[calls.indexOf(span) - 1]
    const before = previous && this.content(traceId, previous.id)?.request
    return before && content.request ? compare(previous.id, before, content.request) : undefined
  }
}

const filters = new Set(['text', 'status', 'agent', 'model'])
const nothing: TotalsRow = {
  key: '',
  runs: 0,
  calls: 0,
  errors: 0,
  retries: 0,
  tokens: { input: 0, output: 0, cached: 0, reasoning: 0 },
}

/** Agents that work for no other; where there is none, the first span stands for them. */
export function heads(spans: SpanRow[]): SpanRow[] {
  const known = new Map(spans.map((span) => [span.id, span]))
  const isBelowAgent = (span: SpanRow) => {
    const seen = new Set<string>()
    for (
      let above = known.get(span.parent ?? '');
      above && !seen.has(above.id);
      above = known.get(above.parent ?? '')
    ) {
      if (above.kind === 'agent') return true
      seen.add(above.id)
    }
    return false
  }
  const agents = spans.filter((span) => span.kind === 'agent' && !isBelowAgent(span))
  return agents.length > 0 ? agents : spans.slice(0, 1)
}

function group({ calls, errors, retries, tokens, usd, ms, firstMs, tokensPerSecond }: Omit<TotalsRow, 'key' | 'runs'>) {
  return {
    calls,
    errors,
    retries,
    ...spend({ tokens, ...(usd !== undefined && { usd }) }),
    ...(ms && { ms }),
    ...(firstMs && { firstMs }),
    ...(tokensPerSecond && { speed: tokensPerSecond }),
  }
}

function spend({ tokens, usd }: Pick<TotalsRow, 'tokens' | 'usd'>) {
  const { input, output, cached } = tokens
  return { inputTokens: input, outputTokens: output, cachedTokens: cached, ...(usd !== undefined && { usd }) }
}

function dayOf(at: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

function count(given: string | null, otherwise: number, most: number): number {
  const number = Number(given ?? otherwise)
  return Number.isInteger(number) && number > 0 ? Math.min(number, most) : otherwise
}
