/** How figures are said in a terminal. */
import type { Tokens } from '../store/run-row.ts'
import { dayOf } from '../store/totals.ts'

export function duration(ms: number | undefined): string {
  if (ms === undefined) return '…'
  if (ms < 1) return '<1 ms'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`
}

/** As many digits as say something: fractions of a cent are usual. */
export function money(usd: number | undefined): string {
  if (usd === undefined) return '-'
  if (usd === 0) return '$0'
  return `$${usd >= 1 ? usd.toFixed(2) : usd.toFixed(Math.min(8, Math.max(4, 1 - Math.floor(Math.log10(usd)))))}`
}

export const count = (number: number) => number.toLocaleString('en')

export const plural = (number: number, word: string) => `${count(number)} ${word}${number === 1 ? '' : 's'}`

/** What was sent, and what came. */
export function tokens({ input, output }: Pick<Tokens, 'input' | 'output'>): string {
  return input === 0 && output === 0 ? '-' : `${count(input)} → ${count(output)}`
}

/** In the time zone of this computer. */
export function moment(ms: number): string {
  return `${dayOf(ms)} ${new Date(ms).toTimeString().slice(0, 8)}`
}
