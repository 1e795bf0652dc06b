/** Numbers, times and texts as people read them. */
import type { Json } from '@clew/core'

export function count(value: number | undefined): string {
  return value === undefined ? '–' : value.toLocaleString('en-US')
}

/** 950, 12.3k, 4.56M: three digits tell enough in a list. */
export function short(value: number | undefined): string {
  if (value === undefined) return '–'
  const [divisor, unit] = value >= 999_500 ? [1_000_000, 'M'] : value >= 1000 ? [1000, 'k'] : [1, '']
  const scaled = value / divisor
  return divisor === 1 ? String(Math.round(scaled)) : `${scaled.toFixed(scaled < 99.95 ? 1 : 0)}${unit}`
}

/** Small amounts keep the digits that differ. */
export function dollars(value: number | undefined): string {
  if (value === undefined) return '–'
  if (value === 0) return '$0'
  if (value >= 1) return `$${value.toFixed(2)}`
  return value < 0.0001 ? '<$0.0001' : `$${value.toFixed(4)}`
}

export function duration(ms: number | undefined): string {
  if (ms === undefined) return '–'
  if (ms < 1) return '<1 ms'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const two = (number: number) => String(number).padStart(2, '0')
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`
  return `${Math.round(minutes / 60 / 24)} days`
}

/** The time of day for today, else the day with it. */
export function moment(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)]
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
  if (date.toDateString() === today.toDateString()) return time
  const year = date.getFullYear() === today.getFullYear() ? undefined : 'numeric'
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year })}, ${time.slice(0, 5)}`
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return '–'
  const value = (part / whole) * 100
  return value > 0 && value < 0.1 ? '<0.1 %' : `${value.toFixed(value < 10 && value % 1 !== 0 ? 1 : 0)} %`
}

/**
 * Text as it is, but nothing in it can act: control characters (of a terminal, or of the writing direction) are shown by
 * their numbers.
 */
export function inert(text: string): string {
  return text.toWellFormed().replace(acting, (char) => {
    const code = char.codePointAt(0) as number
    return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`
  })
}

/** JSON to be changed by hand: what acts is written by its number, as JSON has it, so that nothing of it is lost. */
export function inertJson(value: Json): string {
  return JSON.stringify(value, null, 2).replace(acting, (char) =>
    [...Array(char.length).keys()].map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )
}

const acting =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/gu
