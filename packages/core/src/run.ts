/** A run of an agent: a promise of its result and a stream of its events, both from one loop. */

import { drive } from './drive.ts'
import { checkEnded, toRunError } from './ending.ts'
import { AbortError } from './errors.ts'
import type { RunEvent } from './event.ts'
import { isLogged } from './event.ts'
import { Inbox, type Receipt } from './inbox.ts'
import type { AgentInput } from './input.ts'
import { toUserMessages } from './input.ts'
import type { Start } from './journal.ts'
import { Reader } from './reader.ts'
import type { RunState } from './state.ts'
import { emptyState } from './state.ts'
import type { World } from './world.ts'
import { settleAfterAbort } from './world.ts'
import { placeOf, wrapRun } from './wrap-run.ts'

/** How a run is held from outside: left, and added to. */
export type RunControl = { controller: AbortController; timedOut: boolean; inbox: Inbox }

/** `world` is that of the agent that had the last word. */
export type RunOutcome = { readonly state: RunState; readonly world: World }

/**
 * Lazy: begins at its first `await` or iterator, and goes on as far as somebody reads. Breaking out of the last
 * iterator cancels it. A late reader gets the logged events first, then the live ones. Because a Run can be awaited,
 * returning one from an async function awaits it.
 */
export class Run<Result> implements PromiseLike<Result>, AsyncIterable<RunEvent> {
  readonly #events: AsyncGenerator<RunEvent[], void>
  readonly #control: RunControl = { controller: new AbortController(), timedOut: false, inbox: new Inbox() }
  /** Fires when somebody leaves, also a run that failed before. */
  readonly #left = new AbortController()
  readonly #toResult: (outcome: RunOutcome) => Result | Promise<Result>
  readonly #logged: RunEvent[] = []
  readonly #readers = new Set<Reader>()
  #outcome: RunOutcome | undefined
  #ended: { error?: unknown } | undefined
  #advancing: Promise<void> | undefined
  #result: Promise<Result> | undefined

  /** @internal Made by `agent.run` and `agent.resume`. */
  constructor(options: {
    start: (control: RunControl) => Promise<Start>
    toResult: (outcome: RunOutcome) => Result | Promise<Result>
    signal?: AbortSignal | undefined
  }) {
    this.#toResult = options.toResult
    this.#events = this.#live(options.start, options.signal)
  }

  /** The result; the run goes on to its end, whoever else reads or leaves. */
  result(): Promise<Result> {
    this.#result ??= this.#finish()
    return this.#result
  }

  // biome-ignore lint/suspicious/noThenProperty: a Run can be awaited, by design
  then<Value = Result, Caught = never>(
    onDone?: ((result: Result) => Value | PromiseLike<Value>) | null,
    onError?: ((error: unknown) => Caught | PromiseLike<Caught>) | null,
  ): Promise<Value | Caught> {
    return this.result().then(onDone, onError)
  }

  /** Ends the run: the request is cancelled, tools are told by their signal, and readers get an `AbortError`. */
  abort(reason?: unknown): void {
    this.#left.abort()
    this.#control.controller.abort(reason)
  }

  /**
   * Adds to the run while it goes on. The model reads it at the next edge of a turn; a run that was about to end with its
   * answer goes on for it. The receipt tells which turn that is, or that the run came to its end before.
   * @throws InputError for what is no text, content parts or user messages
   */
  steer(input: AgentInput): Promise<Receipt> {
    const receipt = this.#control.inbox.add(toUserMessages(input))
    void this.#advanceUntil(receipt)
    return receipt
  }

  /** Awaited inside the loop that reads the run, or before anybody reads it, the receipt would wait for ever. */
  async #advanceUntil(receipt: Promise<Receipt>): Promise<void> {
    let isSettled = false
    void receipt.then(() => (isSettled = true))
    while (!isSettled && !this.#ended) await this.#advance()
  }

  [Symbol.asyncIterator](): AsyncIterator<RunEvent, void> {
    const reader = new Reader(this.#logged)
    this.#readers.add(reader)
    return {
      next: async () => {
        while (this.#readers.has(reader) && reader.isEmpty && !this.#ended) await this.#advance()
        const event = this.#readers.has(reader) ? reader.take() : undefined
        if (event) return { done: false, value: event }
        if (this.#readers.delete(reader) && this.#ended && 'error' in this.#ended) throw this.#ended.error
        return { done: true, value: undefined }
      },
      return: async () => {
        this.#readers.delete(reader)
        if (this.#readers.size === 0 && !this.#result) {
          this.abort(new Error('The last reader left.'))
          while (!this.#ended) await this.#advance()
        }
        return { done: true, value: undefined }
      },
    }
  }

  async #finish(): Promise<Result> {
    while (!this.#ended) await this.#advance()
    if ('error' in this.#ended || !this.#outcome) throw this.#ended.error
    return this.#toResult(this.#outcome)
  }

  /** One more step of the engine, for everybody who reads. Never rejects. */
  #advance(): Promise<void> {
    this.#advancing ??= this.#events
      .next()
      .then(
        (next) => {
          if (next.done) this.#ended = {}
          else this.#deliver(next.value)
        },
        (error) => {
          this.#ended = { error }
        },
      )
      .finally(() => {
        this.#advancing = undefined
      })
    return this.#advancing
  }

  #deliver(events: RunEvent[]): void {
    for (const event of events) {
      if (isLogged(event)) this.#logged.push(event)
      for (const reader of this.#readers) reader.give(event)
      this.#outcome?.world.tell(event)
    }
  }

  async *#live(
    start: (control: RunControl) => Promise<Start>,
    outer: AbortSignal | undefined,
  ): AsyncGenerator<RunEvent[], void> {
    const { controller } = this.#control
    const onAbort = () => this.abort(outer?.reason)
    let timer: ReturnType<typeof setTimeout> | undefined
    if (outer?.aborted) onAbort()
    else outer?.addEventListener('abort', onAbort, { once: true })
    let state = emptyState()
    let started: Start | undefined
    try {
      if (controller.signal.aborted) throw new AbortError(state, controller.signal.reason)
      started = await start(this.#control).catch((error) => {
        throw controller.signal.aborted ? new AbortError(state, error) : error
      })
      state = started.state
      const { limits, opening, use } = started
      // The state is still that of the run before, where there was one.
      const spent = opening.some((event) => event.type === 'run-start') ? 0 : state.ms
      if (limits.ms !== undefined && limits.ms < 2 ** 31) {
        timer = setTimeout(() => this.#timeOut(), Math.max(0, limits.ms - spent))
      }
      this.#outcome = started
      const begun = started
      yield* wrapRun(use, state, () => drive(begun), placeOf(begun), controller.signal)
      checkEnded(state, use)
    } catch (error) {
      const told = this.#outcome ? toRunError(error, state) : error
      // Whatever still runs is told; the store is not among it, and has its time, unless somebody leaves.
      controller.abort(told)
      throw told
    } finally {
      clearTimeout(timer)
      this.#control.inbox.close()
      const released = started?.lease?.release()
      if (released) await settleAfterAbort(released, this.#left.signal).catch(() => {})
      outer?.removeEventListener('abort', onAbort)
    }
  }

  #timeOut(): void {
    // Why a run is left is why it was left first.
    if (this.#control.controller.signal.aborted) return
    this.#control.timedOut = true
    this.abort(new DOMException('limits.ms is reached', 'TimeoutError'))
  }
}
