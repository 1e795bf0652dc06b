/** `MemoryStoreLike`: the interface of a scoped memory store, as far as its contract uses it. */
import type { Json, Session } from '@clew/core'

export type BlockLike = { name: string; value: Json; revision: number }
export type EntryLike = { id: string; kind: string; text: string; source?: Json; at: number; vector?: number[] }
export type FoundLike = {
  entry: Omit<EntryLike, 'vector'>
  scope: unknown
  score: number
  ranks: { text?: number; vector?: number; recency: number }
}
export type ReceiptLike = {
  blocks: number
  blockVersions: number
  entries: number
  vectors: number
  artifacts: number
  sessions: number
}

export interface MemoryLike {
  readBlock(name: string): Promise<BlockLike | undefined>
  writeBlock(name: string, value: Json, revision: number): Promise<BlockLike>
  blockHistory(name: string): Promise<BlockLike[]>
  blocks(): Promise<BlockLike[]>
  add(entries: EntryLike[]): Promise<void>
  get(id: string): Promise<EntryLike | undefined>
  remove(ids: string[]): Promise<number>
  count(): Promise<number>
  search(query: { text?: string; vector?: number[]; limit?: number; kinds?: string[] }): Promise<FoundLike[]>
  putArtifact(text: string): Promise<string>
  readArtifact(id: string, range?: { from: number; to: number }): Promise<{ text: string; length: number } | undefined>
  session(id: string): Session
  sessions(): Promise<string[]>
  hold(on: boolean): Promise<void>
  prune(
    options?: { limit?: number } | { kind: string; before: number; limit?: number },
  ): Promise<{ removed: ReceiptLike; done: boolean }>
  erase(): Promise<ReceiptLike>
  export(): AsyncIterable<string>
  import(
    lines: AsyncIterable<string> | Iterable<string>,
  ): Promise<{ blocks: number; entries: number; artifacts: number; sessions: number }>
}

export interface MemoryStoreLike<Scope> {
  open(scope: Scope): Promise<MemoryLike>
  close(): Promise<void>
}

/** In days. */
export type RetentionLike = {
  entries?: number | { [kind: string]: number }
  blocks?: number
  artifacts?: number
  sessions?: number
}
/** `now` gives milliseconds since 1970. */
export type StoreOptions = { retention?: RetentionLike; now?: () => number }

export type Parts = { tenant: string; user?: string; thread?: string }
