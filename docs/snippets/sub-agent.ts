import { Agent, approve, openrouter, tool } from 'clew'
import { z } from 'zod'

const refund = tool({
  name: 'refund',
  input: z.object({ order: z.number(), euros: z.number() }),
  needsApproval: ({ euros }) => euros > 50,
  execute: ({ order, euros }) => `Order ${order}: ${euros} euros went back.`,
})
const cashier = new Agent({ name: 'cashier', model: openrouter(), tools: [refund] })
const desk = new Agent({
  name: 'desk',
  model: openrouter(),
  tools: [cashier.asTool({ description: 'Moves money. Tell it what for.' })],
})

const paused = await desk.run('Order 17 came broken: 80 euros back, please.')
for (const need of paused.needs ?? []) console.log(need.path.join(' > '), need.tool, need.input)

const [need] = paused.needs ?? []
const result = await desk.resume(paused.state, need ? { [need.id]: approve() } : {})
console.log(result.text, `(${result.usage.requests} model calls)`)
