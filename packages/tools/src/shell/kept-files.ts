/** `KeptFiles` keeps the files of each run from one command to its next, and the latest runs only. */
import { InputError } from '@clew/core'
import type { ShellEntry } from './shell-runner.ts'

type Files = { entries: ShellEntry[]; chars: number }

/** In sum over all runs, as base64. */
const mostChars = 256_000_000
const mostForgotten = 10_000

export class KeptFiles {
  readonly #start: ShellEntry[]
  /** The least used run first. */
  readonly #runs = new Map<string, Files>()
  readonly #forgotten = new Set<string>()
  readonly #busy = new Map<string, Promise<unknown>>()
  readonly #most: number

  /** `most` characters are kept in sum. */
  constructor(start: ShellEntry[], most = mostChars) {
    this.#start = start
    this.#most = most
  }

  /** Commands of one run work one after the other, each on what the one before left. */
  use<Result>(
    runId: string,
    work: (entries: ShellEntry[]) => Promise<{ result: Result; entries: ShellEntry[] }>,
  ): Promise<Result> {
    const before = this.#busy.get(runId) ?? Promise.resolve()
    const now = before
      .catch(() => {})
      .then(async () => {
        if (this.#forgotten.delete(runId)) {
          throw new InputError(
            'The files of this run were dropped to make room for others; the ones it began with are back. Do the steps again that you need.',
          )
        }
        const { result, entries } = await work(this.#runs.get(runId)?.entries ?? this.#start)
        this.#keep(runId, entries)
        return result
      })
    this.#busy.set(runId, now)
    const done = () => {
      if (this.#busy.get(runId) === now) this.#busy.delete(runId)
    }
    now.then(done, done)
    return now
  }

  #keep(runId: string, entries: ShellEntry[]): void {
    this.#runs.delete(runId)
    this.#runs.set(runId, { entries, chars: sizeOf(entries) })
    let sum = 0
    for (const { chars } of this.#runs.values()) sum += chars
    for (const [oldest, { chars }] of this.#runs) {
      if (sum <= this.#most || oldest === runId) break
      this.#runs.delete(oldest)
      this.#forgotten.add(oldest)
      sum -= chars
    }
    for (const oldest of this.#forgotten) {
      if (this.#forgotten.size <= mostForgotten) break
      this.#forgotten.delete(oldest)
    }
  }
}

function sizeOf(entries: ShellEntry[]): number {
  return entries.reduce(
    (sum, entry) => sum + 200 + entry.path.length + (entry.type === 'file' ? entry.data.length : 0),
    0,
  )
}
