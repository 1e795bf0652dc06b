import { Agent, openrouter, type ToolExecution, tool } from 'clew'
import { z } from 'zod'

type Shop = { customer: string; orders: Map<string, number[]> }

const listOrders = tool({
  name: 'list_orders',
  input: z.object({ newest: z.int().default(10) }),
  effect: 'pure',
  execute: ({ newest }, { context }: ToolExecution<Shop>) => context.orders.get(context.customer)?.slice(-newest) ?? [],
})
const agent = new Agent({
  name: 'shop',
  model: openrouter(),
  instructions: ({ customer }: Shop) => `You serve ${customer}.`,
  tools: [listOrders],
})
agent.on('tool-end', (event) => console.log('orders:', event.content))
await agent.run('What did I buy?', { context: { customer: 'ada', orders: new Map([['ada', [3, 17]]]) } })
