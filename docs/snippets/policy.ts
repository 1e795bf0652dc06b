import { Agent, approve, deny, openrouter, tool } from 'clew'
import { z } from 'zod'

const refund = tool({
  name: 'refund',
  input: z.object({ order: z.number(), euros: z.number() }),
  needsApproval: true,
  expiresMs: 24 * 60 * 60 * 1000, // whoever is asked has a day
  execute: ({ order, euros }) => `Refunded ${euros} euros for order ${order}.`,
})
const clerk = new Agent({
  name: 'clerk',
  model: openrouter(),
  tools: [refund],
  policy: ({ input }) => {
    const { euros } = input as { euros: number }
    if (euros <= 50) return approve()
    return euros > 500 ? deny('more than a clerk may refund') : undefined // a person decides
  },
})

const paused = await clerk.run('Refund orders 17, 18 and 19.')
for (const need of paused.needs ?? []) console.log('a person is asked:', need.tool, need.input)

const [need] = paused.needs ?? []
const pattern = { order: 18 } // whatever the amount, for the rest of the session
const answers = need && { [need.id]: approve({ seen: need, always: { pattern } }) }
console.log((await clerk.resume(paused.state, answers)).text)
