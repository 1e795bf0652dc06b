/** What one reader of a run has not taken yet. */
import type { RunEvent } from './event.ts'

export class Reader {
  #queue: RunEvent[]
  #at = 0

  constructor(before: readonly RunEvent[]) {
    this.#queue = [...before]
  }

  get isEmpty(): boolean {
    return this.#at === this.#queue.length
  }

  give(event: RunEvent): void {
    this.#queue.push(event)
  }

  take(): RunEvent | undefined {
    const event = this.#queue[this.#at]
    if (event) this.#at += 1
    // A list that loses its first element again and again takes quadratic time.
    if (this.isEmpty) {
      this.#queue = []
      this.#at = 0
    }
    return event
  }
}
