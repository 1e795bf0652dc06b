/** Events become durable, then change the state: nothing that follows an event happens before. */
import { RunError } from './errors.ts'
import type { LoggedEvent, RunEvent } from './event.ts'
import { isLogged } from './event.ts'
import type { Limits } from './limits.ts'
import { apply } from './reduce.ts'
import type { Lease, Session } from './session.ts'
import type { RunState } from './state.ts'
import type { World } from './world.ts'

/** Where a run begins: a private state, the events that open it, and what it may use. */
export type Start = {
  state: RunState
  opening: LoggedEvent[]
  limits: Limits
  world: World
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
export function openJournal({ state, world, session, at }: Start): (events: RunEvent[]) => Promise<RunEvent[]> {
  const path = Object.freeze([state.agent || world.agent])
  return async (events) => {
    for (const event of events) event.path = path
    const logged = events.filter(isLogged)
    if (logged[0]) logged[0].ms = world.lap()
    if (session && logged.length > 0) {
      const batch = { id: world.newId(), events: logged }
      try {
        at = await session.append(at, batch)
      } catch (error) {
        const message = `The session could not be written: ${error instanceof Error ? error.message : String(error)}`
        throw new RunError(message, state, { cause: error, unsaved: batch })
      }
    }
    for (const event of logged) apply(state, event)
    return events
  }
}
