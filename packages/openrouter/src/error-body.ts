/** Bodies of error answers, read under limits: the `openai` client would read them whole, however long they are. */
import { isClewError } from '@clew/core'
import { BoundedReader, type StreamLimits } from './bounded-reader.ts'

/** Words of an error are shorter than this; a page around them says nothing more. */
const longestBytes = 2 ** 20

/** The same `fetch`, but an error answer is cut where it is too long or does not go on; its status stays. */
export function withShortErrors(ask: typeof fetch | undefined, limits: StreamLimits | undefined): typeof fetch {
  return async (input, init) => {
    const response = await (ask ?? fetch)(input, init)
    if (response.ok || !response.body) return response
    const { status, statusText, headers } = response
    return new Response(await readStart(response.body, limits), { status, statusText, headers })
  }
}

async function readStart(body: ReadableStream<Uint8Array>, limits: StreamLimits = {}): Promise<string> {
  const reader = new BoundedReader(body, { ...limits, bytes: Math.min(limits.bytes ?? longestBytes, longestBytes) })
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const piece = await reader.read()
      reader.took(piece)
      const { done, value } = piece
      text += decoder.decode(value, { stream: !done })
      if (done) return text
    }
  } catch (error) {
    if (!isClewError(error, 'model')) throw error
    return text
  } finally {
    reader.cancel()
  }
}
