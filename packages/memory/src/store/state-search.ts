/** `search()`: over the places of a scope, in this process. */
import type { Needle } from './backend.ts'
import { checkQueryDimension } from './check.ts'
import { toFound } from './convert.ts'
import { lapsedEntry } from './expired.ts'
import type { Found } from './memory.ts'
import type { Kept, Place } from './place.ts'
import { best, type Candidate, cosineTo, newestFirst, poolOf, rank } from './rank.ts'

type IsAsked = (row: Kept, place: Place) => boolean
type Item = Candidate & { row: Kept }

export function search(
  places: Place[],
  { words, vector, limit, kinds, expiry }: Needle,
  isHeld: (place: Place) => boolean,
): Found[] {
  const most = poolOf(limit)
  const held = new Set(expiry && places.filter(isHeld))
  const isAsked = (row: Kept, place: Place) =>
    (!kinds || kinds.includes(row.kind)) && (!expiry || held.has(place) || !lapsedEntry(row, expiry))
  const found = new Map<Kept, Item>()
  const take = (items: Item[], known: (item: Item) => Partial<Item>) => {
    for (const item of items) found.set(item.row, Object.assign(found.get(item.row) ?? item, known(item)))
  }
  if (words)
    take(best(byWords(places, words, isAsked), most, byScore('text')), ({ text }) => ({ text: text as number }))
  if (vector) {
    checkQueryDimension(vector.length, new Set(places.flatMap(({ dimensions }) => [...dimensions.keys()])))
    take(best(byVector(places, vector, isAsked), most, byScore('near')), ({ near }) => ({ near: near as number }))
  }
  if (!words && !vector) take(best(all(places, isAsked), most, newestFirst), () => ({}))
  return rank([...found.values()], limit).map(({ item, score, ranks }) => toFound(item.row, item.path, score, ranks))
}

const byScore = (by: 'text' | 'near') => (one: Item, two: Item) =>
  (two[by] as number) - (one[by] as number) || newestFirst(one, two)

const toItem = (row: Kept, { path }: Place): Item => ({ row, path, id: row.id, at: row.at })

function* all(places: Place[], isAsked: IsAsked): Generator<Item> {
  for (const place of places)
    for (const row of place.entries.values()) if (isAsked(row, place)) yield toItem(row, place)
}

function* byVector(places: Place[], vector: Float32Array, isAsked: IsAsked): Generator<Item> {
  const nearness = cosineTo(vector)
  for (const item of all(places, isAsked)) {
    const other = item.row.vector
    if (other?.length === vector.length) yield { ...item, near: nearness(other) }
  }
}

/** BM25. How rare a word is and how long a text usually is, is counted in these places. */
function byWords(places: Place[], words: string[], isAsked: IsAsked): Iterable<Item> {
  const items = new Map<Kept, Item & { text: number }>()
  const entries = places.reduce((sum, place) => sum + place.entries.size, 0)
  const mean = places.reduce((sum, { length }) => sum + length, 0) / entries
  for (const word of words) {
    const having = places.reduce((sum, place) => sum + (place.words.get(word)?.size ?? 0), 0)
    const weight = Math.log(1 + (entries - having + 0.5) / (having + 0.5))
    for (const place of places) {
      for (const [row, count] of place.words.get(word) ?? []) {
        if (!isAsked(row, place)) continue
        const item = items.get(row) ?? { ...toItem(row, place), text: 0 }
        item.text += (weight * count * 2.2) / (count + 0.3 + (0.9 * row.length) / mean)
        items.set(row, item)
      }
    }
  }
  return items.values()
}
