/** `Place`: what one scope has in this process, with its entries found by word. */
import type { BatchRow, BlockRow, EntryRow } from './backend.ts'
import { lengthOf, wordsOf } from './words.ts'

/** `length`: how many words its text has. */
export type Kept = EntryRow & { length: number }
/** Of a session: its batches by position, in order, and the position behind the last. */
export type Log = { batches: Map<number, BatchRow>; end: number }

export class Place {
  readonly path: readonly string[]
  epoch = 0
  held = false
  readonly blocks = new Map<string, BlockRow[]>()
  readonly entries = new Map<string, Kept>()
  readonly artifacts = new Map<string, string>()
  readonly sessions = new Map<string, Log>()
  /** By word: the entries that have it, and how often. */
  readonly words = new Map<string, Map<Kept, number>>()
  /** By how many numbers they have: how many vectors. */
  readonly dimensions = new Map<number, number>()
  /** Of all entries. */
  length = 0

  constructor(path: readonly string[]) {
    this.path = path
  }

  putBlock(block: BlockRow): void {
    const values = this.blocks.get(block.name) ?? []
    values.push(block)
    this.blocks.set(block.name, values)
  }

  /** Behind the last of its session. */
  putBatch(session: string, batch: BatchRow): void {
    const log = this.sessions.get(session) ?? { batches: new Map<number, BatchRow>(), end: 0 }
    log.batches.set(batch.at, batch)
    log.end = batch.end
    this.sessions.set(session, log)
  }

  put(entry: EntryRow): void {
    this.remove(entry.id)
    const words = wordsOf(entry.text)
    const kept = { ...entry, length: lengthOf(words) }
    this.entries.set(kept.id, kept)
    this.length += kept.length
    if (kept.vector) raise(this.dimensions, kept.vector.length, 1)
    for (const [word, count] of words) {
      const having = this.words.get(word) ?? new Map<Kept, number>()
      this.words.set(word, having.set(kept, count))
    }
  }

  remove(id: string): void {
    const kept = this.entries.get(id)
    if (!kept) return
    this.entries.delete(id)
    this.length -= kept.length
    if (kept.vector) raise(this.dimensions, kept.vector.length, -1)
    for (const word of wordsOf(kept.text).keys()) {
      const having = this.words.get(word)
      having?.delete(kept)
      if (having?.size === 0) this.words.delete(word)
    }
  }
}

export function raise(counts: Map<number, number>, key: number, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
