/** Processes are killed at every point of their runs, on every store: nothing is done twice, nothing is lost. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CrashFigures, type CrashReport, crashKit } from '@clew/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scenarios } from './crash-scenarios.ts'
import { hasPostgres, type LocalPostgres, startPostgres } from './postgres.ts'
import { temporary } from './temporary.ts'

const folder = temporary()
const names = scenarios.map(({ name }) => name)
const totals: CrashFigures[] = []
const columns = ['points', 'again', 'effects', 'verdicts', 'repeated', 'lost', 'doubled'] as const

/** Milliseconds: thousands of appends, each of them durable. */
const patience = 120_000

/** The rows of the table in docs/survives.md that begin so, without its spaces. */
function rowsOfPage(firstCells: string[]): string[] {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/survives.md'), 'utf8')
  const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  return rows.filter(([, first = '']) => firstCells.includes(first)).map((row) => row.slice(1, -1).join(' | '))
}

const rowOf = (name: string, figures: CrashFigures) => [name, ...columns.map((column) => figures[column])].join(' | ')

const sum = (all: CrashFigures[]) =>
  Object.fromEntries(
    columns.map((column) => [column, all.reduce((total, figures) => total + figures[column], 0)]),
  ) as CrashFigures

const line = ({ points, again, effects, lost, doubled }: CrashFigures) =>
  `${(points + again).toLocaleString('en')} kill points, ${effects.toLocaleString('en')} effects, lost ${lost}, doubled ${doubled}`

for (const store of ['file', 'SQLite', 'PostgreSQL']) {
  describe.skipIf(store === 'PostgreSQL' && !hasPostgres)(`kill -9 at every append and effect, on ${store}`, () => {
    let report: CrashReport
    let server: LocalPostgres | undefined
    beforeAll(async () => {
      if (store === 'PostgreSQL') server = await startPostgres()
      const script = join(import.meta.dirname, 'crash-child.ts')
      report = await crashKit({ script, args: [store, server?.connectionString ?? folder], scenarios: names })
      const total = sum(Object.values(report.scenarios))
      totals.push(total)
      console.log(`crash kit, ${store}: ${line(total)}`)
    }, patience)
    afterAll(async () => await server?.stop())

    it.each(names)('%s', (name) => {
      const problems = report.problems.filter((problem) => problem.startsWith(`${name}, `))
      expect(problems.slice(0, 5), `${problems.length} problems`).toEqual([])
      expect(report.scenarios[name]).toMatchObject({ lost: 0, doubled: 0 })
      // A crash between intent and outcome looks the same before the effect and behind it: somebody was asked.
      expect(report.scenarios[name]!.verdicts).toBeGreaterThan(0)
    })

    it('kills at 500 points at least', () => {
      const { points, again } = sum(Object.values(report.scenarios))
      expect(points + again).toBeGreaterThanOrEqual(500)
    })

    it('the figures are those of the page "What survives"', () => {
      const all = 'all, on each store'
      const rows = names.map((name) => rowOf(name, report.scenarios[name]!))
      expect(rowsOfPage([...names, all])).toEqual([...rows, rowOf(all, sum(Object.values(report.scenarios)))])
    })
  })
}

afterAll(() => console.log(`crash kit: ${line(sum(totals))}`))
