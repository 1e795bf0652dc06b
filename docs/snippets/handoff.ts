import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

const refund = tool({
  name: 'refund',
  input: z.object({ order: z.number() }),
  execute: ({ order }) => `Order ${order} is refunded.`,
})
const clerk: Agent = new Agent({
  name: 'clerk',
  model: openrouter(),
  instructions: 'You refund orders. For everything else, hand back to the desk.',
  tools: [refund],
  handoffs: () => [desk], // a function, because desk is defined below
})
const desk: Agent = new Agent({
  name: 'desk',
  model: openrouter(),
  instructions: 'You welcome people.',
  handoffs: [
    clerk.asHandoff({
      description: 'For refunds.',
      filter: (messages) => messages.filter(({ role }) => role === 'user'), // what the clerk sees of the talk
    }),
  ],
})

const run = desk.run('Order 17 came broken. I want my money back.')
for await (const event of run) {
  if (event.type === 'handoff') console.log(`${event.path} → ${event.agent}`)
  if (event.type === 'tool-end') console.log(`${event.path} used ${event.name}: ${event.content}`)
}
const { text, state } = await run
console.log(`${state.agent}: ${text}`)
