/**
 * `Writer`: what takes the spans of this process to the file, in batches and beside the run.
 *
 * Whatever happens to the file, nothing here throws or waits long: another process that writes is asked again with the
 * next batch, and what cannot be written is given up, told once.
 */
import { describeError } from '@clew/core'
import { type Database, isBusy, one, openDatabase } from './database.ts'
import { beatMs, isGone, thisProcess } from './process-mark.ts'
import { type Bounds, bytesOf, full, prune } from './prune.ts'
import type { SpanData } from './span.ts'
import { writeSpans } from './write-spans.ts'

/** A span that is made; `data()` is what is known of it now. */
export type LiveSpan = { readonly isEnded: boolean; data(): SpanData }

/** How long, in milliseconds, a change waits for others that are written with it. */
const batchMs = 100
/** How long, in milliseconds, a batch waits for another process's; and the last one, when the process ends. */
const busyMs = 20
const lastBusyMs = 2000
/** How many changed spans wait at most; beyond that the oldest are given up. */
const maxWaiting = 20_000
/** How many batches pass between two looks at age and size. */
const pruneEvery = 50

export class Writer {
  readonly #path: string
  readonly #bounds: Bounds
  readonly #open = new Set<LiveSpan>()
  #changed = new Set<LiveSpan>()
  #database: Database | undefined
  #me = 0
  #batches = 0
  #isBroken = false
  #isTold = false
  #timer: NodeJS.Timeout | undefined
  #beat: NodeJS.Timeout | undefined

  constructor(path: string, bounds: Bounds) {
    this.#path = path
    this.#bounds = bounds
    process.once('exit', () => this.close())
  }

  change(span: LiveSpan): void {
    if (this.#isBroken) return
    if (span.isEnded) this.#open.delete(span)
    else this.#open.add(span)
    this.#changed.add(span)
    if (this.#changed.size > maxWaiting) this.#giveUpOldest()
    // Held by nothing: a process that has nothing else to do ends, and writes on its way out.
    this.#timer ??= setTimeout(() => this.flush(), batchMs).unref()
  }

  /** Writes what waits. */
  flush(waitMs = busyMs): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#changed.size === 0 || this.#isBroken) return
    try {
      const database = this.#opened(waitMs)
      const writing = { writer: this.#me, maxContentBytes: this.#makeRoom(database) }
      const { dropped } = writeSpans(database, fresh(this.#changed), writing)
      if (dropped > 0) this.#tell('it is full: of what is said now only the length is kept. Give a larger maxBytes')
      this.#changed = new Set()
      this.#beat ??= setInterval(() => this.#tellAlive(), beatMs).unref()
    } catch (error) {
      if (isBusy(error)) this.#timer ??= setTimeout(() => this.flush(), batchMs).unref()
      else this.#fail(error)
    }
  }

  close(): void {
    this.flush(lastBusyMs)
    clearInterval(this.#beat)
    clearTimeout(this.#timer)
    this.#isBroken = true
    const database = this.#database
    this.#database = undefined
    try {
      // What is still open is told as lost.
      database?.sql('DELETE FROM writers WHERE no = ?').run(this.#me)
      database?.close()
    } catch {
      // It is told by what the process leaves: a mark of a process that is dead.
    }
  }

  #opened(waitMs: number): Database {
    if (!this.#database) {
      const database = openDatabase(this.#path)
      try {
        database.db.exec(`PRAGMA busy_timeout = ${lastBusyMs}`)
        forgetTheDead(database)
        const made = 'INSERT INTO writers (mark, heard) VALUES (?, ?) RETURNING no'
        this.#me = one<{ no: number }>(database, made, thisProcess(), Date.now())?.no ?? 0
      } catch (error) {
        database.close()
        throw error
      }
      this.#database = database
    }
    this.#database.db.exec(`PRAGMA busy_timeout = ${waitMs}`)
    return this.#database
  }

  /** At the first batch, now and then, and whenever the file is nearly full. */
  #makeRoom(database: Database): number {
    const { maxBytes } = this.#bounds
    const isDue = this.#batches % pruneEvery === 0
    this.#batches += 1
    const left = maxBytes - bytesOf(database)
    return isDue || left < maxBytes * (1 - full) ? prune(database, this.#bounds) : left
  }

  #tellAlive(): void {
    try {
      if (this.#open.size > 0)
        this.#database?.sql('UPDATE writers SET heard = ? WHERE no = ?').run(Date.now(), this.#me)
    } catch {
      // The next one may.
    }
  }

  #fail(error: unknown): void {
    this.#changed = new Set()
    // One that was never opened is not tried with every span; one that is full may have room again.
    if (!this.#database) this.#isBroken = true
    this.#tell(`${describeError(error)}. Runs go on without it`)
  }

  #giveUpOldest(): void {
    const [oldest] = this.#changed
    if (oldest) this.#changed.delete(oldest)
    this.#tell('other processes write all the time: some spans are missing')
  }

  #tell(what: string): void {
    if (this.#isTold) return
    this.#isTold = true
    process.emitWarning(`Traces in ${this.#path}: ${what}.`, 'ClewWarning')
  }
}

function* fresh(spans: Iterable<LiveSpan>): Generator<SpanData> {
  for (const span of spans) yield span.data()
}

/** Marks of processes that are dead and left nothing open are of no more use. */
function forgetTheDead(database: Database): void {
  const marks = database.sql('SELECT no, mark, heard FROM writers').all() as {
    no: number
    mark: string
    heard: number
  }[]
  for (const { no, mark, heard } of marks)
    if (isGone(mark, heard)) database.sql('DELETE FROM writers WHERE no = ?').run(no)
}
