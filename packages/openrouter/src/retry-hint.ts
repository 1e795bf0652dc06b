/** How long a server asks to wait, in any of the places where it may say so (sections 1.2 and 10.1 of the wire contract). */
import { type Fields, fieldsOf } from './json.ts'

/**
 * Milliseconds, or undefined when it says nothing that can be read. `Retry-After` counts in seconds or is a date, the
 * reset of a rate limit is a moment in milliseconds since 1970.
 */
export function readHint(headers: Headers | undefined, metadata: Fields, availability: Fields): number | undefined {
  const inBody = Object.entries(fieldsOf(metadata.headers))
  const header = (name: string): string | number | undefined => {
    const value = headers?.get(name) ?? inBody.find(([key]) => key.toLowerCase() === name)?.[1]
    return typeof value === 'string' || typeof value === 'number' ? value : undefined
  }
  return (
    amount(header('retry-after-ms'), 1) ??
    amount(header('retry-after'), 1000) ??
    until(Date.parse(String(header('retry-after') ?? ''))) ??
    amount(availability.retry_after, 1000) ??
    amount(metadata.retry_after, 1000) ??
    until(Number(header('x-ratelimit-reset') ?? Number.NaN))
  )
}

function amount(value: unknown, unit: number): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  const ms = typeof number === 'number' && number >= 0 ? Math.ceil(number * unit) : Number.NaN
  return Number.isFinite(ms) ? ms : undefined
}

/** Some servers tell the moment in seconds. */
function until(moment: number): number | undefined {
  if (!Number.isFinite(moment)) return undefined
  const ms = moment < 1e11 ? moment * 1000 : moment
  return Math.max(0, Math.ceil(ms - Date.now()))
}
