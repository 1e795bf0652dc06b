/** `clew tail`: what runs do, while they do it. */
import { setTimeout as wait } from 'node:timers/promises'
import { factsOf, modelCalls } from '../store/facts.ts'
import type { TraceSpan } from '../store/read-span.ts'
import { noNames, readArguments, type Usage, withTraces } from './arguments.ts'
import { type Command, painter, type Terminal } from './command.ts'
import { duration, moment, money, tokens } from './format.ts'
import { inert, inertJson } from './inert.ts'

const usage: Usage = {
  line: 'clew tail [options]',
  about:
    'What runs do, while they do it, until you stop it with Ctrl-C. As JSON: a span a line, each time that it changed.',
  options: {},
}

/** How often, in milliseconds, the store is asked. */
const everyMs = 200

export const tail: Command = async (args, terminal) => {
  const read = readArguments(usage, args)
  if ('help' in read) {
    terminal.out(read.help)
    return 0
  }
  const { given, names } = read
  noNames(usage, names)
  await withTraces(given, async (traces) => {
    let { at } = traces.changes()
    const open = new Set<string>()
    if (!given.json) terminal.out(`Watching ${inert(traces.path)}\n`)
    while (!terminal.signal.aborted) {
      const { at: next, spans } = traces.changes(at)
      at = next
      for (const span of spans) terminal.out(given.json ? `${inertJson(span)}\n` : lineOf(span, open, terminal))
      if (spans.length === 0) await wait(everyMs, undefined, { signal: terminal.signal }).catch(() => {})
    }
  })
  return 0
}

/** A line when it begins and one when it ends; nothing for what is told in between. */
function lineOf(span: TraceSpan, open: Set<string>, terminal: Terminal): string {
  const paint = painter(terminal)
  const id = `${span.traceId} ${span.spanId}`
  const what = `${paint('dim', moment(span.startMs + (span.ms ?? 0)).slice(11))} ${span.traceId.slice(0, 8)}`
  const name = inert(span.name)
  if (span.state !== 'ended') {
    if (open.has(id)) return ''
    open.add(id)
    return `${what} ▸ ${name}\n`
  }
  open.delete(id)
  const { op, input, output, usd, outcome } = factsOf(span)
  const isTold = modelCalls.includes(op ?? '') || op === 'invoke_agent'
  const isFailed = span.status === 'error'
  const rest = [
    duration(span.ms),
    isTold && (input || output) ? `${tokens({ input: input ?? 0, output: output ?? 0 })}` : '',
    isTold && usd !== null ? money(usd) : '',
    outcome !== null && outcome !== 'done' ? inert(outcome) : '',
    isFailed ? paint('red', inert((span.message ?? String(span.attributes['error.type'] ?? '')).slice(0, 200))) : '',
  ]
  return `${what} ${isFailed ? paint('red', '✗') : paint('green', '✓')} ${name}  ${rest.filter(Boolean).join('  ')}\n`
}
