/** `datetime()`: the tool for dates, times and zones, which models get wrong by heart. */
import { DefinitionError, InputError, isClewError, type Tool, tool } from '@clew/core'
import { Temporal } from 'temporal-polyfill'
import { z } from 'zod/v4'
import { checkNames } from '../guard/check-option.ts'
import { addTo, differenceOf, nowIn, type Reading, read, shown, zoneOf } from './reading.ts'

export type DatetimeOptions = {
  /** The zone of times that name none: an IANA name. Default `UTC`. */
  zone?: string
  /** The clock, in milliseconds since 1970. Default: the machine's. */
  now?: () => number
}

const units = ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds'] as const

const inputSchema = z.object({
  action: z
    .enum(['now', 'convert', 'difference', 'add'])
    .describe(
      'now: the time. convert: "time" in "toZone". difference: from "time" to "until". add: "amount" to "time".',
    ),
  time: z
    .string()
    .optional()
    .describe('ISO, for example "2026-03-29T14:30", "2026-03-29" or "2026-03-29T14:30Z". Left out: now.'),
  zone: z.string().optional().describe('Zone of the times, for example "Europe/Berlin". Left out: the usual one.'),
  toZone: z.string().optional().describe('convert: the zone to convert to.'),
  until: z.string().optional().describe('difference: the other time, in ISO. Left out: now.'),
  amount: z.int().min(-1e9).max(1e9).optional().describe('add: a whole number; below 0 it goes back in time.'),
  unit: z.enum(units).optional().describe('add: the unit of "amount".'),
})

export type DatetimeInput = z.infer<typeof inputSchema>

/** What the fake takes for now. */
const fakeNow = Date.UTC(2026, 0, 1)

/**
 * `datetime` says what time it is in a zone, converts between zones, tells the difference of two times and adds to one.
 * Days, weeks, months and years are the calendar's: they keep the time of the day over a change of the clocks; hours,
 * minutes and seconds are exact.
 * @throws DefinitionError for a zone that there is not
 */
export function datetime(options: DatetimeOptions = {}): Tool<DatetimeInput> {
  checkNames('datetime()', options, ['zone', 'now'])
  const { zone = 'UTC', now = Date.now } = options
  if (typeof now !== 'function') {
    throw new DefinitionError(
      `datetime(): now is ${String(now)}; give a function that returns milliseconds since 1970.`,
    )
  }
  try {
    zoneOf(zone)
  } catch (cause) {
    throw new DefinitionError(
      `datetime(): zone is ${JSON.stringify(zone)}; give an IANA name such as "Europe/Berlin".`,
      {
        cause,
      },
    )
  }
  const work = (clock: () => number) => (input: DatetimeInput) => answer(input, input.zone ?? zone, clock())
  return tool({
    name: 'datetime',
    description: `Tells the date and time, converts between time zones, and calculates with dates: clock changes, leap years and month lengths are right. Use it whenever a date or a time has to be known or calculated. Times without a zone are in ${zone}.`,
    effect: 'pure',
    input: inputSchema,
    execute: work(now),
    fake: work(() => fakeNow),
  })
}

function answer(input: DatetimeInput, zoneName: string, now: number): string {
  const zone = zoneOf(zoneName)
  const clock = Temporal.Instant.fromEpochMilliseconds(now)
  const timeOf = (text: string | undefined): Reading =>
    text === undefined ? nowIn(zone, clock) : read(text, zone, clock)
  try {
    switch (input.action) {
      case 'now':
        return shown(nowIn(zone, clock))
      case 'convert': {
        const { toZone } = input
        if (toZone === undefined) throw new InputError('"convert" needs "toZone", for example "America/New_York".')
        const from = timeOf(input.time)
        return `${shown(from)}\nis ${shown({ time: from.time.withTimeZone(zoneOf(toZone)), notes: [] })}`
      }
      case 'difference':
        return differenceOf(timeOf(input.time), timeOf(input.until))
      case 'add': {
        const { amount, unit } = input
        if (amount === undefined || unit === undefined)
          throw new InputError('"add" needs "amount" and "unit", for example 3 and "days".')
        return shown(addTo(timeOf(input.time), amount, unit))
      }
    }
  } catch (error) {
    if (isClewError(error)) throw error
    throw new InputError('The result is no date that can be written: it is too far from now. Use smaller numbers.', {
      cause: error,
    })
  }
}
