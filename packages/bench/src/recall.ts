/**
 * `recall()`: how long a recall takes beside a bare full-text query on the same texts. They are made from a fixed seed;
 * their words are as unevenly common as those of a language (Zipf).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Memory, scope, sqliteMemory } from '@clew/memory'
import type { Figure, Size } from './figure.ts'
import { pairs, quantile } from './pairs.ts'

type Amounts = { entries: number; queries: number }

const amounts: { [Name in Size]: Amounts } = {
  full: { entries: 100_000, queries: 200 },
  quick: { entries: 10_000, queries: 200 },
  tiny: { entries: 50, queries: 5 },
}
const perBatch = 1000

export async function* recall(size: Size): AsyncGenerator<Figure> {
  const { entries, queries } = amounts[size]
  const words = wordsFrom(zipf(20_000))
  const folder = mkdtempSync(join(tmpdir(), 'clew-recall-'))
  const store = sqliteMemory({ file: join(folder, 'memory.db') })
  const bare = openBare(join(folder, 'bare.db'))
  try {
    const memory = await store.open(scope({ tenant: 'acme', user: 'ada' }))
    await fill(
      memory,
      bare,
      Array.from({ length: entries }, () => words(30).join(' ')),
    )
    const times = await ask(
      memory,
      bare,
      Array.from({ length: queries }, () => words(3)),
    )
    const p95 = (side: 'one' | 'other') =>
      quantile(
        times.map((pair) => pair[side]),
        0.95,
      )
    const name = `recall over ${entries.toLocaleString('en')} entries against bare FTS5, p95`
    yield { name, ratio: p95('one') / p95('other'), goal: 3 }
  } finally {
    bare.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function openBare(file: string): DatabaseSync {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, text)')
  return db
}

async function fill(memory: Memory, bare: DatabaseSync, texts: readonly string[]): Promise<void> {
  const insert = bare.prepare('INSERT INTO texts VALUES (?, ?)')
  const entries = texts.map((text, at) => ({ id: String(at), kind: 'fact', text, at }))
  for (let from = 0; from < entries.length; from += perBatch) {
    const batch = entries.slice(from, from + perBatch)
    await memory.add(batch)
    bare.exec('BEGIN')
    for (const { id, text } of batch) insert.run(id, text)
    bare.exec('COMMIT')
  }
}

function ask(memory: Memory, bare: DatabaseSync, asked: readonly string[][]) {
  const query = bare.prepare('SELECT id, text FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 10')
  const quoted = asked.map((words) => words.map((word) => `"${word}"`).join(' OR '))
  return pairs({
    count: asked.length,
    one: (index) => memory.search({ text: asked[index]!.join(' '), limit: 10 }),
    other: (index) => query.all(quoted[index]!),
  })
}

const wordsFrom = (word: () => string) => (many: number) => Array.from({ length: many }, word)

/** Gives words, the n-th of `many` about 1 / n as often as the first. */
function zipf(many: number): () => string {
  const next = random(7)
  return () => {
    const rank = Math.floor(Math.exp(next() * Math.log(many)) - 1)
    return `w${Math.min(many - 1, rank).toString(36)}`
  }
}

/** From 0 to before 1, the same for the same seed (mulberry32, which comes round after four billion). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
