/** The metrics of the conventions. */
import type { Usage } from '@clew/core'
import { type Attributes, createNoopMeter, type Histogram, type MeterProvider, metrics } from '@opentelemetry/api'
import { safely } from './safely.ts'

export type Instruments = { tokens: Histogram; duration: Histogram; firstChunk: Histogram; nextChunk: Histogram }

/** What a model call measured, in seconds. */
export type Measured = { seconds: number; firstChunk?: number | undefined; chunks: readonly number[] }

const made = new WeakMap<MeterProvider, Instruments>()

/** Those of the provider, or nothing where nobody measures. Asked for at each run, because an SDK may be set up late. */
export function instrumentsOf(own: MeterProvider | undefined): Instruments | undefined {
  return safely(() => {
    const provider = own ?? metrics.getMeterProvider()
    const known = made.get(provider)
    if (known) return known
    const meter = provider.getMeter('@clew/tracing')
    if (meter === createNoopMeter()) return undefined
    // The bounds that the conventions advise.
    const seconds = { unit: 's', advice: { explicitBucketBoundaries: doubling(0.01, 2, 14) } }
    const pieces = {
      unit: 's',
      advice: { explicitBucketBoundaries: [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5] },
    }
    const instruments = {
      tokens: meter.createHistogram('gen_ai.client.token.usage', {
        unit: '{token}',
        advice: { explicitBucketBoundaries: doubling(1, 4, 14) },
      }),
      duration: meter.createHistogram('gen_ai.client.operation.duration', seconds),
      firstChunk: meter.createHistogram('gen_ai.client.operation.time_to_first_chunk', seconds),
      nextChunk: meter.createHistogram('gen_ai.client.operation.time_per_output_chunk', pieces),
    }
    made.set(provider, instruments)
    return instruments
  })
}

/** One model call. `usage` is left out where none was told. */
export function measure(
  instruments: Instruments,
  { seconds, firstChunk, chunks }: Measured,
  usage: Usage | undefined,
  attributes: Attributes,
  errorType?: string,
): void {
  safely(() => {
    instruments.duration.record(seconds, { ...attributes, ...(errorType !== undefined && { 'error.type': errorType }) })
    if (firstChunk !== undefined) instruments.firstChunk.record(firstChunk, attributes)
    for (const chunk of chunks) instruments.nextChunk.record(chunk, attributes)
    if (!usage) return
    instruments.tokens.record(usage.inputTokens, { ...attributes, 'gen_ai.token.type': 'input' })
    instruments.tokens.record(usage.outputTokens, { ...attributes, 'gen_ai.token.type': 'output' })
  })
}

function doubling(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first * factor ** index)
}
