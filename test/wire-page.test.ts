/** docs/wire.md is true: each rule's code cites its section, and each figure is the number of cases that the tests play. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasShared, readCases, readRecordings } from './shared.ts'

const root = join(import.meta.dirname, '..')
const sources = join(root, 'packages/openrouter/src')
const page = readFileSync(join(root, 'docs/wire.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').map((cell) => cell.trim()))

const rules = rows.flatMap(([, section = '', , code = '']) =>
  /^\d/.test(section) ? [...code.matchAll(/`([\w-]+\.ts)`/g)].map((match) => [section, match[1]!] as const) : [],
)

/** True when `text` cites the section, or one that it is part of, or a span of sections around it. */
function cites(text: string, section: string): boolean {
  const cited = [...text.matchAll(/sections?\s((?:\d+(?:\.\d+)*(?:,\s|\sand\s|\sto\s)?)+)/g)].flatMap(
    ([, list = '']) => {
      const span = /^(\d+)\sto\s(\d+)/.exec(list)
      if (!span) return list.match(/\d+(\.\d+)*/g) ?? []
      const [from, to] = [Number(span[1]), Number(span[2])]
      return Array.from({ length: to - from + 1 }, (_, at) => String(from + at))
    },
  )
  return cited.some((each) => section === each || section.startsWith(`${each}.`) || each.startsWith(`${section}.`))
}

describe('docs/wire.md', () => {
  it('has rules', () => {
    expect(rules.length).toBeGreaterThan(30)
    expect(cites('by section 6.3 of', '6.3')).toBe(true)
    expect(cites('(sections 5, 6.4 and 13 of', '13')).toBe(true)
    expect(cites('(sections 2 to 4 of', '3')).toBe(true)
    expect(cites('by section 6.3 of', '6.4')).toBe(false)
  })

  it.each(rules)('section %s is cited in %s', (section, file) => {
    expect(cites(readFileSync(join(sources, file), 'utf8'), section)).toBe(true)
  })
})

describe.skipIf(!hasShared)('the figures of docs/wire.md', () => {
  const recordings = readRecordings()
  const isFailure = (recording: (typeof recordings)[number]) => recording.response.status !== 200
  const counted: { [what: string]: number } = {
    'recorded streams (`recordings`)': recordings.filter(({ response }) => response.sse !== undefined).length,
    'recorded errors (`recordings`)': recordings.filter(isFailure).length,
    '`tau-bench`': [...readCases('tau-bench', 'airline.jsonl'), ...readCases('tau-bench', 'retail.jsonl')].length,
  }
  counted['recorded answers that were not streamed (`recordings`)'] = recordings.filter(
    (recording) => recording.response.sse === undefined && !isFailure(recording),
  ).length
  const figures = rows.flatMap(([, what = '', figure = '']) => (/^\d+ of \d+$/.test(figure) ? [[what, figure]] : []))

  it.each(figures)('%s: %s', (what, figure) => {
    const total = counted[what!] ?? readCases(what!.replaceAll('`', '')).length
    expect(figure).toBe(`${total} of ${total}`)
  })
})
