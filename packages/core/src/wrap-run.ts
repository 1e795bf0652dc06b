/** The layers around a whole run. Like everybody else, they have a grace after an abort, and then are not waited for. */
import { AbortError } from './errors.ts'
import type { RunEvent } from './event.ts'
import { closeQuietly } from './leash.ts'
import type { Middleware } from './middleware.ts'
import { compose } from './middleware.ts'
import type { RunState } from './state.ts'
import { graceMs } from './world.ts'

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

/** Nobody is held up while the engine works: what it does then has graces of its own. */
class Holdup {
  readonly #signal: AbortSignal
  #engineWorks = false
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Settles the pull under way; one slot, so that a long run leaves nothing behind. */
  #giveUp: (() => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#arm, { once: true })
  }

  async *watch(engine: Events): Events {
    try {
      for (;;) {
        this.#works(true)
        const next = await engine.next()
        this.#works(false)
        if (next.done) return
        yield next.value
      }
    } finally {
      this.#works(false)
      closeQuietly(engine)
    }
  }

  pull(layers: Events): Promise<IteratorResult<RunEvent[], void> | 'held up'> {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => resolve('held up')
      layers.next().then(resolve, reject)
    })
  }

  release(): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#arm)
  }

  #works(engineWorks: boolean): void {
    this.#engineWorks = engineWorks
    this.#arm()
  }

  #arm = () => {
    clearTimeout(this.#timer)
    if (this.#signal.aborted && !this.#engineWorks) this.#timer = setTimeout(() => this.#giveUp?.(), graceMs)
  }
}
