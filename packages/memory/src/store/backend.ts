/** `Backend`: what a store does below `Memory`. All that comes here was checked, and is the backend's to keep. */
import type { Found, Receipt } from './memory.ts'
import type { Scope } from './scope.ts'

/** A scope as a handle has it: `epoch` tells whether it, or one above it, was erased since. */
export type Ticket = { scope: Scope; path: readonly string[]; epoch: string }

/** `value` is the text of its JSON. `token` is new for every write, so that one sent twice is known. */
export type BlockRow = { name: string; value: string; revision: number; token: string }
/** `source` is the text of its JSON. */
export type EntryRow = {
  id: string
  kind: string
  text: string
  source?: string
  at: number
  vector?: Float32Array
}
export type Needle = { words?: string[]; vector?: Float32Array; limit: number; kinds?: string[] }

/** `text` is the JSON of its events, which stand from `at` to before `end`. */
export type BatchRow = { id: string; at: number; end: number; text: string }

/** What stands in one scope. */
export type Shelf<Artifact, Session> = {
  path: readonly string[]
  blocks: BlockRow[]
  entries: EntryRow[]
  artifacts: Artifact[]
  sessions: Session[]
}
export type Artifact = { id: string; text: string }
/** All batches, in order. */
export type SessionRows = { id: string; batches: BatchRow[] }
/** With artifacts and sessions by id, or with what is in them. */
export type ListedShelf = Shelf<string, string>
export type FullShelf = Shelf<Artifact, SessionRows>

export interface Backend {
  epoch(path: readonly string[]): Promise<string>
  /** Of one block: all its values, or the last, by revision. Without a name: the last of every block. */
  blocks(path: readonly string[], which: { name?: string; all?: boolean }): Promise<BlockRow[]>
  /** Writes revision `block.revision` if the one before it is the last; gives the last one if not. */
  writeBlock(ticket: Ticket, block: BlockRow): Promise<{ current: BlockRow | undefined } | undefined>
  add(ticket: Ticket, entries: EntryRow[]): Promise<void>
  get(path: readonly string[], id: string): Promise<EntryRow | undefined>
  remove(ticket: Ticket, ids: string[]): Promise<number>
  count(path: readonly string[]): Promise<number>
  search(path: readonly string[], needle: Needle): Promise<Found[]>
  putArtifact(ticket: Ticket, artifact: Artifact): Promise<void>
  /** At least the characters from `from` to before `to`, and where they begin. */
  readArtifact(
    path: readonly string[],
    id: string,
    from: number,
    to: number,
  ): Promise<{ text: string; start: number; length: number } | undefined>
  /** Its batches in order. */
  readSession(path: readonly string[], id: string): Promise<BatchRow[]>
  /** Gives the end of the batch, also of one that stands there already. @throws SessionError when `at` is not the end. */
  appendSession(ticket: Ticket, id: string, batch: BatchRow): Promise<number>
  /** Their ids. */
  sessions(path: readonly string[]): Promise<string[]>
  hold(ticket: Ticket, on: boolean): Promise<void>
  prune(ticket: Ticket, which: { kind: string; before: number; limit: number }): Promise<number>
  erase(ticket: Ticket): Promise<Receipt>
  /** All below. */
  dump(path: readonly string[]): Promise<ListedShelf[]>
  load(ticket: Ticket, shelves: FullShelf[]): Promise<void>
  close(): Promise<void>
}
