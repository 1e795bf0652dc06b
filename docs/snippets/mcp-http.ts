import { mcp, serveMcp } from '@clew/mcp'
import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

const pay = tool({
  name: 'pay',
  input: z.object({ usd: z.number() }),
  needsApproval: ({ usd }) => usd > 10,
  execute: ({ usd }) => `Paid ${usd} dollars.`,
})
const clerk = new Agent({ name: 'clerk', model: openrouter(), tools: [pay] })
const tools = [pay, clerk.asTool({ description: 'Settles a bill.' })]
await using service = await serveMcp({ name: 'desk', tools }).http({ port: 0 })

await using desk = await mcp({
  url: service.url,
  // This server is ours: what it says of its tools can be believed.
  perTool: ({ annotations }) => ({ effect: annotations.readOnlyHint ? 'pure' : 'once' }),
  async onElicitation({ message }) {
    console.log('the person is asked:', message)
    return { action: 'accept', content: { approve: true } }
  },
})
const buyer = new Agent({ name: 'buyer', model: openrouter(), tools: desk.tools() })
buyer.on('tool-end', (event) => console.log(event.name, 'says:', event.content))
console.log((await buyer.run('Settle the bill of 30 dollars.')).text)
