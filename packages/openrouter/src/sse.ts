/** Bytes of a response to the data of its events, one array for each network chunk. */
import { createParser } from 'eventsource-parser'

/** Characters that one event may have before the stream is given up as hostile. */
const maxEventChars = 64 * 1024 * 1024
/** How long a connection may stay open behind the end of its answer, in milliseconds. */
const patienceMs = { done: 100, bare: 2000, full: 15_000 }

export type EventStream = {
  /** Returns whether `[DONE]` came. Leaving early cancels the request. */
  events: AsyncGenerator<string[], boolean>
  /**
   * The answer is whole as far as one can tell: what follows is waited for a moment only, each time; longer when the last
   * piece was not `bare` of content.
   */
  hurry(last: 'bare' | 'full'): void
}

/**
 * Framing by section 8.1 of the wire contract: UTF-8 across chunk edges, every line end, comments and blank events
 * skipped, a last event without its blank line.
 */
export function readEvents(body: ReadableStream<Uint8Array>): EventStream {
  const haste: Haste = {}
  return {
    events: read(body.getReader(), haste),
    hurry(last) {
      haste.ms = patienceMs[last]
    },
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>
type Haste = { ms?: number }

async function* read(reader: Reader, haste: Haste): AsyncGenerator<string[], boolean> {
  let events: string[] = []
  let failure: Error | undefined
  let isDone = false
  const parser = createParser({
    onEvent: ({ data }) => {
      const text = data.trim()
      if (text === '[DONE]') isDone = true
      else if (text !== '' && !isDone) events.push(data)
    },
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') failure = error
    },
    maxBufferSize: maxEventChars,
  })
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await (haste.ms === undefined ? reader.read() : readSoon(reader, haste.ms))
      parser.feed(done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true }))
      if (failure) throw failure
      if (events.length > 0) {
        const taken = events
        events = []
        yield taken
      }
      if (done || isDone) return isDone
    }
  } finally {
    if (isDone) drain(reader)
    else reader.cancel().catch(() => {})
  }
}

/** The next piece, or the end when none comes for a while. Time that the reader of the run takes does not count. */
async function readSoon(reader: Reader, ms: number): ReturnType<Reader['read']> {
  const timer = setTimeout(() => reader.cancel().catch(() => {}), ms)
  try {
    return await reader.read()
  } finally {
    clearTimeout(timer)
  }
}

/** Reads the rest of the body, so that the connection can be used again; a cancel would close it. Not waited for. */
function drain(reader: Reader): void {
  const timer = setTimeout(() => reader.cancel().catch(() => {}), patienceMs.done)
  const next = (): Promise<void> => reader.read().then(({ done }) => (done ? undefined : next()))
  next()
    .catch(() => {})
    .finally(() => clearTimeout(timer))
}
