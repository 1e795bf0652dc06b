/** Where two JSON values differ, a line for each place. */
import type { Json } from '@clew/core'
import { isObject } from '../json.ts'

export type Place = { path: string; recorded: Json | undefined; sent: Json | undefined }

/** Characters of a value that a line shows. */
const shownChars = 80

/** Every place, in the order of the recorded value. */
export function differences(recorded: Json | undefined, sent: Json | undefined, path = ''): Place[] {
  if (Array.isArray(recorded) && Array.isArray(sent)) {
    const longer = recorded.length > sent.length ? recorded : sent
    return longer.flatMap((_, at) => differences(recorded[at], sent[at], `${path}[${at}]`))
  }
  if (isObject(recorded) && isObject(sent)) {
    const names = new Set([...Object.keys(recorded), ...Object.keys(sent)])
    return [...names].flatMap((name) =>
      differences(fieldOf(recorded, name), fieldOf(sent, name), path === '' ? name : `${path}.${name}`),
    )
  }
  return recorded === sent ? [] : [{ path: path || 'body', recorded, sent }]
}

/** `messages[2].content: recorded "a", sent "b"`; long values are cut to where they differ. */
export function describeDifference({ path, recorded, sent }: Place): string {
  const texts = [recorded, sent].map((value) => JSON.stringify(value) ?? 'nothing') as [string, string]
  let first = 0
  while (first < texts[0].length && texts[0][first] === texts[1][first]) first++
  const [was, is] = texts.map((text) => cut(text, first))
  return `${path}: recorded ${was}, sent ${is}`
}

function cut(text: string, first: number): string {
  if (text.length <= shownChars) return text
  const start = Math.max(0, Math.min(first - 20, text.length - shownChars))
  const end = start + shownChars
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`
}

function fieldOf(object: { [name: string]: Json }, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
