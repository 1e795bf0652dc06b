/** Bytes of a response to the data of its events, one array for each network chunk. */
import { createParser } from 'eventsource-parser'

/** Characters that one event may have before the stream is given up as hostile. */
const maxEventChars = 64 * 1024 * 1024

/**
 * Framing by section 8.1 of the wire contract: UTF-8 across chunk edges, every line end, comments skipped, a last event
 * without its blank line. Leaving early cancels the request.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string[], void> {
  let events: string[] = []
  let failure: Error | undefined
  const parser = createParser({
    onEvent: (event) => events.push(event.data),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') failure = error
    },
    maxBufferSize: maxEventChars,
  })
  const take = () => {
    const taken = events
    events = []
    return taken
  }
  const decoder = new TextDecoder()
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      parser.feed(done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true }))
      if (failure) throw failure
      if (events.length > 0) yield take()
      if (done) return
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
