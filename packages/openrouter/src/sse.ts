/** Bytes of a response to the data of its events, one array for each network chunk (section 8.1 of the wire contract). */
import { createParser } from 'eventsource-parser'
import { BoundedReader, type StreamLimits, streamTooLong } from './bounded-reader.ts'

/** How long a connection may stay open behind the end of its answer, in milliseconds. */
const patienceMs = { done: 100, bare: 2000, full: 15_000 }

const longestHead = 2 ** 20

export type EventStream = {
  /** Returns whether `[DONE]` came. Leaving early cancels the request. */
  events: AsyncGenerator<string[], boolean>
  /**
   * The answer is whole as far as one can tell: what follows is waited for a moment only, each time; longer when the last
   * piece was not `bare` of content.
   */
  hurry(last: 'bare' | 'full'): void
}

/** UTF-8 across chunk edges, every line end, comments and blank events skipped, a last event without its blank line. */
export function readEvents(body: ReadableStream<Uint8Array>, limits?: StreamLimits): EventStream {
  const haste: Haste = {}
  return {
    events: read(body, limits, haste),
    hurry(last) {
      haste.ms = patienceMs[last]
    },
  }
}

type Haste = { ms?: number }

async function* read(
  body: ReadableStream<Uint8Array>,
  limits: StreamLimits | undefined,
  haste: Haste,
): AsyncGenerator<string[], boolean> {
  const reader = new BoundedReader(body, limits)
  let events: string[] = []
  let isTooLong = false
  let isDone = false
  let isAlive = false
  let hasEvents = false
  /** What came before the first event. */
  let head = ''
  const parser = createParser({
    onEvent: ({ data }) => {
      const text = data.trim()
      hasEvents ||= text !== ''
      if (text === '[DONE]') isDone = true
      else if (text !== '' && !isDone) events.push(data)
    },
    onComment: () => {
      isAlive = true
    },
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') isTooLong = true
    },
    maxBufferSize: reader.limits.eventChars,
  })
  // The parser takes off the one mark that may stand before a stream; two decoders would take off two.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  try {
    for (;;) {
      isAlive = false
      const began = haste.ms === undefined ? 0 : performance.now()
      const piece = await (haste.ms === undefined ? reader.read() : reader.readSoon(haste.ms))
      reader.took(piece)
      const { done, value } = piece
      const text = done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true })
      parser.feed(text)
      if (!hasEvents && head.length < longestHead) head += text
      if (done && !hasEvents) events.push(...noStream(head))
      if (events.length > 0) {
        const taken = events
        events = []
        yield taken
      } else if (isAlive && haste.ms !== undefined) {
        // A sign of life behind the end is nothing to wait for: it uses the moment up.
        haste.ms = Math.max(0, haste.ms - (performance.now() - began))
      }
      if (isTooLong) throw streamTooLong('eventChars', reader.limits)
      if (done || isDone) return isDone
    }
  } finally {
    if (isDone) reader.drain(patienceMs.done)
    else reader.cancel()
  }
}

/** Some servers answer with JSON or a page and call it a stream: the body is one event then, if only to be told in an error. */
function noStream(head: string): string[] {
  const text = head.replace(/^(:|(data|event|id|retry):).*$/gm, '').trim()
  return text === '' ? [] : [text]
}

/** A body that is no stream of events, as text. */
export async function readText(body: ReadableStream<Uint8Array> | null, limits?: StreamLimits): Promise<string> {
  if (!body) return ''
  const reader = new BoundedReader(body, limits)
  const decoder = new TextDecoder()
  const pieces: string[] = []
  try {
    for (;;) {
      const piece = await reader.read()
      reader.took(piece)
      const { done, value } = piece
      pieces.push(decoder.decode(value, { stream: !done }))
      if (done) return pieces.join('')
    }
  } finally {
    reader.cancel()
  }
}
