/** `clew runs`: the newest runs, one a line. */
import type { RunRow } from '../store/run-row.ts'
import type { RunsQuery } from '../store/runs.ts'
import { noNames, readArguments, readCount, readSince, sinceOption, type Usage, withTraces } from './arguments.ts'
import { type Command, colourOf, painter, type Terminal } from './command.ts'
import { count, duration, moment, money, tokens } from './format.ts'
import { inert, inertJson } from './inert.ts'
import { table } from './table.ts'

const usage: Usage = {
  line: 'clew runs [options]',
  about: 'The newest runs. Show one of them with clew show and the first digits of its trace.',
  options: {
    limit: { value: 'COUNT', about: 'how many; default 20' },
    status: { value: 'STATUS', about: 'running, waiting, resumed, done, stopped, aborted, failed or lost' },
    agent: { value: 'NAME', about: 'in which this agent worked' },
    model: { value: 'NAME', about: 'in which this model was asked' },
    text: { value: 'TEXT', about: 'in which this was said' },
    since: sinceOption,
  },
}

export const runs: Command = async (args, terminal) => {
  const read = readArguments(usage, args)
  if ('help' in read) return say(terminal, read.help)
  const { given, names } = read
  noNames(usage, names)
  const since = readSince(usage, given)
  const query: RunsQuery = { limit: readCount(usage, given, 20), ...(since !== undefined && { since }) }
  for (const name of ['status', 'agent', 'model', 'text'] as const) {
    const value = given[name]
    if (typeof value === 'string') query[name] = value
  }
  const rows = await withTraces(given, (traces) => traces.runs(query))
  if (given.json) return say(terminal, `${inertJson(rows, 2)}\n`)
  return say(terminal, rows.length === 0 ? 'No such runs.\n' : asTable(rows, terminal))
}

function say(terminal: Terminal, text: string): number {
  terminal.out(text)
  return 0
}

function asTable(rows: readonly RunRow[], terminal: Terminal): string {
  const paint = painter(terminal)
  return table(rows, [
    { title: 'trace', cell: ({ traceId }) => traceId.slice(0, 8), paint: (text) => paint('bold', text) },
    { title: 'began', cell: ({ startMs }) => moment(startMs), paint: (text) => paint('dim', text) },
    {
      title: 'status',
      cell: ({ status, stop }) => inert(stop === undefined ? status : `${status}: ${stop}`),
      max: 24,
      paint: (text, { status }) => paint(colourOf(status), text),
    },
    { title: 'agent', cell: ({ agent, name }) => inert(agent ?? name), max: 24 },
    {
      title: 'model',
      cell: ({ models }) => inert(models[0] ?? '-') + (models.length > 1 ? ` +${models.length - 1}` : ''),
      max: 32,
    },
    { title: 'calls', isNumber: true, cell: ({ modelCalls, toolCalls }) => count(modelCalls + toolCalls) },
    { title: 'tokens', isNumber: true, cell: (row) => tokens(row.tokens) },
    { title: 'cost', isNumber: true, cell: ({ usd }) => money(usd) },
    { title: 'time', isNumber: true, cell: ({ ms }) => duration(ms) },
    {
      title: 'error',
      cell: ({ error }) => inert((error ?? '').slice(0, 400)),
      max: 40,
      paint: (text) => paint('red', text),
    },
  ])
}
