/** `exportOtlp()`: what the store has, sent to any backend that takes OTLP/HTTP as JSON. */
import { describeError } from '@clew/core'
import type { Traces } from '../store/open-traces.ts'
import type { SpanData } from '../store/span.ts'
import { TraceError } from '../store/trace-error.ts'
import { encodeSpans } from './encode.ts'

export type ExportOptions = {
  /** Where traces go, whole: `http://127.0.0.1:4318/v1/traces`. */
  url: string
  /** Such as the backend's key. */
  headers?: { [name: string]: string }
  /** Traces of which something began at or after it, in milliseconds since 1970. Default: all. */
  since?: number
  signal?: AbortSignal
}

/** Of one request. Backends take a few megabytes. */
const maxSpans = 500
const maxChars = 2_000_000

/**
 * The oldest first, a request after the other; what has not ended is left out, since OTLP has no word for it.
 * @throws TraceError for the first request that is not taken: with the answer's status, and how many spans went before.
 */
export async function exportOtlp(
  traces: Pick<Traces, 'traceIds' | 'whole'>,
  { url, headers = {}, since = 0, signal }: ExportOptions,
): Promise<{ spans: number }> {
  let sent = 0
  for (const batch of batches(traces, since)) {
    const body = JSON.stringify(encodeSpans(batch))
    await post(
      url,
      { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body, ...(signal && { signal }) },
      sent,
    )
    sent += batch.length
  }
  return { spans: sent }
}

async function post(url: string, request: RequestInit, sent: number): Promise<void> {
  const before = `${sent} spans were sent before`
  let response: Response
  try {
    response = await fetch(url, request)
  } catch (cause) {
    if (request.signal?.aborted) throw cause
    throw new TraceError(`${url} was not reached: ${describeError(cause)}; ${before}. Look at the address.`, { cause })
  }
  const text = await response.text()
  if (response.ok) return
  throw new TraceError(
    `${url} answered ${response.status} (${text.slice(0, 200)}); ${before}. Sending all again is harmless where the backend knows spans by their ids.`,
  )
}

function* batches(traces: Pick<Traces, 'traceIds' | 'whole'>, since: number): Generator<SpanData[]> {
  let batch: SpanData[] = []
  let chars = 0
  for (const traceId of traces.traceIds(since)) {
    for (const span of traces.whole(traceId)) {
      if (span.end === undefined) continue
      const size = JSON.stringify(span).length
      if (batch.length > 0 && (batch.length >= maxSpans || chars + size > maxChars)) {
        yield batch
        batch = []
        chars = 0
      }
      batch.push(span)
      chars += size
    }
  }
  if (batch.length > 0) yield batch
}
