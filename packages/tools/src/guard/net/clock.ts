/** `Clock` ends an exchange that takes too long, as a whole or between two signs of life. */
import { NetworkError, shown } from './network-error.ts'

export type TimeOptions = {
  /** Milliseconds for all of it, redirects included. Default 30,000. */
  timeoutMs?: number
  /** Milliseconds without a byte from the other side. Default 10,000. */
  idleMs?: number
}

export class Clock {
  /** Fires with what `failure` throws. */
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #whole: ReturnType<typeof setTimeout>
  readonly #idle: ReturnType<typeof setTimeout>
  readonly #outer: AbortSignal | undefined
  readonly #leave = () => this.#controller.abort(this.#outer?.reason)

  constructor(url: URL, { timeoutMs = 30_000, idleMs = 10_000 }: TimeOptions, outer?: AbortSignal) {
    this.signal = this.#controller.signal
    const end = (why: string) => () =>
      this.#controller.abort(new NetworkError('timeout', `${shown(url)} ${why}. Try again later, or another page.`))
    this.#whole = setTimeout(end(`took longer than ${timeoutMs} ms`), timeoutMs)
    this.#idle = setTimeout(end(`sent nothing for ${idleMs} ms`), idleMs)
    this.#outer = outer
    if (outer?.aborted) this.#leave()
    else outer?.addEventListener('abort', this.#leave, { once: true })
  }

  /** A sign of life. */
  touch(): void {
    this.#idle.refresh()
  }

  stop(): void {
    clearTimeout(this.#whole)
    clearTimeout(this.#idle)
    this.#outer?.removeEventListener('abort', this.#leave)
  }

  /** `promise`, unless the time is over first. */
  within<Value>(promise: Promise<Value>): Promise<Value> {
    const { signal } = this
    if (signal.aborted) {
      promise.catch(() => undefined)
      return Promise.reject(signal.reason)
    }
    return new Promise((resolve, reject) => {
      const leave = () => reject(signal.reason)
      signal.addEventListener('abort', leave, { once: true })
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }
}
