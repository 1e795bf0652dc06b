/** `tree()` lays the spans of a run out as rows: who belongs to whom, in the order in which they began. Pure. */
import type { SpanRow } from '../wire.ts'

export type Row = {
  span: SpanRow
  depth: number
  children: number
  isOpen: boolean
  /** For model calls: which turn of its agent it is. */
  turn?: number
}

/** Rows under a span in `closed` are left out. A span whose parent is not there stands at the top. */
export function tree(spans: readonly SpanRow[], closed: ReadonlySet<string>): Row[] {
  const known = new Set(spans.map(({ id }) => id))
  const under = new Map<string | undefined, SpanRow[]>()
  for (const span of spans) {
    const parent = span.parent !== undefined && known.has(span.parent) ? span.parent : undefined
    const siblings = under.get(parent)
    if (siblings) siblings.push(span)
    else under.set(parent, [span])
  }
  const rows: Row[] = []
  // Own stack: a trace of another program may be nested deeper than calls may be.
  const waiting = laid(under.get(undefined), 0)
  for (let row = waiting.pop(); row; row = waiting.pop()) {
    const children = under.get(row.span.id) ?? []
    // A circle of parents would not end.
    under.delete(row.span.id)
    const isOpen = !closed.has(row.span.id)
    rows.push({ ...row, children: children.length, isOpen })
    if (isOpen) waiting.push(...laid(children, row.depth + 1))
  }
  return rows
}

type Laid = Pick<Row, 'span' | 'depth' | 'turn'>

/** Last first, to be taken from the end. */
function laid(spans: SpanRow[] = [], depth: number): Laid[] {
  let turn = 0
  return [...spans]
    .sort((a, b) => a.start - b.start)
    .map((span) => ({ span, depth, ...(span.kind === 'model' && { turn: ++turn }) }))
    .reverse()
}

export type Extent = { start: number; end: number }

/** The time that the spans cover; those that run go on until `now`. */
export function extent(spans: readonly SpanRow[], now: number): Extent {
  let [start, end] = [Number.POSITIVE_INFINITY, 0]
  for (const span of spans) {
    start = Math.min(start, span.start)
    end = Math.max(end, span.ms === undefined ? Math.max(span.start, now) : span.start + span.ms)
  }
  return spans.length === 0 ? { start: 0, end: 1 } : { start, end: Math.max(end, start + 1) }
}
