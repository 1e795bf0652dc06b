/** `scopedSession()`: a conversation that belongs to a scope, and is erased with it. */
import { type LoggedEvent, type Session, SessionError } from '@clew/core'
import { failure } from '../failure.ts'
import type { Backend, Ticket } from './backend.ts'
import { MemoryError } from './memory-error.ts'

export function scopedSession(backend: Backend, ticket: Ticket, id: string): Session {
  /** Every failure becomes a `SessionError`, which a run takes for the store's last word. */
  async function attempt<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (cause) {
      // What a memory says has its place and its next move already.
      if (cause instanceof MemoryError)
        throw new SessionError(`Session "${id}" could not be ${doing}: ${cause.message}`, { cause })
      throw failure(id, doing, `in the memory of ${ticket.scope}`, cause)
    }
  }

  return {
    id,
    read: () =>
      attempt('read', async () => {
        const batches = await backend.readSession(ticket.path, id)
        const events = batches.flatMap(({ text }) => JSON.parse(text) as LoggedEvent[])
        return { events, at: batches.at(-1)?.end ?? 0 }
      }),

    async append(at, { id: batchId, events }) {
      // Now, not when the store answers: what the caller does with its objects later is not appended.
      const batch = { id: batchId, at, end: at + events.length, text: JSON.stringify(events) }
      return await attempt('appended to', () => backend.appendSession(ticket, id, batch))
    },

    async close() {},
  }
}
