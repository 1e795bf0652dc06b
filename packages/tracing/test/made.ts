/** Spans made by hand: `made()` one, `run()` those of a small run. */
import type { SpanData } from '../src/index.ts'

const day = Date.parse('2026-11-20T12:00:00Z')

/** `at` and `ms`: milliseconds from noon of a day; without `ms` it goes on. */
export function made(
  id: string,
  { at = 0, ms, trace = 'a', ...rest }: Partial<SpanData> & { at?: number; ms?: number; trace?: string } = {},
): SpanData {
  const start = (BigInt(day) + BigInt(at)) * 1_000_000n
  return {
    traceId: hex(trace, 32),
    spanId: hex(id, 16),
    name: id,
    kind: 'internal',
    start: String(start),
    ...(ms !== undefined && { end: String(start + BigInt(ms) * 1_000_000n) }),
    status: 'unset',
    attributes: {},
    events: [],
    links: [],
    origin: { resource: { 'service.name': 'test' }, scope: { name: 'made' } },
    ...rest,
  }
}

export const hex = (name: string, length: number) =>
  Buffer.from(name).toString('hex').padStart(length, 'f').slice(-length)

/** An agent that asks a model, calls a tool and asks again. */
export function run(trace: string, at = 0, agent = 'guide', model = 'qwen'): SpanData[] {
  const root = `r${trace}`
  const below = { trace, parentSpanId: hex(root, 16) }
  const chat = (id: string, from: number, output: number, usd: number) =>
    made(`${id}${trace}`, {
      ...below,
      at: at + from,
      ms: 1000,
      name: `chat ${model}`,
      kind: 'client',
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openrouter',
        'gen_ai.request.model': model,
        'gen_ai.usage.input_tokens': 100,
        'gen_ai.usage.output_tokens': output,
        'gen_ai.response.time_to_first_chunk': 0.5,
        'clew.cost.usd': usd,
      },
    })
  return [
    made(root, {
      trace,
      at,
      ms: 3000,
      name: `invoke_agent ${agent}`,
      attributes: {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.name': agent,
        'clew.run.id': `run ${trace}`,
        'clew.status': 'done',
      },
    }),
    chat('m', 0, 50, 0.001),
    made(`t${trace}`, {
      ...below,
      at: at + 1000,
      ms: 500,
      name: 'execute_tool weather',
      status: 'error',
      message: 'No such city',
      attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'weather' },
    }),
    chat('n', 2000, 10, 0.002),
  ]
}
