/** `compareStores()`: that stores give one answer to every query by vector, with ties, and lengths that 32-bit arithmetic does not reach. */
import { expect } from 'vitest'
import { type Entry, type Found, type MemoryQuery, type MemoryStore, scope } from '../src/index.ts'

/** Made in a loop: the same for the same seed. */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return state / 2 ** 31
  }
}

const between = (next: () => number, least: number, most: number) => least + Math.floor(next() * (most - least + 1))

/** Kinds of vectors: on a small grid, so that many tie; of any direction; and so long or short that their squares are no floats. */
const makers: [name: string, dimension: number, vector: (next: () => number) => number[]][] = [
  ['on a grid', 3, (next) => Array.from({ length: 3 }, () => between(next, -1, 1))],
  ['of any direction', 48, (next) => Array.from({ length: 48 }, () => next() * 2 - 1)],
  ['nearly alike', 16, (next) => Array.from({ length: 16 }, (_, at) => (at === 0 ? 1 : (next() - 0.5) * 1e-3))],
  [
    'of every length',
    4,
    (next) => {
      const length = 10 ** between(next, -37, 37)
      return Array.from({ length: 4 }, () => (next() * 2 - 1) * length)
    },
  ],
]

/** Each fills a tenant of its own in all stores; the first store says what is right. */
export async function compareStores(stores: MemoryStore[], prefix: string, count = 400): Promise<void> {
  for (const [name, dimension, vector] of makers) {
    const next = numbers(dimension)
    const tenant = `${prefix} ${name}`
    const memories = await Promise.all(stores.map((store) => store.open(scope({ tenant }))))
    const entries = Array.from({ length: count }, (_, at): Entry => {
      const kind = at % 3 === 0 ? 'passage' : 'fact'
      return {
        id: `e${at}`,
        kind,
        text: at % 20 === 0 ? 'tea' : 'coffee',
        at: between(next, 0, 20),
        vector: vector(next),
      }
    })
    for (const [index, store] of stores.entries()) {
      await memories[index]!.add(entries.filter((_, at) => at % 2 === 0))
      await (await store.open(scope({ tenant, user: 'ada' }))).add(entries.filter((_, at) => at % 2 === 1))
    }
    const queries = Array.from(
      { length: 12 },
      (_, at): MemoryQuery => ({
        vector: at === 0 ? Array.from({ length: dimension }, () => 0) : vector(next),
        limit: [1, 10, 60][at % 3]!,
        ...(at % 4 === 1 && { kinds: ['passage'] }),
        ...(at % 4 === 2 && { text: 'tea' }),
      }),
    )
    for (const query of queries) {
      const [right, ...others] = await Promise.all(memories.map((memory) => memory.search(query)))
      expect(right!.length, name).toBeGreaterThan(0)
      for (const other of others)
        expect(other.map(plain), `${name}: ${JSON.stringify(query)}`).toEqual(right!.map(plain))
    }
  }
}

const plain = ({ entry, scope, score, ranks }: Found) => [entry.id, String(scope), score, ranks.vector, ranks.recency]
