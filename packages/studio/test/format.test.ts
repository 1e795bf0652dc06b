/** What people read: numbers, times, texts, rows, links. */
import { describe, expect, it } from 'vitest'
import { rounded } from '../src/page/bars.tsx'
import { ends } from '../src/page/changes.tsx'
import { count, dollars, duration, inert, inertJson, moment, percent, short } from '../src/page/format.ts'
import { link, readRoute } from '../src/page/route.ts'
import { extent, tree } from '../src/page/rows.ts'
import type { SpanRow } from '../src/wire.ts'

describe('numbers', () => {
  it.each([
    [count(1234567), '1,234,567'],
    [count(undefined), '–'],
    [short(999), '999'],
    [short(1204), '1.2k'],
    [short(99_950), '100k'],
    [short(999_499), '999k'],
    [short(999_500), '1.0M'],
    [dollars(0), '$0'],
    [dollars(0.00004), '<$0.0001'],
    [dollars(0.0031), '$0.0031'],
    [dollars(12.5), '$12.50'],
    [duration(0.4), '<1 ms'],
    [duration(420), '420 ms'],
    [duration(9_870), '9.9 s'],
    [duration(59_990), '1 m 00 s'],
    [duration(100_000), '1 m 40 s'],
    [duration(5_400_000), '1 h 30 m'],
    [duration(3 * 86_400_000), '3 days'],
    [percent(1, 0), '–'],
    [percent(0, 5), '0 %'],
    [percent(1, 5000), '<0.1 %'],
    [percent(1, 3), '33 %'],
    [percent(3, 38), '7.9 %'],
  ])('%s is %s', (shown, expected) => expect(shown).toBe(expected))

  it('a scale ends with a plain number that holds all', () => {
    for (const most of [0.0055, 1, 7, 19, 21, 999, 1_000_001]) {
      expect(rounded(most)).toBeGreaterThanOrEqual(most)
      expect(rounded(most)).toBeLessThanOrEqual(most * 2)
    }
    expect(rounded(0)).toBe(1)
  })

  it('a moment of today is its time, another one has its day', () => {
    const now = new Date(2026, 10, 23, 12).getTime()
    expect(moment(now - 3_600_000, now)).toBe('11:00:00')
    expect(moment(now - 86_400_000, now)).toBe('22 Nov, 12:00')
    expect(moment(new Date(2025, 0, 2, 3).getTime(), now)).toBe('2 Jan 2025, 03:00')
  })
})

describe('texts', () => {
  it('keep what people write, in any language', () => {
    for (const text of ['a\tb\nc', 'שלום', 'مرحبا', '👩🏽 🇵🇹', '日本語', '']) expect(inert(text)).toBe(text)
  })

  it('show by its number what would act, and half a character as none', () => {
    expect(inert('\u001b[2J\r\u0000\u009b')).toBe('[U+001B][2J[U+000D][U+0000][U+009B]')
    expect(inert('\u202e\u2066\u200f\u2028\ufeff\u{e0041}')).not.toMatch(/[\u202e\u2066\u200f\u2028\ufeff\u{e0041}]/u)
    expect(inert('\ud800')).toBe('\ufffd')
  })

  it('as JSON to be changed, lose nothing', () => {
    const value = { text: 'a\u202eb\u{e0041}', n: [1, null] }
    expect(inertJson(value)).toContain('a\\u202eb')
    expect(JSON.parse(inertJson(value))).toEqual(value)
  })

  it('are told apart from both ends, and the ends never overlap', () => {
    expect(ends('one two three', 'one 2 three')).toEqual({ head: 4, tail: 6 })
    expect(ends('aa', 'aaa')).toEqual({ head: 2, tail: 0 })
    expect(ends('', 'a')).toEqual({ head: 0, tail: 0 })
  })
})

it('links hold any text, and are read again as they were', () => {
  const made = link(['runs', 'a/b?c#d %'], { text: 'x&y=z', none: '', gone: undefined })
  const { path, query } = readRoute(made)
  expect(path).toEqual(['runs', 'a/b?c#d %'])
  expect([...query]).toEqual([['text', 'x&y=z']])
  expect(readRoute('').path).toEqual([])
  expect(readRoute('#/%E0%A4').path).toEqual(['%E0%A4'])
})

describe('rows', () => {
  const span = (id: string, parent: string | undefined, start: number, kind: SpanRow['kind'] = 'tool'): SpanRow => ({
    id,
    ...(parent !== undefined && { parent }),
    kind,
    name: id,
    status: 'ok',
    start,
    ms: 1,
  })
  const outline = (spans: SpanRow[], closed: string[] = []) =>
    tree(spans, new Set(closed)).map(({ span, depth, turn }) => `${depth} ${span.id}${turn ? ` ${turn}` : ''}`)

  it('stand in order of their beginning, under whom they belong to, with the turns counted', () => {
    const spans = [
      span('c', 'a', 3, 'model'),
      span('a', undefined, 1, 'agent'),
      span('b', 'a', 2, 'model'),
      span('d', 'b', 4),
    ]
    expect(outline(spans)).toEqual(['0 a', '1 b 1', '2 d', '1 c 2'])
    expect(outline(spans, ['b'])).toEqual(['0 a', '1 b 1', '1 c 2'])
  })

  it('are there without their parent, and end in a circle', () => {
    expect(outline([span('a', 'gone', 1)])).toEqual(['0 a'])
    expect(outline([span('r', undefined, 1), span('a', 'b', 1), span('b', 'a', 2)])).toEqual(['0 r'])
  })

  it('may be nested deeper than calls may be', () => {
    const deep = Array.from({ length: 20_000 }, (_, index) =>
      span(`s${index}`, index ? `s${index - 1}` : undefined, index),
    )
    expect(tree(deep, new Set())).toHaveLength(20_000)
  })

  it('cover the time up to now while something runs', () => {
    const { ms: _, ...running } = span('a', undefined, 10)
    expect(extent([running], 50)).toEqual({ start: 10, end: 50 })
    expect(extent([span('a', undefined, 10)], 50)).toEqual({ start: 10, end: 11 })
    expect(extent([], 50)).toEqual({ start: 0, end: 1 })
  })
})
