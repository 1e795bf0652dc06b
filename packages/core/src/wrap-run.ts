/** The layers around a whole run. Like everybody else, they have a grace after an abort, and then are not waited for. */
import { AbortError } from './errors.ts'
import type { RunEvent } from './event.ts'
import { Holdup } from './holdup.ts'
import { closeQuietly } from './leash.ts'
import type { Middleware } from './middleware.ts'
import { compose } from './middleware.ts'
import type { RunState } from './state.ts'

type Events = AsyncGenerator<RunEvent[], void>

/** @throws AbortError when a layer holds up a run that was left. */
export function wrapRun(
  use: readonly Middleware[],
  state: RunState,
  engine: () => Events,
  signal: AbortSignal,
): Events {
  return use.some((layer) => layer.run) ? watched(use, state, engine, signal) : engine()
}

async function* watched(
  use: readonly Middleware[],
  state: RunState,
  engine: () => Events,
  signal: AbortSignal,
): Events {
  const holdup = new Holdup(signal)
  let layers: Events | undefined = compose(use, 'run', () => holdup.watch(engine()))(state)
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
