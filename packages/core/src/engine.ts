/** The loop: what comes next, then do it, until nothing is left. It drives every run, and every agent inside a run. */
import { estimateUsd } from './ask-model.ts'
import { decide, edgeOf } from './decide.ts'
import { isClewError } from './errors.ts'
import type { LoggedEvent, RunEvent } from './event.ts'
import type { Limits } from './limits.ts'
import { spendOf, within } from './limits.ts'
import { perform } from './perform.ts'
import type { RunState } from './state.ts'
import type { Budget } from './sub-agent.ts'
import type { World } from './world.ts'
import { enter } from './world.ts'

/** Where it begins: a private state, and the events that open the run. */
export type Engine = {
  state: RunState
  opening: LoggedEvent[]
  limits: Limits
  /** That of the active agent. */
  world: World
  /** For an agent inside a run: what is left of that run's budget. */
  left?: () => Budget
}

/**
 * Yields what happened. Whoever drives it makes logged events durable and applies them to `state` before asking for more:
 * so nothing that follows an event happens before the event is in the log.
 */
export async function* engine(run: Engine): AsyncGenerator<RunEvent[], void> {
  const { state, opening, limits, left } = run
  const { signal, timedOut, inbox } = run.world
  if (opening.length > 0) yield opening
  while (true) {
    run.world = await enter(run.world, state.agent)
    if (signal.aborted && !timedOut() && state.status === 'running') {
      if (isClewError(signal.reason, 'fatal')) throw signal.reason
      yield [{ type: 'run-end', status: 'aborted' }]
      return
    }
    const spend = spendOf(state)
    const bounds = left ? within(limits, spend, left()) : limits
    if (bounds.usd !== undefined) spend.nextUsd = estimateUsd(state, run.world)
    if (timedOut()) spend.ms = Number.POSITIVE_INFINITY
    const step = decide(state, bounds, spend)
    if (step.type === 'stop') return
    const added = inbox.take(edgeOf(step, state, bounds, spend))
    if (added) {
      yield [added]
      inbox.confirm(added.turn)
    } else yield* perform(step, state, run.world)
  }
}
