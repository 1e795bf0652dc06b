/** `boundedFetch()` breaks off answers in which one message never ends: the SDK would read them into memory whole. */

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/** A picture or two. The same as on stdio. */
export const maxMessageBytes = 32 * 2 ** 20

export function boundedFetch(fetch: Fetch = globalThis.fetch): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init)
    if (!response.body) return response
    const { status, statusText, headers } = response
    const isStream = headers.get('content-type')?.includes('event-stream') ?? false
    const bounded = new Response(response.body.pipeThrough(bound(isStream)), { status, statusText, headers })
    // What is made anew has forgotten where it came from.
    Object.defineProperties(bounded, { url: { value: response.url }, redirected: { value: response.redirected } })
    return bounded
  }
}

/** In a stream of events, an empty line ends a message. */
function bound(isStream: boolean): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  return new TransformStream({
    transform(chunk, controller) {
      const end = isStream ? endOfEvent(chunk) : 0
      bytes = end > 0 ? chunk.length - end : bytes + chunk.length
      if (bytes <= maxMessageBytes) controller.enqueue(chunk)
      else controller.error(new RangeError(`a message has more than ${maxMessageBytes} bytes`))
    },
  })
}

/** Behind the last empty line of the chunk, or 0. */
function endOfEvent(chunk: Uint8Array): number {
  const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  const [feeds, both] = [text.lastIndexOf('\n\n'), text.lastIndexOf('\r\n\r\n')]
  return Math.max(feeds + (feeds < 0 ? 0 : 2), both + (both < 0 ? 0 : 4), 0)
}
