/** A bank that books what it is told, once for each telling: a file with one line for each booking. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'

export type Booking = { key: string; order: number; euros: number }

export class Bank {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** Money moves here. Told twice, it moves twice. */
  book(booking: Booking): void {
    appendFileSync(this.#file, `${JSON.stringify(booking)}\n`)
  }

  bookings(): Booking[] {
    if (!existsSync(this.#file)) return []
    const lines = readFileSync(this.#file, 'utf8').trim().split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Booking)
  }
}
