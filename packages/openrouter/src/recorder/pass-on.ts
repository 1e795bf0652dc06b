/** `passOn(response)`: the same response, with its bytes remembered as its reader takes them. */

export type Chunks = Uint8Array[]
/** `chunks`: all of them once the body is whole; nothing when it was left or broke off. */
export type Passed = { response: Response; chunks: Promise<Chunks | undefined> }

/** Nothing is read ahead: the body flows as fast as it is taken, and ends or fails where the original does. */
export function passOn(response: Response, signal: AbortSignal | undefined): Passed {
  const { promise, resolve } = Promise.withResolvers<Chunks | undefined>()
  const reader = response.body?.getReader()
  if (!reader) {
    resolve([])
    return { response, chunks: promise }
  }
  const chunks: Chunks = []
  // Clients leave a stream, or lose it, behind its last event: the answer is whole all the same.
  const left = () => resolve(isDone(chunks) ? chunks : undefined)
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) {
            if (signal?.aborted) left()
            else resolve(chunks)
            return controller.close()
          }
          // A copy: whoever reads the chunk may take its bytes away.
          if (value.length > 0) chunks.push(value.slice())
          controller.enqueue(value)
        } catch (error) {
          left()
          controller.error(error)
        }
      },
      cancel(reason) {
        left()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  const { status, statusText, headers, url } = response
  const copy = new Response(body, { status, statusText, headers })
  return { response: Object.defineProperty(copy, 'url', { value: url }), chunks: promise }
}

const isDone = (chunks: Chunks) => /^data:[ \t]*\[DONE\][ \t]*$/m.test(decode(chunks))

export function decode(chunks: Chunks): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode()
}
