/** `record(folder)`: a `fetch` that writes every whole exchange into a folder, for `replay(folder)`. */
import type { Json } from '@clew/core'
import { InputError } from '@clew/core'
import { type Chunks, decode, type Passed, passOn } from './pass-on.ts'
import { type RecordedResponse, type Recording, readSent, type Sent, signalOf } from './recording.ts'
import { scrubAnswer, scrubRequest, scrubText } from './scrub.ts'
import { scrubStream } from './scrub-stream.ts'
import { checkFolder, lastNumber, writeRecording } from './shelf.ts'

export type Recorder = typeof fetch & {
  /**
   * Resolves when every exchange that was begun is written, or was left by its caller. A body that is neither read to
   * its end nor cancelled keeps it waiting.
   * @throws InputError naming the file that could not be written.
   */
  done(): Promise<void>
}

/**
 * A `fetch` for `openrouter(model, { fetch: record('recordings') })`: passes every request on, and writes each whole
 * exchange to `folder/0001--MODEL.json`, numbered behind the files that are there. Keys and account ids are taken out.
 * What was aborted or broke off is not written. The folder is made when it is missing; a file that cannot be written
 * fails `done()`, never the request. `options.fetch` sends the requests; default: the global one.
 */
export function record(folder: string, options: { fetch?: typeof fetch } = {}): Recorder {
  checkFolder(folder, options, ['fetch'], 'record')
  const open = new Set<Promise<void>>()
  const failures: { place: number; error: Error }[] = []
  let requests = 0
  let before: Promise<number> | undefined

  /** Nothing that goes wrong here is the caller's: it waits for `done`. */
  function keep(place: number, exchange: Promise<Recording | undefined>): void {
    const kept = exchange
      .then(async (recording) => {
        if (recording) await writeRecording(folder, ((await before) ?? 0) + place, recording)
      })
      .catch((error: Error) => void failures.push({ place, error }))
      .finally(() => open.delete(kept))
    open.add(kept)
  }

  async function recorder(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    before ??= lastNumber(folder)
    const recordedAt = new Date().toISOString()
    const sent = readSent(input, init)
    // Told by done(), once there is an answer to write.
    sent.catch(() => {})
    const passed = Promise.withResolvers<Passed | undefined>()
    const exchange = passed.promise.then(async (passed) => {
      const chunks = await passed?.chunks
      return passed && chunks && toRecording(await sent, passed.response, chunks, recordedAt)
    })
    keep(++requests, exchange)
    try {
      const response = await (options.fetch ?? fetch)(input, init)
      const watched = passOn(response, signalOf(input, init))
      passed.resolve(watched)
      return watched.response
    } finally {
      passed.resolve(undefined)
    }
  }

  return Object.assign(recorder, {
    async done() {
      while (open.size > 0) await Promise.all(open)
      const [first, ...others] = failures.sort((a, b) => a.place - b.place).map(({ error }) => error)
      if (first && others.length === 0) throw first
      if (first) throw new InputError(`${first.message} And ${others.length} more.`, { cause: first.cause })
    },
  })
}

function toRecording({ method, url, body, key }: Sent, response: Response, chunks: Chunks, recordedAt: string) {
  const headers = [...response.headers].filter(([name]) => /^(content-type|retry-after|x-ratelimit-.*)$/.test(name))
  const { status } = response
  const recording: Recording = {
    source: { host: url.host, recorded_at: recordedAt },
    request: { method, path: scrubText(url.pathname + url.search, key), body: scrubRequest(body, key) },
    response: { status, headers: Object.fromEntries(headers), ...answerIn(response, chunks, key) },
  }
  return recording
}

function answerIn(response: Response, chunks: Chunks, key: string | undefined): Partial<RecordedResponse> {
  const text = decode(chunks)
  const type = response.headers.get('content-type') ?? ''
  if (/event-stream/i.test(type)) return streamIn(text, chunks, key)
  try {
    const body = scrubAnswer(JSON.parse(text) as Json, response.status, key)
    const prefix = text.slice(0, text.length - text.trimStart().length)
    return { ...(prefix !== '' && { raw_prefix: prefix }), body }
  } catch {
    // Some servers name another type for their stream, or none.
    if (!/json|html/i.test(type) && /^(data|event|id|retry)?:/m.test(text)) return streamIn(text, chunks, key)
    return { text: scrubAnswer(text, response.status, key) as string }
  }
}

function streamIn(text: string, chunks: Chunks, key: string | undefined): Partial<RecordedResponse> {
  let end = 0
  const ends = chunks.map((chunk) => (end += chunk.length))
  const scrubbed = scrubStream(text, ends, key)
  const sizes = scrubbed.edges.map((edge, at) => edge - (scrubbed.edges[at - 1] ?? 0)).filter((size) => size > 0)
  // Bytes that are no UTF-8 have other lengths in the text.
  const isExact = end === new TextEncoder().encode(text).length
  return { sse: scrubbed.text, ...(isExact && { sse_chunk_bytes: sizes }) }
}
