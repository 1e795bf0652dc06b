/**
 * The log of a conversation: an append-only list of the events that change a run's state.
 * Core folds it; a store only reads and appends. `memorySession()` keeps it in this process.
 */
import { SessionError } from './errors.ts'
import type { Batch, LoggedEvent } from './event.ts'

export interface Session {
  /** The conversation's id. */
  readonly id: string
  /** All events in order, and the position after the last one. */
  read(): Promise<{ events: LoggedEvent[]; at: number }>
  /**
   * Appends at position `at` and returns the position after the batch; durable when it resolves. A position that is not
   * the end of the log is refused with `SessionError`, unless the batch that stands there has the same id: then the
   * earlier append had succeeded, and its end is returned.
   */
  append(at: number, batch: Batch): Promise<number>
  close(): Promise<void>
  /**
   * Keeps other live workers from running on this session, until released; one that died has lost it. Rejects with
   * `SessionError` that names the holder. The position is what keeps the log right; this keeps the work from being begun
   * twice. A store whose sessions never meet another worker leaves it out.
   */
  acquire?(): Promise<Lease>
}

export type Lease = { release(): Promise<void> }

/** A session in this process's memory: for tests, and for conversations that need not outlive the process. */
export function memorySession(id = 'memory', events: readonly LoggedEvent[] = []): Session {
  // Kept as text: what was appended cannot be changed through a reference that somebody still holds.
  const log: string[] = events.map((event) => JSON.stringify(event))
  const batches: { id: string; at: number; end: number }[] = []
  let holder: Lease | undefined
  return {
    id,
    async read() {
      return { events: log.map((line) => JSON.parse(line) as LoggedEvent), at: log.length }
    },
    async append(at, batch) {
      if (at !== log.length) {
        const known = batches.find((each) => each.at === at && each.id === batch.id)
        if (known) return known.end
        throw new SessionError(
          `Session "${id}" is at position ${log.length}, not ${at}: another run appended meanwhile. Read it again, then resume.`,
        )
      }
      for (const event of batch.events) log.push(JSON.stringify(event))
      batches.push({ id: batch.id, at, end: log.length })
      return log.length
    },
    async close() {
      holder = undefined
    },
    async acquire() {
      if (holder) {
        throw new SessionError(
          `Session "${id}" is in use by another run of this process. Wait for that run, or give each its own session.`,
        )
      }
      const lease: Lease = {
        async release() {
          if (holder === lease) holder = undefined
        },
      }
      holder = lease
      return lease
    },
  }
}
