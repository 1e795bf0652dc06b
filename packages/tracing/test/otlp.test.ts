/** The official exporter sends the spans over HTTP, and a receiver gets them with their parents. */
import { Agent, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { expect, it } from 'vitest'
import { trace } from '../src/index.ts'
import { receiver } from './receiver.ts'

it('spans arrive over OTLP/HTTP with their parents, names and values', async () => {
  await using collector = await receiver()
  const exporter = new OTLPTraceExporter({ url: collector.url })
  const tracerProvider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] })
  const look = tool({ name: 'look', execute: () => 'seen' })
  const helper = new Agent({
    name: 'helper',
    model: scriptedModel([{ calls: [{ name: 'look' }] }, 'ok']),
    tools: [look],
  })
  const model = scriptedModel([{ calls: [{ name: 'helper', arguments: { task: 'help' } }] }, 'done'])
  const agent = new Agent({ name: 'desk', model, tools: [helper.asTool()], use: [trace({ tracerProvider })] })
  await agent.run('go')
  await tracerProvider.shutdown()

  const spans = collector.spans()
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  const pathOf = (span: (typeof spans)[number]): string[] => {
    const parent = span.parentSpanId ? byId.get(span.parentSpanId) : undefined
    return [...(parent ? pathOf(parent) : []), span.name]
  }
  expect(spans.map((span) => pathOf(span).join(' > ')).toSorted()).toEqual(
    [
      'invoke_agent desk',
      'invoke_agent desk > chat scripted',
      'invoke_agent desk > chat scripted',
      'invoke_agent desk > execute_tool helper',
      'invoke_agent desk > execute_tool helper > invoke_agent helper',
      'invoke_agent desk > execute_tool helper > invoke_agent helper > chat scripted',
      'invoke_agent desk > execute_tool helper > invoke_agent helper > chat scripted',
      'invoke_agent desk > execute_tool helper > invoke_agent helper > execute_tool look',
    ].toSorted(),
  )
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  expect(spans.find(({ name }) => name === 'chat scripted')?.attributes).toMatchObject({
    'gen_ai.usage.input_tokens': 10,
    'gen_ai.response.finish_reasons': [expect.any(String)],
  })
  expect(collector.bytes()).toContain('"@clew/tracing"')
})
