/** The desk: an agent that refunds orders, and asks a person first when it is much. */
import { Agent, type Model, tool } from 'clew'
import { z } from 'zod'
import type { Bank } from './bank.ts'

/** `afterBooking` is called between the booking and its outcome: the worst moment for a crash. */
export function makeDesk(model: Model, bank: Bank, afterBooking: () => void = () => {}) {
  const refund = tool({
    name: 'refund',
    description: 'Sends money back for an order.',
    input: z.object({ order: z.number().int(), euros: z.number().positive() }),
    needsApproval: ({ euros }) => euros > 50,
    // `effect` is left out, so it is 'once': after a crash nobody repeats it unasked.
    execute: ({ order, euros }, { idempotencyKey }) => {
      bank.book({ key: idempotencyKey, order, euros })
      afterBooking()
      return `Order ${order}: ${euros} euros went back.`
    },
  })
  return new Agent({ name: 'desk', model, instructions: 'You refund orders. Be brief.', tools: [refund] })
}
