/** Messages that somebody adds to a live run. They wait for the next edge of a turn, and are seen there once. */
import type { Steer } from './event.ts'
import type { Message } from './message.ts'

/**
 * What became of an added message. `seen`: it is in the log and in the history, and the model reads it in that turn.
 * Else the run came to its end before; give it to the next run.
 */
export type Receipt = { seen: true; turn: number } | { seen: false }

type Added = { messages: Message[]; resolve: (receipt: Receipt) => void }

export class Inbox {
  readonly #waiting: Added[] = []
  #taken: Added[] = []
  #isClosed = false

  add(messages: Message[]): Promise<Receipt> {
    if (this.#isClosed) return Promise.resolve({ seen: false })
    return new Promise((resolve) => this.#waiting.push({ messages, resolve }))
  }

  /** What waits, as the event that brings it into the run at the edge before `turn`. To be confirmed when it is durable. */
  take(turn: number | undefined): Steer | undefined {
    if (turn === undefined || this.#waiting.length === 0) return undefined
    this.#taken = this.#waiting.splice(0)
    return { type: 'steer', turn, messages: this.#taken.flatMap(({ messages }) => messages) }
  }

  confirm(turn: number): void {
    for (const { resolve } of this.#taken.splice(0)) resolve({ seen: true, turn })
  }

  /** The run is at its end: what still waits is told that it was not seen. */
  close(): void {
    this.#isClosed = true
    for (const { resolve } of [...this.#taken.splice(0), ...this.#waiting.splice(0)]) resolve({ seen: false })
  }
}
