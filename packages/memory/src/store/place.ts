/** `Place`: what one scope has in this process, with its entries found by word. */
import type { Artifact, BatchRow, BlockRow, Dated, EntryRow } from './backend.ts'
import { lengthOf, wordsOf } from './words.ts'

/** `length`: how many words its text has. */
export type Kept = EntryRow & { length: number }
/** Of a session: its batches by position, in order, the position behind the last, and when that was written. */
export type Log = Dated & { batches: Map<number, BatchRow>; end: number }

export type Renewed = { artifact?: string; session?: string }

export class Place {
  readonly path: readonly string[]
  epoch = 0
  held = false
  readonly blocks = new Map<string, BlockRow[]>()
  readonly entries = new Map<string, Kept>()
  readonly artifacts = new Map<string, Artifact>()
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
    values.push(dated(block))
    this.blocks.set(block.name, values)
  }

  /** Behind the last of its session. */
  putBatch(session: string, batch: BatchRow): void {
    const log = this.sessions.get(session) ?? { batches: new Map<number, BatchRow>(), end: 0, written: 0 }
    const row = dated(batch)
    log.batches.set(batch.at, row)
    log.written = row.written
    log.end = batch.end
    this.sessions.set(session, log)
  }

  putArtifact(artifact: Artifact): void {
    this.artifacts.set(artifact.id, dated(artifact))
  }

  /** As new as this, without anything new in it. */
  renew({ artifact, session }: Renewed, written: number): void {
    const log = session === undefined ? undefined : this.sessions.get(session)
    const last = [...(log?.batches.values() ?? [])].at(-1)
    if (log && last) {
      log.batches.set(last.at, { ...last, written })
      log.written = written
    }
    const there = artifact === undefined ? undefined : this.artifacts.get(artifact)
    if (there) this.artifacts.set(there.id, { ...there, written })
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

/** Lines of before there was a time on them count from when they are read. */
function dated<Row extends Dated>(row: Row): Row {
  return row.written === undefined ? { ...row, written: Date.now() } : row
}

export function raise(counts: Map<number, number>, key: number, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
