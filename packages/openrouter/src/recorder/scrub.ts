/** Takes keys and account ids out of recorded JSON and text; what a model signed or encrypted stays whole. */
import type { Json } from '@clew/core'
import { fieldsOf } from '../json.ts'

/** Shorter ones are stand-ins such as "k", and words of the text. */
const shortestKey = 8

/** A new word begins here; an escape before it is of JSON inside a JSON text. */
const begin = String.raw`(?:(?<![\w-])|(?<=\\[bfnrt]|\\u[\da-fA-F]{4}))`
const token = String.raw`[\w.~+/=-]`
export const keys = [
  String.raw`sk-or-v\d+-[\w*-]{4,}`,
  String.raw`${begin}sk-[\w*-]{16,}`,
  // Not the "bearer of bad news": a token has a digit, or is longer than words are.
  String.raw`${begin}(?:[Bb]earer|BEARER)\s+(?:(?=${token}*\d)${token}{8,}|${token}{20,})`,
].join('|')
const ids = String.raw`${begin}(?:user|org)[_-](?:(?=\w*\d)\w{3,}|\w{16,})`

export type Path = readonly (string | number)[]
type Change = (text: string, path: Path) => string

/** What to take out: always the key that was sent, then what looks like a key, and account ids where asked. */
export function patternFor(key: string | undefined, looks: string[]): RegExp | undefined {
  const literal = key !== undefined && key.length >= shortestKey ? [key.replace(/[^\w]/g, '\\$&')] : []
  // The looks come first, so that a text reads the same whether the key in it was the sent one or not.
  const parts = [...looks, ...literal]
  return parts.length === 0 ? undefined : new RegExp(parts.join('|'), 'g')
}

export function marker(found: string): string {
  if (found.startsWith('sk-or-v')) return `${/^sk-or-v\d+-/.exec(found)?.[0] ?? 'sk-or-'}REDACTED`
  if (found.startsWith('sk-')) return 'sk-REDACTED'
  if (/^bearer\s/i.test(found)) return 'Bearer KEY_REDACTED'
  const account = /^(user|org)[_-]/.exec(found)
  return account ? `${account[1]}_REDACTED` : 'KEY_REDACTED'
}

function redact(text: string, pattern: RegExp | undefined): string {
  return pattern ? text.replace(pattern, marker) : text
}

/** Signatures and encrypted reasoning: only the literal key is looked for in them. */
export function isOpaque(path: Path): boolean {
  const last = path.at(-1)
  return (last === 'signature' || last === 'data') && path.includes('reasoning_details')
}

export function scrubText(text: string, key?: string): string {
  return redact(text, patternFor(key, [keys]))
}

/** The session's id is random for each conversation. */
export function scrubRequest(body: Json, key?: string): Json {
  const change = scrubStrings(key)
  return mapStrings(body, (text, path) => (path.join() === 'session_id' ? 'session_REDACTED' : change(text, path)))
}

/** Ids of accounts stand in `user_id` and in the text of errors; a model's own words may hold ids that tools need. */
export function scrubAnswer(body: Json, status: number, key?: string): Json {
  return mapStrings(body, scrubStrings(key, status))
}

export function scrubStrings(key?: string, status?: number): Change {
  const everywhere = patternFor(key, [keys])
  const inErrors = patternFor(key, [keys, ids])
  const inOpaque = patternFor(key, [])
  return (text, path) => {
    if (isOpaque(path)) return redact(text, inOpaque)
    if (status === undefined) return redact(text, everywhere)
    if (path.join() === 'user_id') return 'user_REDACTED'
    return redact(text, status >= 400 || path.includes('error') ? inErrors : everywhere)
  }
}

/** Entries with an `index` of their own (calls, reasoning details) are known by it, as their fragments are. */
export function mapStrings(value: Json, change: Change, path: Path = []): Json {
  if (typeof value === 'string') return change(value, path)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item, at) => mapStrings(item, change, [...path, indexOf(item) ?? at]))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, mapStrings(item, change, [...path, name])]),
  )
}

function indexOf(item: Json): number | undefined {
  const { index } = fieldsOf(item)
  return typeof index === 'number' ? index : undefined
}
