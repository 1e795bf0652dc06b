/**
 * `reasoning_details`, kept as received; what goes back of them is in `reasoning-sent.ts`. Fragments of a stream are
 * merged by section 6.3 of the wire contract, and by nothing else: signatures cover the text, so no byte may change.
 */
import type { Json } from '@clew/core'
import { isObject, isText } from './json.ts'

type Detail = { [key: string]: Json }
const textKeys = { 'reasoning.text': 'text', 'reasoning.summary': 'summary' } as const
/** The key whose value comes in pieces. */
const pieceKeys = { ...textKeys, 'reasoning.encrypted': 'data' } as const

/** Adds a fragment to the merged list. Never reorders; what it does not know becomes an entry of its own. */
export function mergeDetail(merged: Json[], fragment: Json): void {
  const last = merged.at(-1)
  if (isKnownData(merged, fragment)) return
  if (isObject(fragment) && isObject(last) && belongsTo(last, fragment)) {
    append(last, fragment)
    return
  }
  merged.push(isObject(fragment) ? { ...fragment } : fragment)
}

function belongsTo(last: Detail, fragment: Detail): boolean {
  if (last.type !== fragment.type || (last.index ?? null) !== (fragment.index ?? null)) return false
  // Encrypted data without an id cannot be told apart: each is an entry of its own.
  if (fragment.type === 'reasoning.encrypted') return !isNothing(fragment.id) && last.id === fragment.id
  // Nothing follows a signature in the text that it covers.
  if (isText(last.signature) && isText(fragment.text)) return false
  const isReadable = fragment.type === 'reasoning.text' || fragment.type === 'reasoning.summary'
  return isReadable && (isNothing(last.id) || isNothing(fragment.id) || last.id === fragment.id)
}

/** The same encrypted item once more: sent back twice it is refused ("Duplicate item found with id rs_…"). */
function isKnownData(merged: readonly Json[], fragment: Json): boolean {
  if (!isObject(fragment) || fragment.type !== 'reasoning.encrypted' || !isText(fragment.id)) return false
  const { type, id, data } = fragment
  return merged.some((entry) => isObject(entry) && entry.type === type && entry.id === id && entry.data === data)
}

function append(last: Detail, fragment: Detail): void {
  const pieceKey = pieceKeys[fragment.type as keyof typeof pieceKeys]
  for (const [key, value] of Object.entries(fragment)) {
    const before = last[key]
    if (isNothing(before)) last[key] = value
    else if (typeof before !== 'string' || typeof value !== 'string') continue
    // A signature that comes twice, whole, is one.
    else if (key === 'signature' && value === before) continue
    else if (key === pieceKey || key === 'signature') last[key] = before + value
  }
}

/** What a person may read of the details: text and summaries, never encrypted data. */
export function readableDetails(details: readonly Json[] = []): string {
  let text = ''
  for (const detail of details) {
    const key = isObject(detail) && isText(detail.type) ? textKeys[detail.type as keyof typeof textKeys] : undefined
    const piece = key && (detail as Detail)[key]
    if (typeof piece === 'string') text += piece
  }
  return text
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined
}
