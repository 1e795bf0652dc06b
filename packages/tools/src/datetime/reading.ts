/** Times as they are read from and written for a model, with a note wherever the clocks make them something else. */
import { InputError } from '@clew/core'
import { Temporal } from 'temporal-polyfill'

/** A time, and what has to be said of how it was read. */
export type Reading = { time: Temporal.ZonedDateTime; notes: readonly string[] }

export type Unit = 'years' | 'months' | 'weeks' | 'days' | 'hours' | 'minutes' | 'seconds'

/** With a time of the day, and "Z" or an offset behind it. */
const hasOffset = /\d{2}:?\d{2}.*(?:z|[+−-]\d{2}(?::?\d{2})?)(?:\[|$)/i

/** As the zone's data write it. @throws InputError for one that there is not */
export function zoneOf(name: string): string {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name.trim()).timeZoneId
  } catch (cause) {
    throw new InputError(
      `There is no time zone ${JSON.stringify(name)}. Use an IANA name such as "Europe/Berlin", "UTC", or an offset such as "+02:00".`,
      { cause },
    )
  }
}

export function nowIn(zone: string, clock: Temporal.Instant): Reading {
  return { time: clock.toZonedDateTimeISO(zone), notes: [] }
}

/** A time without a zone of its own is in `zone`. @throws InputError */
export function read(text: string, zone: string, clock: Temporal.Instant): Reading {
  const written = text.trim()
  if (/^now$/i.test(written)) return nowIn(zone, clock)
  try {
    if (written.endsWith(']')) return { time: Temporal.ZonedDateTime.from(written), notes: [] }
    const [, time = ''] = written.split(/[T ]/i)
    if (time !== '' && hasOffset.test(time)) {
      return { time: Temporal.Instant.from(written).toZonedDateTimeISO(zone), notes: [] }
    }
    return inZone(Temporal.PlainDateTime.from(written), zone)
  } catch (cause) {
    throw new InputError(
      `${JSON.stringify(text)} is no date or time. Write it as "2026-03-29", "2026-03-29T14:30" or "2026-03-29T14:30+02:00".`,
      { cause },
    )
  }
}

/** A time of the day that the clocks skip is moved behind the gap; of one that comes twice the first is taken. */
function inZone(plain: Temporal.PlainDateTime, zone: string): Reading {
  const time = plain.toZonedDateTime(zone)
  const later = plain.toZonedDateTime(zone, { disambiguation: 'later' })
  const earlier = plain.toZonedDateTime(zone, { disambiguation: 'earlier' })
  if (later.epochMilliseconds === earlier.epochMilliseconds) return { time, notes: [] }
  const written = plain.toString({ smallestUnit: 'minute' })
  if (!time.toPlainDateTime().equals(plain)) {
    const note = `${written} does not exist in ${zone}: the clocks went forward. The time behind the gap was taken.`
    return { time, notes: [note] }
  }
  const note = `${written} comes twice in ${zone}: the clocks went back. The first was taken; for the second write ${written}${later.offset}.`
  return { time, notes: [note] }
}

export function addTo({ time, notes }: Reading, amount: number, unit: Unit): Reading {
  const duration = Temporal.Duration.from({ [unit]: amount })
  if (unit === 'hours' || unit === 'minutes' || unit === 'seconds') return { time: time.add(duration), notes }
  const plain = time.toPlainDateTime()
  const moved = plain.add(duration)
  const added = inZone(moved, time.timeZoneId)
  const isShort = (unit === 'months' || unit === 'years') && moved.day !== plain.day
  const short = isShort ? [`The month has no day ${plain.day}: its last day was taken.`] : []
  return { time: added.time, notes: [...notes, ...short, ...added.notes] }
}

/** By the calendar, and in all as days, hours and seconds. */
export function differenceOf(from: Reading, to: Reading): string {
  const start = from.time
  const end = to.time.withTimeZone(start.timeZoneId)
  const between = start.until(end, { largestUnit: 'years', smallestUnit: 'seconds' })
  const sign = between.sign < 0 ? 'minus ' : ''
  const parts = (['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds'] as const).flatMap((unit) => {
    const count = Math.abs(between[unit])
    return count === 0 ? [] : [`${count} ${count === 1 ? unit.slice(0, -1) : unit}`]
  })
  const seconds = between.total({ unit: 'seconds', relativeTo: start })
  const days = between.total({ unit: 'days', relativeTo: start })
  const hours = seconds / 3600
  return [
    `From ${written(start)} to ${written(end)}: ${sign}${parts.join(', ') || 'nothing'}.`,
    `In all ${short(days)} days, or ${short(hours)} hours, or ${seconds} seconds.`,
    ...from.notes,
    ...to.notes,
  ].join('\n')
}

export function shown({ time, notes }: Reading): string {
  return [written(time), ...notes].join('\n')
}

const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' })

function written(time: Temporal.ZonedDateTime): string {
  const day = weekday.format(Date.UTC(time.year, time.month - 1, time.day))
  const text = time.toString({ smallestUnit: 'second', timeZoneName: 'never' })
  return `${text} (${time.timeZoneId}, ${day})`
}

function short(number: number): string {
  return String(Math.round(number * 10_000) / 10_000)
}
