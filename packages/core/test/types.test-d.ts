/** What the compiler knows of a user's code. Compiled by `npm run check`, never run. */

import { type } from 'arktype'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import * as z3 from 'zod/v3'
import { Agent, type Model, type RunResult, type Tool, type ToolExecution, tool } from '../src/index.ts'

declare const model: Model
type App = { user: string }

const weather = tool({
  name: 'weather',
  input: z.object({ city: z.string(), days: z.number().default(3) }),
  execute: (input) => {
    expectTypeOf(input).toEqualTypeOf<{ city: string; days: number }>()
    return input.city
  },
})
expectTypeOf(weather).toEqualTypeOf<Tool<{ city: string; days: number }, unknown>>()

const old = tool({
  name: 'old',
  input: z3.z.object({ city: z3.z.string(), days: z3.z.number().default(3) }),
  execute: (input) => expectTypeOf(input).toEqualTypeOf<{ city: string; days: number }>(),
})

const ark = tool({
  name: 'ark',
  input: type({ city: 'string' }),
  execute: (input) => expectTypeOf(input).toEqualTypeOf<{ city: string }>(),
})

const plain = tool({
  name: 'plain',
  input: { type: 'object', properties: { city: { type: 'string' } } },
  execute: (input) => expectTypeOf(input).toEqualTypeOf<{ [key: string]: unknown }>(),
})

const nothing = tool({ name: 'nothing', execute: () => 1 })

const whoami = tool({
  name: 'whoami',
  input: z.object({ loud: z.boolean() }),
  execute: ({ loud }, { context }: ToolExecution<App>) => (loud ? context.user.toUpperCase() : context.user),
})
expectTypeOf(whoami).toEqualTypeOf<Tool<{ loud: boolean }, App>>()

const db = tool({
  name: 'db',
  context: z.object({ url: z.string() }),
  input: z.object({ sql: z.string() }),
  execute: ({ sql }, { context }) => {
    expectTypeOf(sql).toEqualTypeOf<string>()
    expectTypeOf(context).toEqualTypeOf<{ url: string }>()
  },
})

const simple = new Agent({ name: 'simple', model, tools: [weather, old, ark, plain, nothing] })
expectTypeOf(simple).toEqualTypeOf<Agent<unknown, string>>()
const text = await simple.run('x')
expectTypeOf(text).toEqualTypeOf<RunResult<string>>()
if (text.status === 'done') expectTypeOf(text.output).toEqualTypeOf<string>()
if (text.status === 'waiting') expectTypeOf(text.needs[0]!.id).toEqualTypeOf<string>()

const withContext = new Agent({ name: 'c', model, tools: [weather, whoami] })
expectTypeOf(withContext).toEqualTypeOf<Agent<App, string>>()
withContext.run('x', { context: { user: 'ada' } })
// @ts-expect-error the context is missing
withContext.run('x')
// @ts-expect-error part of the context is missing
withContext.run('x', { context: {} })

// Tools that need different contexts: say the whole of it once.
const several = new Agent<App & { url: string }>({ name: 's', model, tools: [weather, whoami, db] })
several.run('x', { context: { user: 'ada', url: 'pg' } })
// @ts-expect-error this tool needs more than the agent's context has
new Agent<App>({ name: 's', model, tools: [db] })

const byInstructions = new Agent({ name: 'i', model, instructions: (context: App) => `For ${context.user}` })
expectTypeOf(byInstructions).toEqualTypeOf<Agent<App, string>>()

const extractor = new Agent({
  name: 'e',
  model,
  output: z.object({ title: z.string(), year: z.string().transform(Number) }),
})
expectTypeOf(extractor).toEqualTypeOf<Agent<unknown, { title: string; year: number }>>()
const extracted = await extractor.run('x')
if (extracted.status === 'done') expectTypeOf(extracted.output.year).toEqualTypeOf<number>()
// @ts-expect-error the output is there only when the run is done
extracted.output.year

for await (const event of simple.run('x')) {
  if (event.type === 'text-delta') expectTypeOf(event.text).toEqualTypeOf<string>()
  if (event.type === 'tool-end') expectTypeOf(event.id).toEqualTypeOf<string>()
}
simple.on('model-end', (event) => expectTypeOf(event.usage.inputTokens).toEqualTypeOf<number>())
// @ts-expect-error no such event
simple.on('no-such-event', () => {})

new Agent({ ...extractor.options, limits: { usd: 1 } })
const dynamic = new Agent({
  name: 'd',
  model,
  tools: (context: App) => [weather, whoami].slice(0, context.user.length),
})
expectTypeOf(dynamic).toEqualTypeOf<Agent<App, string>>()

const reader = extractor.asTool({
  input: z.object({ url: z.string(), pages: z.number().default(1) }),
  prompt: (input) => {
    expectTypeOf(input).toEqualTypeOf<{ url: string; pages: number }>()
    return input.url
  },
})
expectTypeOf(reader).toEqualTypeOf<Tool<{ url: string; pages: number }, unknown>>()
expectTypeOf(withContext.asTool()).toEqualTypeOf<Tool<{ task: string }, App>>()
expectTypeOf(new Agent({ name: 'outer', model, tools: [withContext.asTool(), reader] })).toEqualTypeOf<
  Agent<App, string>
>()
// @ts-expect-error no such option
withContext.asTool({ nmae: 'x' })

// What an agent hands over to has to live with the same context, and answer with the same output.
expectTypeOf(new Agent({ name: 'desk', model, tools: [whoami], handoffs: [withContext, simple] })).toEqualTypeOf<
  Agent<App, string>
>()
expectTypeOf(new Agent({ name: 'desk', model, handoffs: [withContext] })).toEqualTypeOf<Agent<App, string>>()
new Agent({ name: 'desk', model, handoffs: [simple.asHandoff({ filter: (messages) => messages.slice(-1) })] })
// @ts-expect-error the clerk answers with another output
new Agent({ name: 'desk', model, handoffs: [extractor] })
new Agent<unknown, string | { title: string; year: number }>({ name: 'desk', model, handoffs: [extractor, simple] })
// @ts-expect-error this agent needs more than the context has
new Agent<{ other: string }>({ name: 'desk', model, handoffs: [withContext] })
const left: Agent = new Agent({ name: 'left', model, handoffs: () => [right] })
const right: Agent = new Agent({ name: 'right', model, handoffs: () => [left] })
new Agent({
  name: 'p',
  model,
  tools: [whoami],
  policy: (need, context) => {
    expectTypeOf(need.for).toEqualTypeOf<'approval' | 'result' | 'verdict'>()
    expectTypeOf(context).toEqualTypeOf<App>()
    return undefined
  },
})
// @ts-expect-error a policy answers, or leaves it to a person
new Agent({ name: 'p', model, policy: () => true })
expectTypeOf(await simple.run('x').steer('y')).toEqualTypeOf<{ seen: true; turn: number } | { seen: false }>()
