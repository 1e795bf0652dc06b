/** `compare()` says what changed in a request against the one before it, and where the prefix that a provider caches broke. */
import type { Json } from '@clew/core'
import type { Comparison, ModelRequestContent, PartChange } from './wire.ts'

type Piece = { label: string; text: string }

/** `previous` is the span of the request before. */
export function compare(previous: string, before: ModelRequestContent, after: ModelRequestContent): Comparison {
  const [old, now] = [pieces(before), pieces(after)]
  const parts = align(old, now)
  return {
    previous,
    parts,
    settings: settings(before.settings, after.settings),
    prefix: prefix(old, now),
    isPartial: isCut(before) || isCut(after),
  }
}

/** Tools, instructions, messages: the order in which a prompt is made of them, and cached. */
function pieces({ tools, instructions, messages }: ModelRequestContent): Piece[] {
  return [
    ...(tools.length > 0 ? [{ label: 'Tools', text: tools.map(readable).join('\n') }] : []),
    ...(instructions === undefined ? [] : [{ label: 'Instructions', text: instructions }]),
    ...messages.map((message, index) => ({
      label: `Message ${index + 1}, ${message.role}`,
      text: message.parts.map((part) => (part.type === 'text' ? String(part.content) : readable(part))).join('\n'),
    })),
  ]
}

const readable = (value: object) => JSON.stringify(value, null, 2)

/** What is the same at both ends is the same; what lies between is compared pair by pair. Linear, however long they are. */
function align(old: Piece[], now: Piece[]): PartChange[] {
  const shorter = Math.min(old.length, now.length)
  const head = firstWhere(shorter, (index) => !isSame(old[index]!, now[index]!))
  const tail = firstWhere(shorter - head, (index) => !isSame(old.at(-1 - index)!, now.at(-1 - index)!))
  const between = Math.max(old.length, now.length) - head - tail
  const middle = Array.from({ length: between }, (_, index): PartChange => {
    const [was, is] = [old.slice(head, old.length - tail)[index], now.slice(head, now.length - tail)[index]]
    if (!was) return { label: is!.label, change: 'added', after: is!.text }
    if (!is) return { label: was.label, change: 'removed', before: was.text }
    return { label: is.label, change: isSame(was, is) ? 'same' : 'changed', before: was.text, after: is.text }
  })
  const same = ({ label }: Piece): PartChange => ({ label, change: 'same' })
  return [...now.slice(0, head).map(same), ...middle, ...now.slice(now.length - tail).map(same)]
}

function prefix(old: Piece[], now: Piece[]): Comparison['prefix'] {
  const part = firstWhere(old.length, (index) => !now[index] || !isSame(old[index]!, now[index]))
  if (part === old.length) return { isWhole: true }
  const [was, is] = [old[part]!, now[part]]
  const isOther = !is || kind(is) !== kind(was)
  const at = isOther ? 0 : firstWhere(was.text.length, (index) => was.text[index] !== is.text[index])
  return { isWhole: false, part, label: (is ?? was).label, at }
}

const isSame = (a: Piece, b: Piece) => kind(a) === kind(b) && a.text === b.text
/** The place of a message is no part of what it says. */
const kind = ({ label }: Piece) => label.replace(/^Message \d+/, 'Message')

function settings(before: { [name: string]: Json }, after: { [name: string]: Json }): Comparison['settings'] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({
      name,
      ...(name in before && { before: before[name]! }),
      ...(name in after && { after: after[name]! }),
    }))
}

const isCut = ({ messages }: ModelRequestContent) =>
  messages.some(({ parts }) => parts.some(({ type }) => type === 'cut'))

/** The first index that fits, or `length`. */
function firstWhere(length: number, fits: (index: number) => boolean): number {
  let index = 0
  while (index < length && !fits(index)) index += 1
  return index
}
