/**
 * `rank()`: which candidates answer a query best: by words (BM25), by vector (cosine) and by time, fused by reciprocal
 * rank. What is rare or long is judged by the scope that is searched alone: no other tenant's texts move a rank.
 */

export type Candidate = {
  at: number
  id: string
  path: readonly string[]
  /** How many words its text has. */
  length: number
  /** How often it has each word of the query; empty when it has none. */
  counts: Map<string, number>
  vector?: Float32Array
}
/** Of all entries that could be found. */
export type Totals = { entries: number; averageLength: number }
export type Ranked<Item> = { item: Item; score: number; ranks: { text?: number; vector?: number; recency: number } }

const k = 60

export function rank<Item extends Candidate>(
  items: Item[],
  totals: Totals,
  query: { words?: string[]; vector?: Float32Array; limit: number },
): Ranked<Item>[] {
  const { words, vector, limit } = query
  const pool = Math.max(50, 4 * limit)
  const byText =
    words &&
    best(
      items.filter(({ counts }) => counts.size > 0),
      bm25(items, totals, words),
      pool,
    )
  const byVector =
    vector &&
    best(
      items.filter((item) => item.vector?.length === vector.length),
      cosineTo(vector),
      pool,
    )
  const candidates = byText || byVector ? [...new Set([...(byText ?? []), ...(byVector ?? [])])] : items
  const textRank = ranksOf(byText)
  const vectorRank = ranksOf(byVector)
  const byTime = candidates.toSorted(newestFirst)
  let recency = 1
  const ranked = byTime.map((item, index): Ranked<Item> => {
    // What is of one time has one rank, so that time says nothing between them.
    if (item.at !== byTime[index - 1]?.at) recency = index + 1
    const text = textRank.get(item)
    const near = vectorRank.get(item)
    const ranks = {
      ...(text !== undefined && { text }),
      ...(near !== undefined && { vector: near }),
      recency,
    }
    return { item, ranks, score: Object.values(ranks).reduce((sum, each) => sum + 1 / (k + each), 0) }
  })
  // Sorting is stable: of equal scores the better text goes first, then the better vector, then the newer.
  const first = ({ ranks }: Ranked<Item>) => ranks.text ?? Number.MAX_SAFE_INTEGER
  const second = ({ ranks }: Ranked<Item>) => ranks.vector ?? Number.MAX_SAFE_INTEGER
  return ranked
    .toSorted((one, two) => two.score - one.score || first(one) - first(two) || second(one) - second(two))
    .slice(0, limit)
}

function best<Item extends Candidate>(items: Item[], scoreOf: (item: Item) => number, most: number): Item[] {
  const scores = new Map(items.map((item) => [item, scoreOf(item)]))
  return items
    .toSorted((one, two) => (scores.get(two) as number) - (scores.get(one) as number) || newestFirst(one, two))
    .slice(0, most)
}

function ranksOf<Item>(items: Item[] = []): Map<Item, number> {
  return new Map(items.map((item, index) => [item, index + 1]))
}

/** In one order on every store. */
export function newestFirst(one: Candidate, two: Candidate): number {
  if (one.at !== two.at) return two.at - one.at
  const [left, right] = [one, two].map(({ path, id }) => JSON.stringify([...path, id])) as [string, string]
  return left < right ? -1 : left > right ? 1 : 0
}

function bm25(items: Candidate[], { entries, averageLength }: Totals, words: string[]): (item: Candidate) => number {
  const weights = words.map((word) => {
    const having = items.filter(({ counts }) => counts.has(word)).length
    return Math.log(1 + (entries - having + 0.5) / (having + 0.5))
  })
  return ({ counts, length }) => {
    const norm = 1.2 * (0.25 + (0.75 * length) / (averageLength || 1))
    return words.reduce((sum, word, index) => {
      const count = counts.get(word) ?? 0
      return sum + ((weights[index] as number) * count * 2.2) / (count + norm)
    }, 0)
  }
}

/** Of a vector without a direction it is 0. */
function cosineTo(query: Float32Array): (item: Candidate) => number {
  const size = Math.sqrt(query.reduce((sum, value) => sum + value * value, 0))
  return ({ vector }) => {
    const other = vector as Float32Array
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
