/** `scopedSession()`: a conversation that belongs to a scope, and is erased with it. */
import { isClewError, type Lease, type LoggedEvent, type Session, SessionError } from '@clew/core'
import { closed, failure } from '../failure.ts'
import type { Backend, Ticket } from './backend.ts'
import type { Keeper } from './keeper.ts'
import { MemoryError } from './memory-error.ts'

export function scopedSession(backend: Backend, keeper: Keeper, ticket: Ticket, id: string): Required<Session> {
  let lease: Lease | undefined
  let isClosed = false

  /** Every failure becomes a `SessionError`, which a run takes for the store's last word. */
  async function attempt<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    if (isClosed) throw closed(id)
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
        const batches = await backend.readSession(ticket.path, id, keeper.expiry())
        const events = batches.flatMap(({ text }) => JSON.parse(text) as LoggedEvent[])
        return { events, at: batches.at(-1)?.end ?? 0 }
      }),

    async append(at, { id: batchId, events }) {
      // Now, not when the store answers: what the caller does with its objects later is not appended.
      const batch = { id: batchId, at, end: at + events.length, text: JSON.stringify(events), written: keeper.now() }
      return await attempt('appended to', async () => {
        const append = () => backend.appendSession(ticket, id, batch)
        const end = await append().catch(async (error: unknown) => {
          // Refused for its position: one that has expired stands at none.
          if (isClewError(error, 'session') && (await keeper.makeRoom(ticket, { session: id }))) return await append()
          throw error
        })
        await keeper.tidy(ticket)
        return end
      })
    },

    acquire: () =>
      attempt('acquired', async () => {
        const acquired = await backend.acquire(ticket, id)
        const mine: Lease = {
          async release() {
            keeper.leases.delete(mine)
            await acquired.release()
          },
        }
        keeper.leases.add(mine)
        lease = mine
        if (!isClosed) return mine
        await mine.release()
        throw closed(id)
      }),

    async close() {
      isClosed = true
      await lease?.release()
    },
  }
}
