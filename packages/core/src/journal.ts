/** Events become durable, then change the state: nothing that follows an event happens before. */

import { applySealed } from './apply-sealed.ts'
import type { Engine } from './engine.ts'
import { isClewError, RunError } from './errors.ts'
import type { Batch, RunEvent } from './event.ts'
import { isLogged } from './event.ts'
import type { Middleware } from './middleware.ts'
import type { Lease, Session } from './session.ts'
import { version } from './state.ts'
import { settleAfterAbort } from './world.ts'

/** Where a run begins: a private state, the events that open it, and what it may use. */
export type Start = Engine & {
  /** Layers around the whole run: those of the agent that it began with. */
  use: readonly Middleware[]
  session?: Session | undefined
  /** Held while the run is under way. */
  lease?: Lease | undefined
  /** The session's position. */
  at: number
}

/**
 * The function that every event of a run goes through: stamped, appended to the session, applied to the state.
 * When the session cannot be written, the error carries the batch.
 */
export function openJournal(run: Start): (events: RunEvent[]) => Promise<RunEvent[]> {
  const { state, session } = run
  const { lap, newId, signal } = run.world
  let { at } = run
  let isFirst = true
  return async (events) => {
    for (const event of events) event.path = run.world.path
    const logged = events.filter(isLogged)
    if (logged[0]) logged[0].ms = lap()
    if (logged[0] && isFirst) logged[0].v = version
    if (logged[0]) isFirst = false
    if (session && logged.length > 0) {
      const batch = { id: newId(), events: logged }
      try {
        at = await settleAfterAbort(append(session, at, batch), signal)
      } catch (error) {
        const message = `The session could not be written: ${error instanceof Error ? error.message : String(error)}`
        throw new RunError(message, state, { cause: error, unsaved: { ...batch, at } })
      }
    }
    for (const event of logged) applySealed(state, event)
    return events
  }
}

/** Milliseconds before a batch is appended once more. Its id makes that harmless. */
const pausesMs = [20, 100]

/** A `SessionError` is a store's last word; what else goes wrong may pass. */
async function append(session: Session, at: number, batch: Batch): Promise<number> {
  for (const ms of pausesMs) {
    try {
      return await session.append(at, batch)
    } catch (error) {
      if (isClewError(error, 'session')) throw error
      await new Promise((resolve) => setTimeout(resolve, ms))
    }
  }
  return session.append(at, batch)
}
