/** The engine with its journal. */
import { engine } from './engine.ts'
import { AbortError, isClewError } from './errors.ts'
import type { RunEvent } from './event.ts'
import { isLogged } from './event.ts'
import type { Start } from './journal.ts'
import { openJournal } from './journal.ts'

/** What it yields is durable, and in the state. */
export async function* drive(start: Start): AsyncGenerator<RunEvent[], void> {
  const commit = openJournal(start)
  const steps = engine(start)
  for await (const events of steps) {
    try {
      await commit(events)
    } catch (error) {
      // Should a tool end the run meanwhile, that the log failed still comes first: it has what would be lost.
      await settleTools(start, steps, error).catch(() => {})
      throw error
    }
    yield events
  }
  if (start.state.status === 'aborted') throw new AbortError(start.state, start.world.signal.reason)
}

/** When the log fails, calls under way are told and get their grace; what they came to is in the error with the rest. */
async function settleTools({ state, world }: Start, steps: AsyncGenerator<RunEvent[]>, error: unknown): Promise<void> {
  const unsaved = isClewError(error, 'run') ? error.unsaved : undefined
  if (!unsaved || !state.pending.some(({ status }) => status === 'running')) return
  world.leave(error)
  for (let next = await steps.next(); !next.done; next = await steps.next()) {
    if (next.value.some(({ type }) => type === 'run-end')) return
    unsaved.events.push(...next.value.filter(isLogged))
  }
}
