/** `replay(folder)`: a `fetch` that answers with what `record(folder)` wrote, without a network. */
import type { Json } from '@clew/core'
import { InputError } from '@clew/core'
import { type Comparable, comparable } from './comparable.ts'
import { describeDifference, differences, type Place } from './difference.ts'
import { endpointOf, type RecordedResponse, type Recording, readSent, signalOf } from './recording.ts'
import { scrubText } from './scrub.ts'
import { checkFolder, howToRecord, readFolder, type Shelved } from './shelf.ts'

export type Replayer = typeof fetch & {
  /** File names of the recordings that were not asked for, in their order. Throws as the first request does. */
  unused(): string[]
}

/**
 * A `fetch` for `openrouter(model, { fetch: replay('recordings') })`: each recording of the folder answers once, in the
 * order of the file names. A recording fits by method, endpoint and body; `session_id`, `stream`, the order of keys, the
 * ids of tool calls, and secrets that were taken out make no difference. `strict: false` (default: true): a request that
 * was not recorded gets the next unused recording of its endpoint.
 *
 * The files are read at the first request. It rejects with InputError for a folder that is missing or empty, a file that is
 * no recording, and a request that was not recorded, with its difference from the nearest one.
 */
export function replay(folder: string, options: { strict?: boolean } = {}): Replayer {
  checkFolder(folder, options, ['strict'], 'replay')
  const { strict = true } = options
  let entries: Entry[] | undefined
  const load = () => (entries ??= readFolder(folder).map((shelved) => new Entry(shelved)))

  async function replayer(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const signal = signalOf(input, init)
    signal?.throwIfAborted()
    const sent = await readSent(input, init)
    signal?.throwIfAborted()
    const endpoint = endpointOf(sent.method, scrubText(sent.url.pathname + sent.url.search, sent.key))
    const mine = comparable(sent.body, sent.key)
    const candidates = load().filter((entry) => entry.endpoint === endpoint)
    const fitting = candidates.filter((entry) => entry.comparable(sent.key).text === mine.text)
    const found = [...fitting, ...(strict ? [] : candidates)].find((entry) => !entry.isUsed)
    if (!found) throw notRecorded(folder, endpoint, fitting, nearestTo(mine.value, candidates, sent.key), load())
    found.isUsed = true
    return toResponse(found.recording.response, signal)
  }

  const unused = () => load().flatMap((entry) => (entry.isUsed ? [] : [entry.file]))
  replayers.add(replayer)
  return Object.assign(replayer, { unused })
}

const replayers = new WeakSet<typeof fetch>()

/** What goes nowhere needs no key. */
export function isReplayer(fetch: typeof globalThis.fetch | undefined): boolean {
  return fetch !== undefined && replayers.has(fetch)
}

class Entry {
  readonly file: string
  readonly recording: Recording
  readonly endpoint: string
  isUsed = false
  #compared: (Comparable & { key: string | undefined }) | undefined

  constructor({ file, recording }: Shelved) {
    this.file = file
    this.recording = recording
    this.endpoint = endpointOf(recording.request.method, recording.request.path)
  }

  /** Scrubbed with the key of the request as well: a stand-in such as "recorded" may be a word of the text. */
  comparable(key: string | undefined): Comparable {
    if (!this.#compared || this.#compared.key !== key)
      this.#compared = { key, ...comparable(this.recording.request.body ?? null, key) }
    return this.#compared
  }
}

type Near = { entry: Entry; places: Place[] }

/** The recording with the fewest differences; of several, one that is still to be served. */
function nearestTo(value: Json, candidates: Entry[], key: string | undefined): Near | undefined {
  return candidates
    .map((entry) => ({ entry, places: differences(entry.comparable(key).value, value) }))
    .sort((a, b) => a.places.length - b.places.length || Number(a.entry.isUsed) - Number(b.entry.isUsed))[0]
}

const shownPlaces = 20

function notRecorded(folder: string, endpoint: string, fitting: Entry[], near: Near | undefined, all: Entry[]) {
  const next = `If it is meant, delete the recordings and record all again. ${howToRecord(folder)}`
  if (fitting.length > 0) {
    const files = fitting.map(({ file }) => file).join(', ')
    const times = fitting.length === 1 ? 'once' : `${fitting.length} times`
    return new InputError(
      `A request to ${endpoint} was made more often than it is recorded in ${folder}: ${times} (${files}). ${next}`,
    )
  }
  if (!near) {
    const known = [...new Set(all.map((entry) => entry.endpoint))].join(', ')
    return new InputError(`A request to ${endpoint} is not recorded in ${folder}, which holds: ${known}. ${next}`)
  }
  const lines = near.places.slice(0, shownPlaces).map((place) => `  ${describeDifference(place)}`)
  const more = near.places.length - lines.length
  if (more > 0) lines.push(`  … and ${more} more`)
  const nearest = `${near.entry.file}${near.entry.isUsed ? ' (served already)' : ''}`
  return new InputError(
    `A request to ${endpoint} is not recorded in ${folder}. The nearest recording, ${nearest}, differs:\n${lines.join('\n')}\n${next}`,
  )
}

function toResponse(recorded: RecordedResponse, signal: AbortSignal | undefined): Response {
  const { status, raw_prefix = '', body, sse, text } = recorded
  const headers = new Headers(recorded.headers)
  // Recordings made by hand may leave it out.
  if (!headers.has('content-type') && text === undefined)
    headers.set('content-type', sse === undefined ? 'application/json' : 'text/event-stream')
  const bytes = new TextEncoder().encode(sse ?? text ?? raw_prefix + JSON.stringify(body))
  const isBodiless = status === 204 || status === 205 || status === 304
  return new Response(isBodiless ? null : streamOf(pieces(bytes, recorded.sse_chunk_bytes ?? []), signal), {
    status,
    headers,
  })
}

function pieces(bytes: Uint8Array, sizes: number[]): Uint8Array[] {
  const result: Uint8Array[] = []
  let at = 0
  // Of a file that was edited by hand, what lies behind the last size is one more piece.
  for (const size of [...sizes, bytes.length]) {
    const piece = bytes.slice(at, at + size)
    if (piece.length > 0) result.push(piece)
    at += size
  }
  return result
}

function streamOf(pieces: Uint8Array[], signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[at++]
        if (signal?.aborted) controller.error(signal.reason)
        else if (piece) controller.enqueue(piece)
        else controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}
