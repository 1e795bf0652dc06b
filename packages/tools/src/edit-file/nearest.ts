/** `nearest` finds the lines of a text that look most like what was looked for. */

/** Lines are numbered from 1. */
export type Near = { from: number; lines: string[] }

const maxLines = 20_000
const maxShown = 12
const maxLineChars = 300

/** The longest line of `wanted` says most; where the line most like it stands, the rest is expected around it. */
export function nearest(text: string, wanted: string): Near | undefined {
  const lines = text.split('\n', maxLines)
  const asked = wanted.split('\n')
  const key = asked.reduce((best, line, index) => (line.trim().length > asked[best]!.trim().length ? index : best), 0)
  const pairs = pairsOf(asked[key]!)
  if (pairs.size === 0) return undefined
  let best = -1
  let bestLikeness = 0.4
  for (const [index, line] of lines.entries()) {
    const likeness = likenessOf(pairs, line)
    if (likeness <= bestLikeness) continue
    best = index
    bestLikeness = likeness
  }
  if (best < 0) return undefined
  const from = Math.max(0, best - Math.min(key, maxShown - 1))
  return { from: from + 1, lines: lines.slice(from, from + Math.min(Math.max(asked.length, 1), maxShown)) }
}

/** Pairs of neighbouring characters, spaces left out. */
function pairsOf(line: string): Set<string> {
  const dense = line.replace(/\s+/g, '').slice(0, maxLineChars).toLowerCase()
  const pairs = new Set<string>()
  for (let at = 0; at < dense.length; at++) pairs.add(dense.slice(at, at + 2))
  return pairs
}

/** Dice's coefficient: 0 for nothing in common, 1 for all. */
function likenessOf(pairs: Set<string>, line: string): number {
  // A line of quite another length cannot be like it; most lines are left out here.
  if (line.length < pairs.size / 3) return 0
  const others = pairsOf(line)
  let common = 0
  for (const pair of others) if (pairs.has(pair)) common++
  return (2 * common) / (pairs.size + others.size)
}
