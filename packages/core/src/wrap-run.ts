/** The layers around a whole run. Like everybody else, they have a grace after an abort, and then are not waited for. */
import type { Engine } from './engine.ts'
import { AbortError } from './errors.ts'
import type { RunEvent } from './event.ts'
import { Holdup } from './holdup.ts'
import { closeQuietly } from './leash.ts'
import type { Middleware, RunPlace } from './middleware.ts'
import { compose } from './middleware.ts'
import type { RunState } from './state.ts'

type Events = AsyncGenerator<RunEvent[], void>

/** @throws AbortError when a layer holds up a run that was left. */
export function wrapRun(
  use: readonly Middleware[],
  state: RunState,
  engine: () => Events,
  place: RunPlace,
  signal: AbortSignal,
): Events {
  return use.some((layer) => layer.run) ? watched(use, state, engine, place, signal) : engine()
}

/** Where the run stands. What its layers keep goes into the event that opens it. */
export function placeOf({ opening, world }: Engine, call?: RunPlace['call']): RunPlace {
  const { runId, path, context, left } = world
  const start = opening.find((event) => event.type === 'run-start')
  return {
    runId,
    path,
    context,
    isResumed: start === undefined,
    ...(call && { call }),
    left,
    keep(name, text) {
      if (start) start.kept = { ...start.kept, [name]: text }
    },
  }
}

async function* watched(
  use: readonly Middleware[],
  state: RunState,
  engine: () => Events,
  place: RunPlace,
  signal: AbortSignal,
): Events {
  const holdup = new Holdup(signal)
  let layers: Events | undefined = compose(use, 'run', () => holdup.watch(engine()), place)(state)
  try {
    for (;;) {
      const next = await holdup.pull(layers)
      if (next === 'held up') {
        // The log has the run's end, or the next run will close it.
        if (state.status === 'running' || state.status === 'aborted') throw new AbortError(state, signal.reason)
        return
      }
      if (next.done) {
        layers = undefined
        return
      }
      yield next.value
    }
  } finally {
    holdup.release()
    closeQuietly(layers)
  }
}
