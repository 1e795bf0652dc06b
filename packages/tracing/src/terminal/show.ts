/** `clew show`: a run as a waterfall. */
import { InputError } from '@clew/core'
import type { Traces } from '../store/open-traces.ts'
import type { TraceSpan } from '../store/read-span.ts'
import type { RunRow } from '../store/run-row.ts'
import { TraceError } from '../store/trace-error.ts'
import { readArguments, type Usage, withTraces, wrong } from './arguments.ts'
import { type Command, colourOf, painter, type Terminal } from './command.ts'
import { count, duration, moment, money, plural, tokens } from './format.ts'
import { cut, inert, inertJson } from './inert.ts'
import { type TreeLine, waterfall } from './waterfall.ts'

const usage: Usage = {
  line: 'clew show RUN [options]',
  about:
    'A run as a tree of what it did, with times, tokens, cost and errors. RUN is the first digits of a trace, the id of a run, or last.',
  options: { content: { about: 'also what was said, where it was kept, 2,000 characters of each' } },
}

/** Of one piece of content. */
const maxChars = 2000

export const show: Command = async (args, terminal) => {
  const read = readArguments(usage, args)
  if ('help' in read) {
    terminal.out(read.help)
    return 0
  }
  const { given, names } = read
  const [name, ...more] = names
  if (name === undefined || more.length > 0) throw wrong(usage, name === undefined ? 'Which run?' : 'One run at a time')
  return await withTraces(given, (traces) => {
    const ids = find(traces, name)
    if (given.json)
      terminal.out(
        `${inertJson(
          ids.flatMap((id) => traces.whole(id)),
          2,
        )}\n`,
      )
    else terminal.out(ids.map((id) => asText(traces, id, terminal, given.content === true)).join('\n'))
    return 0
  })
}

/** A run that waited and was gone on with has several traces. @throws TraceError, InputError */
function find(traces: Traces, name: string): string[] {
  const found = name === 'last' ? traces.runs({ limit: 1 }).map(({ traceId }) => traceId) : traces.find(name)
  if (found.length === 0)
    throw new TraceError(`There is no run ${inertJson(name)} in ${traces.path}. See them with clew runs.`)
  const isId = found.every((id) => !id.startsWith(name.toLowerCase()))
  if (found.length > 1 && !isId)
    throw new InputError(
      `${inertJson(name)} may be ${found
        .slice(0, 5)
        .map((id) => id.slice(0, 12))
        .join(', ')}${found.length > 5 ? ' …' : ''}. Give more digits.`,
    )
  return found
}

function asText(traces: Traces, traceId: string, terminal: Terminal, withContent: boolean): string {
  const spans = traces.trace(traceId)
  const runs = traces.runsOf(traceId)
  const heads = runs.map((run) => headOf(run, terminal)).join('')
  const content = (line: TreeLine) => (withContent ? contentBelow(traces, line, terminal) : '')
  return `${heads}\n${waterfall(spans, terminal, content)}`
}

function headOf(run: RunRow, terminal: Terminal): string {
  const paint = painter(terminal)
  const { cached, reasoning } = run.tokens
  const also = [cached > 0 && `${count(cached)} cached`, reasoning > 0 && `${count(reasoning)} reasoning`].filter(
    Boolean,
  )
  const parts = [
    paint('bold', inert(run.agent ?? run.name)),
    paint(colourOf(run.status), inert(run.stop === undefined ? run.status : `${run.status}: ${run.stop}`)),
    duration(run.ms),
    `${tokens(run.tokens)} tokens${also.length > 0 ? ` (${also.join(', ')})` : ''}`,
    ...(run.usd === undefined ? [] : [money(run.usd)]),
    plural(run.modelCalls, 'model call'),
    plural(run.toolCalls, 'tool call'),
    ...(run.errors > 0 ? [paint('red', plural(run.errors, 'error'))] : []),
  ]
  const where = [
    `trace ${run.traceId}`,
    run.runId && `run ${inert(run.runId)}`,
    moment(run.startMs),
    run.service && cut(inert(run.service), 40),
  ]
  return `${parts.join('  ')}\n${paint('dim', where.filter(Boolean).join('  '))}\n`
}

function contentBelow(traces: Traces, { span, below }: TreeLine, terminal: Terminal): string {
  if (span.content.length === 0) return ''
  const paint = painter(terminal)
  const said = traces.content(span.traceId, span.spanId)
  return span.content
    .map(({ name, bytes }) => `${below}  ${paint('dim', inert(name))} ${shown(said[name], bytes)}\n`)
    .join('')
}

function shown(value: TraceSpan['attributes'][string] | undefined, bytes: number): string {
  if (value === undefined) return `(${count(bytes)} bytes, not kept: the store was full)`
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (text.length <= maxChars) return inert(text)
  return `${inert(text.slice(0, maxChars))}… (${count(text.length)} characters; all of them with --json)`
}
