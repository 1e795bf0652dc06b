/**
 * `exportJsonl()` and `importJsonl()`: a store as JSON Lines, each line an OTLP request, as OpenTelemetry's file exporter
 * writes them. https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
 */
import type { Traces } from '../store/open-traces.ts'
import { TraceError } from '../store/trace-error.ts'
import { encodeSpans } from './encode.ts'
import { type Imported, importOtlp } from './import-otlp.ts'

/** A trace a line, the oldest first, each with its line end. `since`: milliseconds since 1970. */
export function* exportJsonl(traces: Pick<Traces, 'traceIds' | 'whole'>, { since = 0 } = {}): Generator<string> {
  for (const traceId of traces.traceIds(since)) yield `${JSON.stringify(encodeSpans(traces.whole(traceId)))}\n`
}

/**
 * `lines`: of a file (`createInterface` of `node:readline`), of a text. Empty ones are nothing.
 * @throws TraceError with the number of a line that is no OTLP; what stood before it is kept.
 */
export async function importJsonl(
  traces: Pick<Traces, 'add'>,
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<Imported> {
  const sum: Imported = { spans: 0, rejected: 0, reasons: [] }
  let number = 0
  for await (const line of lines) {
    number += 1
    if (line.trim() === '') continue
    const { spans, rejected, reasons } = importLine(traces, line, number)
    sum.spans += spans
    sum.rejected += rejected
    sum.reasons = [...new Set([...sum.reasons, ...reasons])].slice(0, 5)
  }
  return sum
}

function importLine(traces: Pick<Traces, 'add'>, line: string, number: number): Imported {
  try {
    return importOtlp(traces, line)
  } catch (error) {
    throw new TraceError(`Line ${number}: ${(error as Error).message}`, { cause: error })
  }
}
