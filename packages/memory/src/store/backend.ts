/** `Backend`: what a store does below `Memory`. All that comes here was checked, and is the backend's to keep. */
import type { Lease } from '@clew/core'
import type { Found, Receipt } from './memory.ts'
import type { Scope } from './scope.ts'

/** A scope as a handle has it: `epoch` tells whether it, or one above it, was erased since. */
export type Ticket = { scope: Scope; path: readonly string[]; epoch: string }

/** Milliseconds since 1970. */
export type Dated = { written: number }
/** `value` is the text of its JSON. `token` is new for every write, so that one sent twice is known. */
export type BlockRow = Dated & { name: string; value: string; revision: number; token: string }
/** `source` is the text of its JSON. */
export type EntryRow = {
  id: string
  kind: string
  text: string
  source?: string
  at: number
  vector?: Float32Array
}
export type Needle = {
  words?: string[]
  vector?: Float32Array
  limit: number
  kinds?: string[]
  expiry?: Expiry | undefined
}

/** `text` is the JSON of its events, which stand from `at` to before `end`. */
export type BatchRow = Dated & { id: string; at: number; end: number; text: string }

/** What stands in one scope. */
export type Shelf<Artifact, Session> = {
  path: readonly string[]
  blocks: BlockRow[]
  entries: EntryRow[]
  artifacts: Artifact[]
  sessions: Session[]
}
export type Artifact = Dated & { id: string; text: string }
/** All batches, in order. */
export type SessionRows = { id: string; batches: BatchRow[] }
/** With artifacts and sessions by id, or with what is in them. */
export type ListedShelf = Shelf<string, string>
export type FullShelf = Shelf<Artifact, SessionRows>

/**
 * What has expired, by times in milliseconds since 1970: entries of before a rule's time (of its kind, if it names one);
 * blocks, artifacts and sessions that were written last before theirs. Nothing of a scope that is held, or of one below it.
 */
export type Expiry = {
  entries: { kind?: string; before: number }[]
  blocks?: number | undefined
  artifacts?: number | undefined
  sessions?: number | undefined
}
export type Only = { block: string } | { session: string }
/** `skipsHeld`: what is held below stays, and the rest goes; else a hold below forbids it. */
export type Pruning = { expiry: Expiry; limit: number; only?: Only; skipsHeld: boolean }

/** What an `expiry` names as expired is not there for who reads. */
export interface Backend {
  epoch(path: readonly string[]): Promise<string>
  /** Of one block: all its values, or the last, by revision. Without a name: the last of every block. */
  blocks(path: readonly string[], which: { name?: string; all?: boolean }, expiry?: Expiry): Promise<BlockRow[]>
  /** Writes revision `block.revision` if the one before it is the last; gives the last one if not. */
  writeBlock(ticket: Ticket, block: BlockRow): Promise<{ current: BlockRow | undefined } | undefined>
  add(ticket: Ticket, entries: EntryRow[]): Promise<void>
  get(path: readonly string[], id: string, expiry?: Expiry): Promise<EntryRow | undefined>
  remove(ticket: Ticket, ids: string[]): Promise<number>
  count(path: readonly string[], expiry?: Expiry): Promise<number>
  search(path: readonly string[], needle: Needle): Promise<Found[]>
  /** One that is there is as new as this one. */
  putArtifact(ticket: Ticket, artifact: Artifact): Promise<void>
  /** At least the characters from `from` to before `to`, and where they begin. */
  readArtifact(
    path: readonly string[],
    id: string,
    from: number,
    to: number,
    expiry?: Expiry,
  ): Promise<{ text: string; start: number; length: number; written: number } | undefined>
  /** Its batches in order. */
  readSession(path: readonly string[], id: string, expiry?: Expiry): Promise<BatchRow[]>
  /**
   * Gives the end of the batch, also of one that stands there already. One without events makes the session as new as it
   * is. @throws SessionError when `at` is not the end.
   */
  appendSession(ticket: Ticket, id: string, batch: BatchRow): Promise<number>
  /** Their ids. */
  sessions(path: readonly string[], expiry?: Expiry): Promise<string[]>
  /** The lease on a session, until it is released or its process dies. @throws SessionError that names the holder. */
  acquire(ticket: Ticket, id: string): Promise<Lease>
  hold(ticket: Ticket, on: boolean): Promise<void>
  /** Entries first, oldest first; at most `limit` entries, blocks, artifacts and sessions together. */
  prune(ticket: Ticket, which: Pruning): Promise<Receipt>
  erase(ticket: Ticket): Promise<Receipt>
  /** All below. */
  dump(path: readonly string[], expiry?: Expiry): Promise<ListedShelf[]>
  load(ticket: Ticket, shelves: FullShelf[]): Promise<void>
  close(): Promise<void>
}
