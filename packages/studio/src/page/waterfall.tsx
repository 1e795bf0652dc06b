/** The spans of a run over time. Only the rows in sight are in the document, so that 5,000 cost no more than 50. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { SpanRow } from '../wire.ts'
import { dollars, duration, inert, short } from './format.ts'
import { type Extent, extent, type Row, tree } from './rows.ts'

const rowHeight = 32
/** Rows above and below the sight, for the next turn of the wheel. */
const spare = 12

type WaterfallProps = { spans: SpanRow[]; chosen: string | undefined; choose: (id: string) => void }

export function Waterfall({ spans, chosen, choose }: WaterfallProps) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const rows = useMemo(() => tree(spans, closed), [spans, closed])
  const whole = useMemo(() => extent(spans, Date.now()), [spans])
  const list = useRef<HTMLDivElement>(null)
  const { first, last } = useSight(list, rows.length)
  const at = rows.findIndex(({ span }) => span.id === chosen)

  const toggle = (id: string, isOpen: boolean) => {
    const next = new Set(closed)
    if (isOpen) next.delete(id)
    else next.add(id)
    setClosed(next)
  }
  const moveTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))]
    if (!row || !list.current) return
    reveal(list.current, rows.indexOf(row))
    choose(row.span.id)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[at]
    const page = Math.floor((list.current?.clientHeight ?? 0) / rowHeight)
    const moves: { [key: string]: () => void } = {
      ArrowDown: () => moveTo(at + 1),
      ArrowUp: () => moveTo(at - 1),
      j: () => moveTo(at + 1),
      k: () => moveTo(at - 1),
      PageDown: () => moveTo(at + page),
      PageUp: () => moveTo(at - page),
      Home: () => moveTo(0),
      End: () => moveTo(rows.length - 1),
      ArrowRight: () => row && (row.isOpen ? moveTo(at + 1) : toggle(row.span.id, true)),
      ArrowLeft: () =>
        row && (row.isOpen && row.children > 0 ? toggle(row.span.id, false) : moveTo(parentOf(rows, at))),
    }
    const move = event.ctrlKey || event.metaKey || event.altKey ? undefined : moves[event.key]
    if (!move) return
    event.preventDefault()
    move()
  }
  return (
    <section class="waterfall" aria-label="Waterfall">
      <Axis whole={whole} />
      <div
        ref={list}
        class="rows"
        role="tree"
        aria-label="What happened, in order"
        tabIndex={0}
        aria-activedescendant={at >= first && at < last ? rowId(at) : undefined}
        onKeyDown={onKeyDown}
      >
        <div class="all" style={{ height: `${rows.length * rowHeight}px` }}>
          {rows.slice(first, last).map((row, index) => (
            <Line
              key={row.span.id}
              row={row}
              index={first + index}
              whole={whole}
              isChosen={row.span.id === chosen}
              choose={choose}
              toggle={toggle}
            />
          ))}
        </div>
      </div>
    </section>
  )
}

type LineProps = {
  row: Row
  index: number
  whole: Extent
  isChosen: boolean
  choose: (id: string) => void
  toggle: (id: string, isOpen: boolean) => void
}

function Line({ row: { span, depth, children, isOpen, turn }, index, whole, isChosen, choose, toggle }: LineProps) {
  const name = inert(span.name)
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are heard by the tree, which has the focus.
    // biome-ignore lint/a11y/useFocusableInteractive: as above; the row is its active descendant.
    <div
      id={rowId(index)}
      class={`line ${span.kind} ${span.status}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={isChosen}
      aria-expanded={children > 0 ? isOpen : undefined}
      aria-label={`${kindWords[span.kind]} ${name}, ${span.status === 'running' ? 'running' : duration(span.ms)}${span.error === undefined ? '' : ', error'}`}
      style={{ top: `${index * rowHeight}px` }}
      onClick={() => choose(span.id)}
    >
      <span class="name" style={{ paddingLeft: `calc(${Math.min(depth, 12)} * var(--indent))` }}>
        {children > 0 ? (
          <span
            class={isOpen ? 'twist open' : 'twist'}
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation()
              toggle(span.id, !isOpen)
            }}
          />
        ) : (
          <span class="twist none" aria-hidden="true" />
        )}
        <i class="dot" aria-hidden="true" />
        <bdi title={name}>{span.kind === 'model' ? name.replace(/^[\w.-]+\/(?=[\w.:-]+$)/, '') : name}</bdi>
        {turn !== undefined && <small>turn {turn}</small>}
      </span>
      <span class="track">
        <Bar span={span} whole={whole} />
      </span>
      <span class="number">{span.kind === 'tool' ? '' : short(span.inputTokens)}</span>
      <span class="number cost">{span.kind === 'tool' ? '' : dollars(span.usd)}</span>
      <span class="number">{span.status === 'running' ? '…' : duration(span.ms)}</span>
    </div>
  )
}

const kindWords = { agent: 'Agent', model: 'Model call', tool: 'Tool', other: 'Span' }
const rowId = (index: number) => `row-${index}`

function Bar({ span, whole }: { span: SpanRow; whole: Extent }) {
  const all = whole.end - whole.start
  const left = (span.start - whole.start) / all
  const width = (span.ms ?? whole.end - span.start) / all
  return <i class="bar-of-time" style={{ left: `${left * 100}%`, width: `${Math.max(0, width) * 100}%` }} />
}

function Axis({ whole }: { whole: Extent }) {
  const all = whole.end - whole.start
  return (
    <div class="axis" aria-hidden="true">
      <span class="name">Span</span>
      <span class="track">
        {[0, 0.25, 0.5, 0.75].map((part) => (
          <span key={part} style={{ left: `${part * 100}%` }}>
            {part === 0 ? '0' : duration(all * part)}
          </span>
        ))}
      </span>
      <span class="number">Tokens</span>
      <span class="number cost">Cost</span>
      <span class="number">Took</span>
    </div>
  )
}

/** Which rows are in sight. */
function useSight(list: { current: HTMLDivElement | null }, count: number): { first: number; last: number } {
  const [sight, setSight] = useState({ top: 0, height: 800 })
  useEffect(() => {
    const element = list.current
    if (!element) return
    const look = () => setSight({ top: element.scrollTop, height: element.clientHeight })
    const size = new ResizeObserver(look)
    size.observe(element)
    element.addEventListener('scroll', look, { passive: true })
    return () => {
      size.disconnect()
      element.removeEventListener('scroll', look)
    }
  }, [list])
  const first = Math.max(0, Math.min(count, Math.floor(sight.top / rowHeight)) - spare)
  const last = Math.min(count, Math.ceil((sight.top + Math.min(sight.height, 4000)) / rowHeight) + spare)
  return { first, last }
}

function reveal(list: HTMLElement, index: number): void {
  const top = index * rowHeight
  if (top < list.scrollTop) list.scrollTop = top
  else if (top + rowHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + rowHeight - list.clientHeight
}

function parentOf(rows: Row[], at: number): number {
  const depth = rows[at]?.depth ?? 0
  for (let index = at - 1; index >= 0; index -= 1) if (rows[index]!.depth < depth) return index
  return at
}
