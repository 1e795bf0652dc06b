/** Takes keys and account ids out of a recorded event stream, and says where its network chunks end then. */
import type { Json } from '@clew/core'
import { isOpaque, keys, mapStrings, marker, type Path, patternFor, scrubStrings } from './scrub.ts'

/** `edges` are byte positions in the text (where network chunks ended); they come back at their new places. */
export function scrubStream(text: string, edges: number[], key?: string): { text: string; edges: number[] } {
  const events = eventsIn(text)
  const pieces = threadsIn(events, key)
  const change = scrubStrings(key, 200)
  const between = patternFor(key, [keys])
  const cuts: Cut[] = []
  let at = 0
  for (const { start, json, value } of events) {
    const scrubbed = mapStrings(value, (text, path) =>
      isDelta(path) ? (pieces.get(path.join('/'))?.shift() ?? text) : change(text, path),
    )
    // An event without a find stays as it was, byte for byte.
    const now = JSON.stringify(scrubbed) === JSON.stringify(value) ? json : JSON.stringify(scrubbed)
    cuts.push(...cutAt(text.slice(at, start), between), { was: json, now })
    at = start + json.length
  }
  cuts.push(...cutAt(text.slice(at), between))
  return { text: joined(cuts), edges: moveEdges(cuts, edges, byteLength) }
}

type StreamEvent = { start: number; json: string; value: Json }

function eventsIn(text: string): StreamEvent[] {
  return [...text.matchAll(/(?<![^\r\n])data:[ \t]*(\{[^\r\n]*)/g)].flatMap((match) => {
    const json = match[1] as string
    try {
      return [{ start: match.index + match[0].length - json.length, json, value: JSON.parse(json) as Json }]
    } catch {
      return []
    }
  })
}

const isDelta = (path: Path) => path[0] === 'choices' && path[2] === 'delta'

/** A key that a model writes comes in pieces, one in each delta: the deltas of one field are scrubbed as one text. */
function threadsIn(events: StreamEvent[], key: string | undefined): Map<string, string[]> {
  const threads = new Map<string, { texts: string[]; path: Path }>()
  for (const { value } of events) {
    mapStrings(value, (text, path) => {
      if (!isDelta(path)) return text
      const thread = threads.get(path.join('/')) ?? { texts: [], path }
      threads.set(path.join('/'), thread)
      thread.texts.push(text)
      return text
    })
  }
  return new Map([...threads].map(([name, { texts, path }]) => [name, scrubPieces(texts, isOpaque(path), key)]))
}

function scrubPieces(texts: string[], isOpaque: boolean, key: string | undefined): string[] {
  const cuts = cutAt(texts.join(''), patternFor(key, isOpaque ? [] : [keys]))
  if (cuts.every(({ was, now }) => was === now)) return texts
  let end = 0
  const edges = moveEdges(
    cuts,
    texts.map((text) => (end += text.length)),
    (text) => text.length,
  )
  const scrubbed = joined(cuts)
  return edges.map((edge, at) => scrubbed.slice(edges[at - 1] ?? 0, edge))
}

/** A stretch of a text, and what stands there afterwards. */
type Cut = { was: string; now: string }

function cutAt(text: string, pattern: RegExp | undefined): Cut[] {
  const cuts: Cut[] = []
  let at = 0
  for (const { 0: was, index } of pattern ? text.matchAll(pattern) : []) {
    const before = text.slice(at, index)
    cuts.push({ was: before, now: before }, { was, now: marker(was) })
    at = index + was.length
  }
  const rest = text.slice(at)
  return [...cuts, { was: rest, now: rest }]
}

const joined = (cuts: Cut[]) => cuts.map(({ now }) => now).join('')
const byteLength = (text: string) => new TextEncoder().encode(text).length

function moveEdges(cuts: Cut[], edges: number[], sizeOf: (text: string) => number): number[] {
  const moved: number[] = []
  let was = 0
  let now = 0
  for (const cut of cuts) {
    const size = sizeOf(cut.was)
    const newSize = cut.now === cut.was ? size : sizeOf(cut.now)
    for (let edge = edges[moved.length]; edge !== undefined && edge <= was + size; edge = edges[moved.length])
      moved.push(now + (edge === was + size ? newSize : Math.min(edge - was, newSize)))
    was += size
    now += newSize
  }
  return moved
}
