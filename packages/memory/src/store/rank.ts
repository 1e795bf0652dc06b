/** `rank()`: which candidates answer a query best: by words, by vector and by time, fused by reciprocal rank. */

export type Candidate = {
  at: number
  id: string
  path: readonly string[]
  /** How well its words answer; missing when it has none of the query's. */
  text?: number
  /** How near its vector is; missing when it has none that can be compared. */
  near?: number
}
export type Ranked<Item> = { item: Item; score: number; ranks: { text?: number; vector?: number; recency: number } }

const k = 60

/** How many of the best by words, by vector, or by time are candidates. */
export const poolOf = (limit: number) => Math.max(50, 4 * limit)

/** Those without `text` and `near` count by time alone. */
export function rank<Item extends Candidate>(candidates: Item[], limit: number): Ranked<Item>[] {
  const textRank = ranksBy(candidates, ({ text }) => text)
  const vectorRank = ranksBy(candidates, ({ near }) => near)
  const byTime = candidates.toSorted(newestFirst)
  let recency = 1
  const ranked = byTime.map((item, index): Ranked<Item> => {
    // What is of one time has one rank, so that time says nothing between them.
    if (item.at !== byTime[index - 1]?.at) recency = index + 1
    const text = textRank.get(item)
    const vector = vectorRank.get(item)
    const ranks = { ...(text !== undefined && { text }), ...(vector !== undefined && { vector }), recency }
    const score = Object.values(ranks).reduce((sum, place) => sum + 1 / (k + place), 0)
    return { item, score, ranks }
  })
  // Sorting is stable: of equal scores the better text goes first, then the better vector, then the newer.
  const first = ({ ranks }: Ranked<Item>) => ranks.text ?? Number.MAX_SAFE_INTEGER
  const second = ({ ranks }: Ranked<Item>) => ranks.vector ?? Number.MAX_SAFE_INTEGER
  return ranked
    .toSorted((one, two) => two.score - one.score || first(one) - first(two) || second(one) - second(two))
    .slice(0, limit)
}

function ranksBy<Item extends Candidate>(
  items: Item[],
  scoreOf: (item: Item) => number | undefined,
): Map<Item, number> {
  const scored = items.filter((item) => scoreOf(item) !== undefined)
  const sorted = scored.sort((one, two) => (scoreOf(two) as number) - (scoreOf(one) as number) || newestFirst(one, two))
  return new Map(sorted.map((item, index) => [item, index + 1]))
}

/** In one order on every store. */
export function newestFirst(one: Candidate, two: Candidate): number {
  if (one.at !== two.at) return two.at - one.at
  const [left, right] = [one, two].map(({ path, id }) => JSON.stringify([...path, id])) as [string, string]
  return left < right ? -1 : left > right ? 1 : 0
}

/** The first `most` in an order, without sorting the rest. */
export function best<Item>(items: Iterable<Item>, most: number, order: (one: Item, two: Item) => number): Item[] {
  let kept: Item[] = []
  let last: Item | undefined
  for (const item of items) {
    if (last !== undefined && order(item, last) >= 0) continue
    kept.push(item)
    if (kept.length < 2 * most) continue
    kept = kept.sort(order).slice(0, most)
    last = kept.at(-1)
  }
  return kept.sort(order).slice(0, most)
}

export function lengthOf(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
}

/** How near a vector of as many numbers is. Of one without a direction it is 0. */
export function cosineTo(query: Float32Array): (other: Float32Array) => number {
  const size = lengthOf(query)
  return (other) => {
    let dot = 0
    let square = 0
    for (let at = 0; at < query.length; at += 1) {
      const value = other[at] as number
      dot += (query[at] as number) * value
      square += value * value
    }
    return dot === 0 ? 0 : dot / (size * Math.sqrt(square))
  }
}
