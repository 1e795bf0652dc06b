/** `clew cost`: what was spent, by day, model, agent, tool or provider. */
import type { Traces } from '../store/open-traces.ts'
import type { TotalsBy, TotalsRow } from '../store/totals.ts'
import { noNames, readArguments, readSince, sinceOption, type Usage, withTraces, wrong } from './arguments.ts'
import type { Command } from './command.ts'
import { count, duration, money } from './format.ts'
import { inert, inertJson } from './inert.ts'
import { type Column, table } from './table.ts'

const kinds: readonly TotalsBy[] = ['day', 'model', 'agent', 'tool', 'provider']

const usage: Usage = {
  line: `clew cost [--by ${kinds.join('|')}] [options]`,
  about: 'What was spent, how long it took and what failed: of model calls, or of the calls of each tool.',
  options: {
    by: { value: 'WHAT', about: `${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}; default day` },
    since: sinceOption,
  },
}

export const cost: Command = async (args, terminal) => {
  const read = readArguments(usage, args)
  if ('help' in read) {
    terminal.out(read.help)
    return 0
  }
  const { given, names } = read
  noNames(usage, names)
  const by = (given.by ?? 'day') as TotalsBy
  if (!kinds.includes(by)) throw wrong(usage, `--by ${inertJson(by)} is none of ${kinds.join(', ')}`)
  const since = readSince(usage, given)
  const rows = await withTraces(given, (traces: Traces) => traces.totals({ by, ...(since !== undefined && { since }) }))
  if (given.json) terminal.out(`${inertJson(rows, 2)}\n`)
  else terminal.out(rows.length === 0 ? 'Nothing was spent.\n' : table([...rows, ...sumOf(rows)], columns(by)))
  return 0
}

type Line = Omit<TotalsRow, 'runs'> & { runs?: number }

function columns(by: TotalsBy): Column<Line>[] {
  return [
    { title: by, cell: ({ key }) => inert(key) || '(none)' },
    // A run may ask several models, so they have no sum.
    { title: 'runs', isNumber: true, cell: ({ runs }) => (runs === undefined ? '' : count(runs)) },
    { title: 'calls', isNumber: true, cell: ({ calls }) => count(calls) },
    { title: 'in', isNumber: true, cell: (row) => figure(row.tokens.input) },
    { title: 'cached', isNumber: true, cell: (row) => figure(row.tokens.cached) },
    { title: 'out', isNumber: true, cell: (row) => figure(row.tokens.output) },
    { title: 'cost', isNumber: true, cell: ({ usd }) => money(usd) },
    { title: 'errors', isNumber: true, cell: ({ errors }) => figure(errors) },
    { title: 'retries', isNumber: true, cell: ({ retries }) => figure(retries) },
    { title: 'half in', isNumber: true, cell: ({ ms }) => (ms ? duration(ms.p50) : '-') },
    { title: '90 % in', isNumber: true, cell: ({ ms }) => (ms ? duration(ms.p90) : '-') },
    { title: 'first in', isNumber: true, cell: ({ firstMs }) => (firstMs ? duration(firstMs.p50) : '-') },
    {
      title: 'tokens/s',
      isNumber: true,
      cell: ({ tokensPerSecond: each }) => (each ? count(Math.round(each.p50)) : '-'),
    },
  ]
}

const figure = (number: number) => (number === 0 ? '-' : count(number))

function sumOf(rows: readonly TotalsRow[]): Line[] {
  if (rows.length < 2) return []
  const sum = (read: (row: TotalsRow) => number) => rows.reduce((total, row) => total + read(row), 0)
  const known = rows.some(({ usd }) => usd !== undefined)
  return [
    {
      key: 'all',
      calls: sum(({ calls }) => calls),
      errors: sum(({ errors }) => errors),
      retries: sum(({ retries }) => retries),
      tokens: {
        input: sum(({ tokens }) => tokens.input),
        output: sum(({ tokens }) => tokens.output),
        cached: sum(({ tokens }) => tokens.cached),
        reasoning: sum(({ tokens }) => tokens.reasoning),
      },
      ...(known && { usd: sum(({ usd }) => usd ?? 0) }),
    },
  ]
}
