/** `waterfall()`: the spans of a trace as a tree of lines, each with when it ran, what it cost and what went wrong. */
import { factsOf, modelCalls } from '../store/facts.ts'
import type { TraceSpan } from '../store/read-span.ts'
import { type Paint, painter, type Terminal } from './command.ts'
import { duration, money, plural, tokens } from './format.ts'
import { cut, inert, pad, widthOf } from './inert.ts'

export type TreeLine = { span: TraceSpan; branch: string; below: string }

const barColumns = 24

export function waterfall(spans: readonly TraceSpan[], terminal: Terminal, after: (line: TreeLine) => string): string {
  const paint = painter(terminal)
  const lines = tree(spans)
  const from = Math.min(...spans.map(({ startMs }) => startMs))
  const to = Math.max(...spans.map(({ startMs, ms }) => startMs + (ms ?? 0)))
  const most = Math.max(24, Math.min(60, terminal.columns - barColumns - 44))
  const titles = lines.map(({ span, branch }) => cut(branch + inert(span.name), most))
  const width = Math.max(...titles.map(widthOf))
  return lines
    .map((line, index) => {
      const { span } = line
      const parts = [
        pad(titles[index]!, width),
        pad(span.state === 'ended' ? duration(span.ms) : span.state, 9, 'right'),
        paint(span.status === 'error' || span.state === 'lost' ? 'red' : 'cyan', bar(span, from, to)),
        notes(span, paint),
      ]
      return `${parts.join('  ').trimEnd()}\n${after(line)}`
    })
    .join('')
}

/** Where the span stands between the first and the last of the trace. */
function bar({ startMs, ms, state }: TraceSpan, from: number, to: number): string {
  const scale = barColumns / Math.max(to - from, 1)
  const left = Math.min(barColumns - 1, Math.floor((startMs - from) * scale))
  const long = Math.max(1, Math.min(barColumns - left, Math.round((ms ?? to - startMs) * scale)))
  return pad(' '.repeat(left) + (state === 'ended' ? '█' : '░').repeat(long), barColumns)
}

function notes(span: TraceSpan, paint: Paint): string {
  const { op, input, output, usd, retries, outcome } = factsOf(span)
  const isCall = modelCalls.includes(op ?? '')
  const error =
    span.status === 'error'
      ? inert((span.message ?? String(span.attributes['error.type'] ?? 'failed')).slice(0, 400))
      : ''
  return [
    isCall && (input || output) ? tokens({ input: input ?? 0, output: output ?? 0 }) : '',
    isCall && usd !== null ? money(usd) : '',
    retries ? paint('yellow', plural(retries, 'retry').replace('retrys', 'retries')) : '',
    outcome !== null && outcome !== 'done' ? paint('yellow', inert(outcome)) : '',
    error && paint('red', `✗ ${cut(error, 60)}`),
  ]
    .filter(Boolean)
    .join('  ')
}

/** Children below their parents in the order in which they began; whoever has no parent here stands at the edge. */
export function tree(spans: readonly TraceSpan[]): TreeLine[] {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const children = Map.groupBy(spans, ({ parentSpanId }) => (parentSpanId && ids.has(parentSpanId) ? parentSpanId : ''))
  const lines: TreeLine[] = []
  const seen = new Set<TraceSpan>()
  // A list of what is still to be shown, since a hostile trace is deeper than the stack.
  const show = (roots: readonly TraceSpan[]) => {
    const todo = roots.toReversed().map((span) => ({ span, branch: '', below: '' }))
    for (let line = todo.pop(); line; line = todo.pop()) {
      if (seen.has(line.span)) continue
      seen.add(line.span)
      lines.push(line)
      const own = children.get(line.span.spanId) ?? []
      for (const [index, span] of [...own.entries()].reverse()) {
        const isLast = index === own.length - 1
        // Beyond a depth that fits on a line, the tree goes straight down.
        const deep = line.below.length > 40 ? line.below.slice(0, 40) : line.below
        todo.push({ span, branch: `${deep}${isLast ? '└ ' : '├ '}`, below: `${deep}${isLast ? '  ' : '│ '}` })
      }
    }
  }
  show(children.get('') ?? [])
  // Spans that stand in a circle have no first one.
  for (const span of spans) if (!seen.has(span)) show([span])
  return lines
}
