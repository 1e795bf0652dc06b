/**
 * How long a recall takes beside a bare full-text query on the same texts: `node packages/memory/bench/recall.ts [ENTRIES]`.
 *
 * The texts are made from a fixed seed; their words are as unevenly common as those of a language (Zipf). Each query goes to
 * both, one after the other, so that whatever else the machine does is shared.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Memory, scope, sqliteMemory } from '../src/index.ts'

const count = Number(process.argv[2] ?? 100_000)
if (!Number.isSafeInteger(count) || count < 1) throw new Error(`"${process.argv[2]}" is no number of entries.`)
const rounds = 200
const perBatch = 1000

const word = zipf(20_000)
const words = (many: number) => Array.from({ length: many }, word)

const folder = mkdtempSync(join(tmpdir(), 'clew-recall-'))
try {
  const store = sqliteMemory({ file: join(folder, 'memory.db') })
  const memory = await store.open(scope({ tenant: 'acme', user: 'ada' }))
  const bare = openBare(join(folder, 'bare.db'))
  const filled = await fill(memory, bare)
  const times = await ask(memory, bare)
  const ratio = at(times.recall, 0.95) / at(times.bare, 0.95)
  console.log(`entries   ${count}`)
  console.log(`insert    recall ${perSecond(filled.recall)}, bare FTS5 ${perSecond(filled.bare)}`)
  console.log(`recall    ${percentiles(times.recall)}`)
  console.log(`bare FTS5 ${percentiles(times.bare)}`)
  console.log(`ratio     ${ratio.toFixed(2)} at p95`)
  await store.close()
  bare.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

type Pair<Value> = { recall: Value; bare: Value }

function openBare(file: string): DatabaseSync {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, text)')
  return db
}

/** Milliseconds of each. */
async function fill(memory: Memory, bare: DatabaseSync): Promise<Pair<number>> {
  const insert = bare.prepare('INSERT INTO texts VALUES (?, ?)')
  const spent = { recall: 0, bare: 0 }
  for (let from = 0; from < count; from += perBatch) {
    const batch = Array.from({ length: Math.min(perBatch, count - from) }, (_, index) => {
      const number = from + index
      return { id: String(number), kind: 'fact', text: words(30).join(' '), at: number }
    })
    spent.recall += await timed(() => memory.add(batch))
    spent.bare += await timed(async () => {
      bare.exec('BEGIN')
      for (const { id, text } of batch) insert.run(id, text)
      bare.exec('COMMIT')
    })
  }
  return spent
}

async function ask(memory: Memory, bare: DatabaseSync): Promise<Pair<number[]>> {
  const query = bare.prepare('SELECT id, text FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 10')
  const times: Pair<number[]> = { recall: [], bare: [] }
  for (let round = 0; round < rounds; round += 1) {
    const asked = words(3)
    const match = asked.map((each) => `"${each}"`).join(' OR ')
    times.bare.push(await timed(async () => query.all(match)))
    times.recall.push(await timed(() => memory.search({ text: asked.join(' '), limit: 10 })))
  }
  return times
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

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

function at(times: number[], part: number): number {
  return times.toSorted((one, two) => one - two)[Math.floor(times.length * part)] as number
}

function percentiles(times: number[]): string {
  return `p50 ${at(times, 0.5).toFixed(1)} ms, p95 ${at(times, 0.95).toFixed(1)} ms`
}

function perSecond(ms: number): string {
  return `${Math.round((count / ms) * 1000)} entries/s`
}
