/** The recorded conversations of `../shared/cases/bfcl-multi-turn`, each of whose spans is judged by the registry. */
import { readFileSync } from 'node:fs'
import { Agent, type JsonSchema, memorySession, tool } from '@clew/core'
import { openrouter } from '@clew/openrouter'
import { startOpenRouter } from '@clew/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { hasShared, readCases } from '../../../test/shared.ts'
import { trace } from '../src/index.ts'
import { problemsOf, problemsOfPoint, undocumented } from './check-span.ts'
import { exported, measured, treeOf } from './exported.ts'

type Call = { name: string; arguments: { [name: string]: unknown }; result: string }
type Case = { id: string; toolNames: string[]; turns: { user: string; calls: Call[] }[] }
type ToolSchema = { name: string; description: string; parameters: JsonSchema }

const cases = readCases<Case>('bfcl-multi-turn')

function schemas(): ToolSchema[] {
  if (!hasShared) return []
  const path = new URL('../../../../shared/cases/bfcl-multi-turn/tools.json', import.meta.url)
  const tools = JSON.parse(readFileSync(path, 'utf8')) as { [name: string]: { function: ToolSchema } }
  return Object.values(tools).map((entry) => entry.function)
}
const known = schemas()

/** Played over HTTP, one call a step or all of a turn at once; the spans of each turn's run. */
async function replay({ toolNames, turns }: Case, atOnce: boolean, content: boolean, metrics = measured()) {
  const results = turns.flatMap(({ calls }) => calls.map(({ result }) => result))
  const tools = known
    .filter(({ name }) => toolNames.includes(name))
    .map(({ name, description, parameters }) =>
      tool({ name, description, input: parameters, execute: () => results.shift() }),
    )
  const respond = turns.flatMap(({ calls }, index) => {
    const asked = calls.map(({ name, arguments: given }) => ({ name, arguments: given }))
    const steps = atOnce ? [asked].filter(({ length }) => length > 0) : asked.map((call) => [call])
    return [...steps.map((each) => ({ calls: each })), { text: `End of turn ${index}.` }]
  })
  await using server = await startOpenRouter({ respond })
  const { tracerProvider, spans } = exported()
  const use = [trace({ tracerProvider, meterProvider: metrics.meterProvider, content })]
  const model = openrouter('m/x', { baseURL: server.url, apiKey: 'k' })
  const agent = new Agent({ name: 'a', model, tools, use, concurrency: 1 })
  const session = memorySession()
  for (const { user } of turns) expect((await agent.run(user, { session })).status).toBe('done')
  return spans()
}

function expectedTree({ turns }: Case, atOnce: boolean): string {
  return turns
    .flatMap(({ calls }) => {
      const tools = calls.map(({ name }) => `  execute_tool ${name}`)
      const steps = atOnce
        ? tools.length > 0
          ? ['  chat m/x', ...tools]
          : []
        : tools.flatMap((line) => ['  chat m/x', line])
      return ['invoke_agent a', ...steps, '  chat m/x']
    })
    .join('\n')
}

describe.runIf(hasShared)('recorded conversations, by the registry', () => {
  const metrics = measured()
  afterAll(() => metrics.close())

  it.each(cases.map((each) => [each.id, each] as const))('%s', async (_, each) => {
    for (const [atOnce, content] of [
      [false, true],
      [true, false],
    ] as const) {
      const spans = await replay(each, atOnce, content, metrics)
      expect(treeOf(spans)).toBe(expectedTree(each, atOnce))
      expect(spans.flatMap(problemsOf)).toEqual([])
      expect(spans.flatMap(undocumented)).toEqual([])
      const broken = spans.filter((span) => 'clew.cache_prefix.break' in span.attributes)
      expect(broken).toEqual([])
    }
  })

  it('measures what the registry knows', async () => {
    const points = await metrics.points()
    expect(points.flatMap(problemsOfPoint)).toEqual([])
    expect(new Set(points.map(({ name }) => name)).size).toBe(4)
  })
})

describe.runIf(hasShared)('the checker', () => {
  const span = async () => (await replay(cases[0]!, false, true)).find(({ name }) => name === 'chat m/x')!
  it.each<[string, { [name: string]: unknown }, RegExp]>([
    ['a name that is none', { 'gen_ai.invented': 1 }, /gen_ai.invented is no name/],
    ['a deprecated name', { 'gen_ai.system': 'openai' }, /gen_ai.system is deprecated/],
    ['another type', { 'gen_ai.usage.input_tokens': '12' }, /"12", no int/],
    ['a fraction for an int', { 'gen_ai.usage.output_tokens': 1.5 }, /1.5, no int/],
    ['a missing name', { 'gen_ai.provider.name': undefined }, /gen_ai.provider.name is missing/],
    ['another span name', { 'gen_ai.request.model': 'm/y' }, /its name is no "chat/],
    ['messages of another shape', { 'gen_ai.input.messages': '[{"role":"user"}]' }, /gen_ai.input.messages: /],
    ['an error without its status', { 'error.type': 'x' }, /disagree/],
  ])('finds %s', async (_, attributes, problem) => {
    const good = await span()
    expect(problemsOf(good)).toEqual([])
    expect(
      problemsOf({ ...good, name: good.name, attributes: { ...good.attributes, ...attributes } as never }).join(),
    ).toMatch(problem)
  })

  it('knows the words of docs/tracing.md', async () => {
    const good = await span()
    expect(undocumented({ ...good, attributes: { 'clew.invented': 1, 'clew.retries': 'many' } })).toEqual([
      'clew.invented = 1',
      'clew.retries = "many"',
    ])
  })
})
