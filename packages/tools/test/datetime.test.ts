/** `datetime`: zones, clock changes and calendars, at a time that the test chooses. */
import { describe, expect, it } from 'vitest'
import { type DatetimeInput, datetime } from '../src/index.ts'
import { resultOf } from './result-of.ts'

const now = () => Date.UTC(2026, 10, 23, 9, 26, 6)
const ask = async (input: DatetimeInput) => (await resultOf(datetime({ zone: 'Europe/Berlin', now }), input)).text

describe('datetime', () => {
  it.each<[string, DatetimeInput, string]>([
    ['now, in the usual zone', { action: 'now' }, '2026-11-23T10:26:06+01:00 (Europe/Berlin, Monday)'],
    ['now, elsewhere', { action: 'now', zone: 'Asia/Kolkata' }, '2026-11-23T14:56:06+05:30 (Asia/Kolkata, Monday)'],
    [
      'a zone in other letters',
      { action: 'now', zone: 'europe/london' },
      '2026-11-23T09:26:06+00:00 (Europe/London, Monday)',
    ],
    ['an offset as zone', { action: 'now', zone: '-03:00' }, '2026-11-23T06:26:06-03:00 (-03:00, Monday)'],
  ])('tells %s', async (_, input, text) => {
    expect(await ask(input)).toBe(text)
  })

  it.each<[string, DatetimeInput, string]>([
    [
      'a time of the usual zone',
      { action: 'convert', time: '2026-07-01T12:00', toZone: 'America/New_York' },
      '2026-07-01T06:00:00-04:00 (America/New_York, Wednesday)',
    ],
    [
      'a time of another zone',
      { action: 'convert', time: '2026-07-01 12:00', zone: 'Asia/Tokyo', toZone: 'UTC' },
      '2026-07-01T03:00:00+00:00 (UTC, Wednesday)',
    ],
    [
      'a time with Z',
      { action: 'convert', time: '2026-01-01T00:30Z', toZone: 'America/Los_Angeles' },
      '2025-12-31T16:30:00-08:00 (America/Los_Angeles, Wednesday)',
    ],
    [
      'a time with an offset',
      { action: 'convert', time: '2026-01-01T00:30+05:30', toZone: 'UTC' },
      '2025-12-31T19:00:00+00:00 (UTC, Wednesday)',
    ],
    [
      'a time with its zone',
      { action: 'convert', time: '2026-01-01T00:30[Asia/Kathmandu]', toZone: 'UTC' },
      '2025-12-31T18:45:00+00:00 (UTC, Wednesday)',
    ],
    [
      'a date',
      { action: 'convert', time: '2024-02-29', toZone: 'Pacific/Auckland' },
      '2024-02-29T12:00:00+13:00 (Pacific/Auckland, Thursday)',
    ],
    ['now', { action: 'convert', time: 'now', toZone: 'UTC' }, '2026-11-23T09:26:06+00:00 (UTC, Monday)'],
  ])('converts %s', async (_, input, text) => {
    expect((await ask(input)).split('\nis ')[1]).toBe(text)
  })

  it.each<[string, DatetimeInput, string]>([
    [
      'a day over the change of the clocks',
      { action: 'add', time: '2026-03-28T12:00', amount: 1, unit: 'days' },
      '2026-03-29T12:00:00+02:00',
    ],
    [
      '24 hours over it',
      { action: 'add', time: '2026-03-28T12:00', amount: 24, unit: 'hours' },
      '2026-03-29T13:00:00+02:00',
    ],
    [
      'minutes behind it',
      { action: 'add', time: '2026-10-25T02:30', amount: 60, unit: 'minutes' },
      '2026-10-25T02:30:00+01:00',
    ],
    [
      'a leap day and a year',
      { action: 'add', time: '2024-02-29', amount: 1, unit: 'years' },
      '2025-02-28T00:00:00+01:00 (Europe/Berlin, Friday)\nThe month has no day 29: its last day was taken.',
    ],
    [
      'a month to its last day',
      { action: 'add', time: '2026-01-31', amount: 1, unit: 'months' },
      'The month has no day 31: its last day was taken.',
    ],
    [
      'weeks, backwards',
      { action: 'add', time: '2026-01-05', amount: -2, unit: 'weeks' },
      '2025-12-22T00:00:00+01:00 (Europe/Berlin, Monday)',
    ],
    ['seconds to now', { action: 'add', amount: 54, unit: 'seconds' }, '2026-11-23T10:27:00+01:00'],
    [
      'a day, into a gap',
      { action: 'add', time: '2026-03-28T02:30', amount: 1, unit: 'days' },
      '2026-03-29T03:30:00+02:00 (Europe/Berlin, Sunday)\n2026-03-29T02:30 does not exist in Europe/Berlin: the clocks went forward. The time behind the gap was taken.',
    ],
  ])('adds %s', async (_, input, text) => {
    expect(await ask(input)).toContain(text)
  })

  it('says so of a time that comes twice, and how to write the second', async () => {
    const text = await ask({ action: 'convert', time: '2026-10-25T02:30', toZone: 'UTC' })
    expect(text).toContain(
      '2026-10-25T02:30 comes twice in Europe/Berlin: the clocks went back. The first was taken; for the second write 2026-10-25T02:30+01:00.',
    )
    expect(text).toContain('2026-10-25T00:30:00+00:00')
    const second = await ask({ action: 'convert', time: '2026-10-25T02:30+01:00', toZone: 'UTC' })
    expect(second).toContain('2026-10-25T01:30:00+00:00')
    expect(second).not.toContain('twice')
  })

  it.each<[string, DatetimeInput, string, string]>([
    [
      'by the calendar and in all',
      { action: 'difference', time: '2026-01-31T08:00Z', until: '2026-03-01T09:30Z', zone: 'UTC' },
      '1 month, 1 day, 1 hour, 30 minutes.',
      'In all 29.0625 days, or 697.5 hours, or 2511000 seconds.',
    ],
    [
      'over the change of the clocks',
      { action: 'difference', time: '2026-03-28T12:00', until: '2026-03-29T12:00' },
      ': 1 day.',
      'In all 1 days, or 23 hours, or 82800 seconds.',
    ],
    [
      'to an earlier time',
      { action: 'difference', time: '2026-01-02', until: '2025-12-31' },
      ': minus 2 days.',
      'In all -2 days, or -48 hours',
    ],
    ['to now', { action: 'difference', time: '2026-11-23T10:26:05' }, ': 1 second.', 'or 1 seconds'],
    ['of nothing', { action: 'difference' }, ': nothing.', 'In all 0 days'],
    [
      'between zones',
      { action: 'difference', time: '2026-01-01T00:00+09:00', until: '2026-01-01T00:00-08:00' },
      ': 17 hours.',
      '61200 seconds',
    ],
    [
      'between times that bring their zones',
      { action: 'difference', time: '2026-01-01T00:00[Asia/Tokyo]', until: '2026-01-02T00:00[America/New_York]' },
      ': 1 day, 14 hours.',
      '(Asia/Tokyo, Friday)',
    ],
  ])('tells a difference %s', async (_, input, parts, all) => {
    const text = await ask(input)
    expect(text).toContain(parts)
    expect(text).toContain(all)
  })

  it.each<[DatetimeInput, string]>([
    [{ action: 'now', zone: 'Mars/Olympus' }, 'There is no time zone "Mars/Olympus". Use an IANA name'],
    [
      { action: 'add', time: 'tomorrow', amount: 1, unit: 'days' },
      '"tomorrow" is no date or time. Write it as "2026-03-29"',
    ],
    [{ action: 'add', time: '2026-02-30', amount: 1, unit: 'days' }, '"2026-02-30" is no date or time'],
    [{ action: 'convert', time: '2026-02-01' }, '"convert" needs "toZone"'],
    [{ action: 'convert', toZone: 'Nowhere' }, 'There is no time zone "Nowhere"'],
    [{ action: 'add', amount: 1 }, '"add" needs "amount" and "unit"'],
    [{ action: 'add', amount: 1e9, unit: 'years' }, 'The result is no date that can be written'],
    [{ action: 'add', amount: 1.5, unit: 'days' }, 'amount: '],
  ])('%j is answered with what to write instead', async (input, message) => {
    const result = await resultOf(datetime({ now }), input)
    expect(result.isError).toBe(true)
    expect(result.text).toContain(message)
  })

  it('takes UTC where no zone is given, and says so to the model', async () => {
    expect((await resultOf(datetime({ now }), { action: 'now' })).text).toBe('2026-11-23T09:26:06+00:00 (UTC, Monday)')
    expect(datetime().description).toContain('Times without a zone are in UTC.')
  })

  it('goes by the clock of the machine, and its fake by none', async () => {
    const before = Date.now() - 1000
    const { text } = await resultOf(datetime(), { action: 'now' })
    expect(Date.parse(text.split(' ')[0]!)).toBeGreaterThan(before)
    expect(datetime().fake?.({ action: 'now' } as never, {} as never)).toBe('2026-01-01T00:00:00+00:00 (UTC, Thursday)')
  })

  it('refuses a zone that there is not, and options that there are not, when it is made', () => {
    expect(() => datetime({ zone: 'Berlin' })).toThrow('datetime(): zone is "Berlin"; give an IANA name')
    expect(() => datetime({ now: 0 as never })).toThrow('datetime(): now is 0; give a function')
    expect(() => datetime({ clock: now } as never)).toThrow('datetime(): there is no option "clock". Known: zone, now.')
  })
})
