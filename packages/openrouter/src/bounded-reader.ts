/** A body read under limits: what has no end, or comes drop by drop, is cut and told as an error. */
import { ModelError } from '@clew/core'

/** What one answer may take. Each is far above what real answers need. */
export type StreamLimits = {
  /** Bytes of the whole answer. Default 256 MiB. */
  bytes?: number
  /** Characters of one event of the stream. Default 16 Mi. */
  eventChars?: number
  /** Milliseconds without a single byte, comments included. Default 5 minutes. */
  idleMs?: number
  /** Milliseconds that were waited for bytes in all. Default 1 hour. */
  ms?: number
}

export const defaultStreamLimits: Required<StreamLimits> = {
  bytes: 256 * 2 ** 20,
  eventChars: 16 * 2 ** 20,
  idleMs: 5 * 60_000,
  ms: 60 * 60_000,
}

export type Piece = { done: boolean; value?: Uint8Array | undefined }

export class BoundedReader {
  readonly limits: Required<StreamLimits>
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #timer: ReturnType<typeof setInterval>
  #bytes = 0
  #waitedMs = 0
  /** When the read under way began. The time that the caller takes between reads does not count. */
  #since: number | undefined
  #cut: ModelError | undefined

  constructor(body: ReadableStream<Uint8Array>, limits: StreamLimits = {}) {
    this.limits = { ...defaultStreamLimits, ...limits }
    this.#reader = body.getReader()
    const { idleMs, ms } = this.limits
    this.#timer = setInterval(() => this.#look(), Math.max(1, Math.min(idleMs, ms, 60_000) / 4))
    this.#timer.unref?.()
  }

  /** The next piece, to be given to `took` when it is there. */
  read(): Promise<Piece> {
    this.#since = performance.now()
    return this.#reader.read()
  }

  /** The same, or the end when none comes within `ms`. */
  async readSoon(ms: number): Promise<Piece> {
    const timer = setTimeout(() => this.cancel(), ms)
    try {
      return await this.read()
    } finally {
      clearTimeout(timer)
    }
  }

  /** Counts a piece. Apart from `read`, because a promise more for each piece is felt. @throws ModelError with the limit that was met */
  took({ value }: Piece): void {
    this.#waitedMs += performance.now() - (this.#since ?? 0)
    this.#since = undefined
    if (this.#cut) throw this.#cut
    this.#bytes += value?.byteLength ?? 0
    if (this.#bytes > this.limits.bytes) throw this.#cutOff('bytes')
  }

  /** Ends the request. */
  cancel(): void {
    clearInterval(this.#timer)
    this.#reader.cancel().catch(() => {})
  }

  /** Reads the rest for a moment, so that the connection can be used again; a cancel would close it. Not waited for. */
  drain(ms: number): void {
    const timer = setTimeout(() => this.cancel(), ms)
    const toEnd = async (): Promise<void> => {
      for (;;) {
        const piece = await this.read()
        this.took(piece)
        if (piece.done) return
      }
    }
    toEnd()
      .catch(() => {})
      .finally(() => {
        clearTimeout(timer)
        clearInterval(this.#timer)
      })
  }

  #look(): void {
    if (this.#since === undefined) return
    const waiting = performance.now() - this.#since
    if (waiting >= this.limits.idleMs) this.#cutOff('idleMs')
    else if (this.#waitedMs + waiting >= this.limits.ms) this.#cutOff('ms')
  }

  #cutOff(limit: keyof StreamLimits): ModelError {
    this.#cut ??= streamTooLong(limit, this.limits)
    this.cancel()
    return this.#cut
  }
}

const complaints: { [Limit in keyof Required<StreamLimits>]: string } = {
  bytes: 'it is longer than',
  eventChars: 'one of its events is longer than',
  idleMs: 'nothing came for',
  ms: 'it took longer than',
}

/** Names the limit, so that whoever needs more can raise it. */
export function streamTooLong(limit: keyof StreamLimits, limits: Required<StreamLimits>): ModelError {
  const unit = limit === 'bytes' ? ' bytes' : limit === 'eventChars' ? ' characters' : ' ms'
  return new ModelError(
    `The answer was cut off: ${complaints[limit]} ${limits[limit]}${unit} (streamLimits.${limit}).`,
    { code: 'stream-limit', retryable: limit === 'idleMs' },
  )
}
