import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTraces, type SpanData } from '@clew/tracing'

// A run of yesterday, as it is in the store.
const folder = mkdtempSync(join(tmpdir(), 'traces-'))
const file = join(folder, 'traces.db')
const at = (seconds: number) => String(1_763_640_000_000_000_000n + BigInt(seconds * 1000) * 1_000_000n)
const made = (id: number, name: string, from: number, to: number, attributes: SpanData['attributes']): SpanData => ({
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: String(id).padStart(16, '0'),
  ...(id > 1 && { parentSpanId: '1'.padStart(16, '0') }),
  name,
  kind: 'internal',
  start: at(from),
  end: at(to),
  status: attributes['error.type'] ? 'error' : 'unset',
  attributes: { 'gen_ai.operation.name': name.split(' ')[0]!, ...attributes },
  events: [],
  links: [],
  origin: { resource: { 'service.name': 'shop' }, scope: { name: '@clew/tracing' } },
})
const chat = { 'gen_ai.request.model': 'qwen/qwen3.5-9b', 'gen_ai.usage.input_tokens': 1200, 'clew.cost.usd': 0.0004 }
const traces = openTraces(file, { create: true })
traces.add([
  made(1, 'invoke_agent clerk', 0, 4, { 'gen_ai.agent.name': 'clerk', 'clew.status': 'done' }),
  made(2, 'chat qwen/qwen3.5-9b', 0, 1.5, { ...chat, 'gen_ai.usage.output_tokens': 40, 'clew.retries': 1 }),
  made(3, 'execute_tool find_order', 1.5, 2.25, { 'gen_ai.tool.name': 'find_order', 'error.type': 'tool_error' }),
  made(4, 'chat qwen/qwen3.5-9b', 2.25, 4, { ...chat, 'gen_ai.usage.output_tokens': 90 }),
])
traces.close()

for (const line of ['clew runs', 'clew show last', 'clew cost --by model']) {
  const args = ['packages/clew/dist/bin.js', ...line.split(' ').slice(1), '--file', file]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } })
  console.log(`$ ${line}\n${stdout}`)
}
rmSync(folder, { recursive: true })
