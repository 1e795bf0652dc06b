import { trace } from '@clew/tracing'
import { trace as otel } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

// Your SDK, set up as ever; this one keeps the spans in memory.
const exporter = new InMemorySpanExporter()
otel.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))

const weather = tool({
  name: 'weather',
  input: z.object({ city: z.string() }),
  execute: ({ city }) => `${city}: sunny`,
})
const scout = new Agent({ name: 'scout', model: openrouter(), tools: [weather] })
const guide = new Agent({
  name: 'guide',
  model: openrouter(),
  tools: [scout.asTool()],
  use: [trace()], // one line; scout needs none
})
await guide.run('Where is it sunny, Oslo or Rome?')

const spans = exporter.getFinishedSpans()
function print(parent?: string, indent = ''): void {
  for (const span of spans.filter((each) => each.parentSpanContext?.spanId === parent)) {
    const { 'gen_ai.usage.input_tokens': tokens, 'clew.usage.requests': calls } = span.attributes
    console.log(`${indent}${span.name}${tokens ? ` · ${tokens} tokens` : ''}${calls ? ` · ${calls} model calls` : ''}`)
    print(span.spanContext().spanId, `${indent}  `)
  }
}
print()
