import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localTraces, openTraces, trace } from '@clew/tracing'
import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

const folder = mkdtempSync(join(tmpdir(), 'traces-'))
const path = join(folder, 'traces.db') // without it: .clew/traces.db
const tracerProvider = localTraces({ path, maxDays: 7 })

const weather = tool({
  name: 'weather',
  input: z.object({ city: z.string() }),
  execute: ({ city }) => `${city}: sunny`,
})
const guide = new Agent({
  name: 'guide',
  model: openrouter(),
  tools: [weather],
  use: [trace({ tracerProvider, content: true })], // the one line
})
await guide.run('Is it sunny in Oslo?')
await tracerProvider.forceFlush() // for this example only: it writes by itself

const traces = openTraces(path)
for (const { traceId, agent, status, tokens, modelCalls } of traces.runs({ limit: 10 })) {
  console.log(agent, status, tokens.input, tokens.output, modelCalls)
  for (const { name, content, spanId } of traces.trace(traceId)) {
    console.log('-', name, content.length)
    if (name === 'execute_tool weather') console.log(traces.content(traceId, spanId))
  }
}
console.log(
  traces.totals({ by: 'model' }).map(({ key, calls, tokens }) => `${key}: ${calls} calls, ${tokens.input} tokens`),
)
traces.close()
await tracerProvider.shutdown()
rmSync(folder, { recursive: true })
