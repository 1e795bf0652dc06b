/** `Memory`: what is kept for one scope: blocks of working memory, entries to recall, artifacts, conversations. */
import type { Json, Session } from '@clew/core'
import type { Scope } from './scope.ts'

export interface MemoryStore {
  /**
   * The memory of a scope. The handle is good until that scope, or one above it, is erased.
   * @throws InputError for something else than a `Scope`, MemoryError when the store cannot be reached.
   */
  open(scope: Scope): Promise<Memory>
  /** May come twice. Afterwards every method of every handle rejects with `MemoryError`. */
  close(): Promise<void>
}

export type Block = {
  name: string
  value: Json
  /** Counts the writes from 1 on. */
  revision: number
}

export type Entry = {
  /** Unique in its scope; 1 to 256 characters. */
  id: string
  /** What sort of entry it is, in words of yours: `fact`, `passage`; 1 to 256 characters. */
  kind: string
  /** Its first 50,000 characters are searched. */
  text: string
  /** Where it comes from. */
  source?: Json
  /** When it was, in milliseconds since 1970. */
  at: number
  /** Kept as 32-bit floats. All vectors of a scope have one dimension. */
  vector?: number[]
}

/** With neither text nor vector, the newest entries are found. */
export type MemoryQuery = {
  /**
   * Plain text: no character in it has a meaning of its own. Found is what has any of its words, best first. How rare a
   * word is may be counted over all of the tenant's entries; the texts of other tenants are never found, counted or told of.
   */
  text?: string
  vector?: number[]
  /** 1 to 1,000. Default 10. */
  limit?: number
  kinds?: string[]
}

export type Found = {
  /** Without its vector. */
  entry: Omit<Entry, 'vector'>
  /** Where it stands: the scope that was searched, or one below it. */
  scope: Scope
  /** The sum of 1 / (60 + rank) over the ranks. */
  score: number
  /** From 1 on. `recency` is the rank by `at` among what was found by text and vector. */
  ranks: { text?: number; vector?: number; recency: number }
}

/** What was removed. */
export type Receipt = {
  blocks: number
  /** All values that blocks had, the last ones included. */
  blockVersions: number
  entries: number
  /** How many of the entries had a vector. */
  vectors: number
  artifacts: number
  /** Conversations that had any event. */
  sessions: number
}

/** `before` in milliseconds since 1970. */
export type PruneByHand = { kind: string; before: number; limit?: number }

/**
 * Every method works inside its scope only. Blocks, entries by id, artifacts and sessions are of exactly this scope;
 * `search`, `prune`, `erase`, `hold` and `export` cover all scopes below as well.
 *
 * All reject with `InputError` for what cannot be kept or asked, before anything is written, and with `MemoryError` when
 * the store fails. What writes rejects with `ErasedError` when the scope was erased after `open`.
 */
export interface Memory {
  readonly scope: Scope
  readBlock(name: string): Promise<Block | undefined>
  /**
   * Writes over the value of `revision`; 0 means that there is none yet.
   * @throws StaleBlockError when the block has another revision by now; it has `current`.
   */
  writeBlock(name: string, value: Json, revision: number): Promise<Block>
  /** The values before the current one, oldest first. */
  blockHistory(name: string): Promise<Block[]>
  /** By name, in the order of UTF-16 units. */
  blocks(): Promise<Block[]>

  /** All of them or none. One with an id that is there replaces it. @throws HeldError when it would, under a hold. */
  add(entries: Entry[]): Promise<void>
  get(id: string): Promise<Entry | undefined>
  /** How many were there. @throws HeldError */
  remove(ids: string[]): Promise<number>
  count(): Promise<number>
  search(query: MemoryQuery): Promise<Found[]>

  /** Gives its id; the same text has the same one. */
  putArtifact(text: string): Promise<string>
  /**
   * `text` from one character to before another (in UTF-16 units, cut at the end), and the whole artifact's `length`. A
   * bound in the middle of a surrogate pair counts as before it, so that ranges that meet lose nothing.
   */
  readArtifact(id: string, range?: { from: number; to: number }): Promise<{ text: string; length: number } | undefined>

  /**
   * The conversation `id` (1 to 256 characters) of this scope, for `agent.run(input, { session })`; the same log for the
   * same id. A run holds its lease (`acquire`), as with the sessions that stand in no scope. An append through a memory
   * whose scope was erased since `open` is refused for good, so that a run under way brings nothing back. Its methods
   * reject with `SessionError`, whose `cause` is what the store said.
   * @throws InputError for an id that is none.
   */
  session(id: string): Session
  /** The ids of the conversations that have any event, in the order of UTF-16 units. */
  sessions(): Promise<string[]>

  /** While a hold is on, here, above or below, nothing is pruned, erased, removed or replaced; nor does anything expire here or below. */
  hold(on: boolean): Promise<void>
  /**
   * Removes what has expired by the store's `retention`, or entries of `kind` with `at` before `before`: at most `limit`
   * things (1 to 100,000; default 1,000), entries first, oldest first. Call it until `done`; stopped in between, nothing
   * is lost but time. What is held below stays, where the retention says what goes, and the rest goes.
   * @throws HeldError for a hold here or above; with a `kind`, below too. InputError without a `kind` where the store has no `retention`.
   */
  prune(options?: { limit?: number } | PruneByHand): Promise<{ removed: Receipt; done: boolean }>
  /** Removes all, and turns away every handle that is open by now, this one too. @throws HeldError */
  erase(): Promise<Receipt>

  /** Lines of JSON, each with its line end, for `import`. The last one tells how many there were. */
  export(): AsyncIterable<string>
  /**
   * What `export` gave, into this scope: all or nothing. Entries replace those with their id.
   * @throws InputError with the number of a line that cannot be read; for a block that has other values here, and for a
   * session that has other events.
   */
  import(
    lines: AsyncIterable<string> | Iterable<string>,
  ): Promise<{ blocks: number; entries: number; artifacts: number; sessions: number }>
}
