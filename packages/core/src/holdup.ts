/** Layers of strangers around an engine. After an abort they have the same grace as everybody else. */
import { closeQuietly } from './leash.ts'
import { graceMs } from './world.ts'

/** Nobody is held up while the engine works: what it does then has graces of its own. */
export class Holdup {
  readonly #signal: AbortSignal
  #engineWorks = false
  #isOver = false
  #isReleased = false
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Settles the pull under way; one slot, so that a long run leaves nothing behind. */
  #giveUp: (() => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    if (signal.aborted) this.#arm()
    else signal.addEventListener('abort', this.#arm, { once: true })
  }

  /** The engine, inside of the layers. */
  async *watch<Value, Result>(engine: AsyncGenerator<Value, Result>): AsyncGenerator<Value, Result> {
    let isDone = false
    try {
      for (;;) {
        // A layer that comes back after the end finds nothing to go on with: nothing is written any more.
        if (this.#isReleased) await new Promise<never>(() => {})
        this.#works(true)
        const next = await engine.next()
        this.#works(false)
        isDone = next.done === true
        if (next.done) return next.value
        yield next.value
      }
    } finally {
      this.#works(false)
      if (!isDone) closeQuietly(engine)
    }
  }

  /** The next value of the layers, from outside. */
  pull<Value, Result>(layers: AsyncGenerator<Value, Result>): Promise<IteratorResult<Value, Result> | 'held up'> {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => resolve('held up')
      // The grace ran out while nobody pulled: a reader that is slow is not a layer that hangs.
      if (this.#isOver) this.#arm()
      layers.next().then(resolve, reject)
    })
  }

  release(): void {
    this.#isReleased = true
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#arm)
  }

  #works(engineWorks: boolean): void {
    this.#engineWorks = engineWorks
    this.#arm()
  }

  #arm = () => {
    clearTimeout(this.#timer)
    this.#isOver = false
    if (!this.#signal.aborted || this.#engineWorks || this.#isReleased) return
    this.#timer = setTimeout(() => {
      this.#isOver = true
      this.#giveUp?.()
    }, graceMs)
  }
}
