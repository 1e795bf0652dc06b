/** `importOtlp()`: traces of any framework that writes OTLP, into the store. */
import type { Traces } from '../store/open-traces.ts'
import { TraceError } from '../store/trace-error.ts'
import { decodeSpans } from './decode.ts'

export type Imported = {
  /** That were new or changed. */
  spans: number
  /** That cannot be kept, and why. */
  rejected: number
  reasons: string[]
}

/**
 * `json`: an OTLP request, as text or parsed. Importing it again changes nothing.
 * @throws TraceError when it is none, or when the store cannot be written.
 */
export function importOtlp(traces: Pick<Traces, 'add'>, json: unknown): Imported {
  const { spans, rejected } = decodeSpans(typeof json === 'string' ? parse(json) : json)
  const reasons = [...new Set(rejected.map(({ reason }) => reason))].slice(0, 5)
  return { spans: traces.add(spans), rejected: rejected.length, reasons }
}

/** @throws TraceError */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TraceError(`This is no JSON: ${(cause as Error).message}. OTLP is taken as JSON, not as protobuf.`, {
      cause,
    })
  }
}
