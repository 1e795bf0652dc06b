import { Agent, approve, deny, memorySession, openrouter, tool } from 'clew'
import { z } from 'zod'

const refund = tool({
  name: 'refund',
  input: z.object({ order: z.number(), euros: z.number() }),
  needsApproval: ({ euros }) => euros > 50,
  execute: ({ order, euros }) => `Refunded ${euros} euros for order ${order}.`,
})
const clerk = new Agent({ name: 'clerk', model: openrouter(), tools: [refund] })
const session = memorySession('order-17')

const paused = await clerk.run('Refund order 17: 80 euros.', { session })
if (paused.status === 'waiting') {
  for (const need of paused.needs) console.log(`May ${need.path} call ${need.tool}?`, need.input)
  const answers = Object.fromEntries(
    paused.needs.map((need) => [need.id, need.tool === 'refund' ? approve() : deny('no')]),
  )
  const result = await clerk.resume(session, answers) // now, or next week
  console.log(result.text)
}
