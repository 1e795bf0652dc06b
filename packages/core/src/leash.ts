/**
 * A leash on a stranger's generator (a model's answer, a tool's body), which may hang, ignore its signal, or yield for
 * ever without once waiting.
 */
import { graceMs } from './world.ts'

/** Why a pull was given up: the deadline passed, or the run was left and the grace is over. */
export class Interruption extends Error {
  readonly reason: 'timeout' | 'aborted'
  constructor(reason: 'timeout' | 'aborted') {
    super(reason)
    this.reason = reason
  }
}

/** Timers and aborts get their turn at least this often, in milliseconds. */
const breathMs = 20

export class Leash {
  /** For the generator: fires with the run's signal, and at the deadline. */
  readonly signal: AbortSignal
  readonly #outer: AbortSignal
  readonly #own: AbortController | undefined
  #deadline: ReturnType<typeof setTimeout> | undefined
  #grace: ReturnType<typeof setTimeout> | undefined
  #interruption: Interruption | undefined
  /** Settles the pull under way; one slot, so that a long stream leaves nothing behind. */
  #giveUp: ((reason: Interruption) => void) | undefined
  #breath = performance.now()

  constructor(signal: AbortSignal, timeoutMs?: number) {
    this.#outer = signal
    if (timeoutMs !== undefined) {
      this.#own = new AbortController()
      this.#deadline = setTimeout(() => {
        this.#interrupt('timeout')
        this.#own?.abort(new DOMException(`timed out after ${timeoutMs} ms`, 'TimeoutError'))
      }, timeoutMs)
    }
    this.signal = this.#own?.signal ?? signal
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** The next value. @throws Interruption, or what the generator throws. */
  async pull<Value, Result>(source: AsyncIterator<Value, Result>): Promise<IteratorResult<Value, Result>> {
    if (performance.now() - this.#breath > breathMs) {
      await macrotask()
      this.#breath = performance.now()
    }
    if (this.#interruption) throw this.#interruption
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      Promise.resolve(source.next()).then(resolve, reject)
    })
  }

  /** To be called at the end, with the source if it is not done: it is told to close, and not waited for. */
  release(unfinished?: AsyncIterator<unknown, unknown>): void {
    clearTimeout(this.#deadline)
    clearTimeout(this.#grace)
    this.#outer.removeEventListener('abort', this.#onAbort)
    closeQuietly(unfinished)
  }

  #onAbort = () => {
    this.#own?.abort(this.#outer.reason)
    this.#grace = setTimeout(() => this.#interrupt('aborted'), graceMs)
  }

  #interrupt(reason: 'timeout' | 'aborted'): void {
    this.#interruption ??= new Interruption(reason)
    this.#giveUp?.(this.#interruption)
  }
}

/** Closes a generator that may have no `return`, or a broken one. */
export function closeQuietly(source: AsyncIterator<unknown, unknown> | undefined): void {
  try {
    Promise.resolve(source?.return?.(undefined)).catch(() => {})
  } catch {
    // It was only told to close.
  }
}

function macrotask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (done: () => void) => unknown }
  return new Promise((resolve) => (setImmediate ? setImmediate(resolve) : setTimeout(resolve, 0)))
}
