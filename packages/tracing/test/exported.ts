/** Spans as an exporter gets them, and metrics as a reader does. No context manager is installed. */
import type { Attributes } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, expect } from 'vitest'
import { hasShared } from '../../../test/shared.ts'
import { problemsOf, undocumented } from './check-span.ts'

/** Every span that a test exports is judged after it. */
const open: InMemorySpanExporter[] = []
afterEach(() => {
  const spans = open.splice(0).flatMap((exporter) => exporter.getFinishedSpans())
  const ours = spans.filter(({ instrumentationScope }) => instrumentationScope.name === '@clew/tracing')
  expect(ours.flatMap((span) => [...(hasShared ? problemsOf(span) : []), ...undocumented(span)])).toEqual([])
})

export function exported() {
  const exporter = new InMemorySpanExporter()
  open.push(exporter)
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return {
    tracerProvider,
    spans: () => exporter.getFinishedSpans(),
    /** Those of a name, in the order of their ends. */
    named: (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name),
    one(name: string): ReadableSpan {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name)
      if (found.length !== 1)
        throw new Error(`${found.length} spans are called "${name}" among:\n${treeOf(exporter.getFinishedSpans())}`)
      return found[0] as ReadableSpan
    },
    tree: () => treeOf(exporter.getFinishedSpans()),
    reset: () => exporter.reset(),
  }
}

/** The names of spans, indented under their parents, in the order of their beginnings. */
export function treeOf(spans: readonly ReadableSpan[]): string {
  const ids = new Set(spans.map((span) => span.spanContext().spanId))
  const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId
  const below = (parent: string | undefined, indent: string): string[] =>
    spans
      .filter((span) => (parent === undefined ? !ids.has(parentOf(span) ?? '') : parentOf(span) === parent))
      .toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
      .flatMap((span) => [`${indent}${span.name}`, ...below(span.spanContext().spanId, `${indent}  `)])
  return below(undefined, '').join('\n')
}

export type Point = { name: string; unit: string; attributes: Attributes; count: number; sum: number }

export function measured() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  return {
    meterProvider,
    async points(): Promise<Point[]> {
      await reader.forceFlush()
      const metrics =
        exporter
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
      return metrics.flatMap(({ descriptor: { name, unit }, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => {
          const { count, sum } = value as { count: number; sum: number }
          return { name, unit, attributes, count, sum }
        }),
      )
    },
    close: () => meterProvider.shutdown(),
  }
}
