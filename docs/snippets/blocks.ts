import { blockTools, inMemory, StaleBlockError, scope } from '@clew/memory'
import { Agent, openrouter } from 'clew'
import { z } from 'zod'

const store = inMemory()
const memory = await store.open(scope({ tenant: 'acme', user: 'ada' }))

const plan = z.object({ goal: z.string(), open: z.array(z.string()), done: z.array(z.string()) })
const agent = new Agent({
  name: 'planner',
  model: openrouter(),
  tools: blockTools(memory, { plan: { schema: plan, description: 'What is to be done, and what is done.' } }),
})
await agent.run('We are to move house: pack, then call the movers.')
await agent.run('Packed!')

const block = await memory.readBlock('plan')
console.log(JSON.stringify(block?.value), `at revision ${block?.revision}`)
console.log(JSON.stringify((await memory.blockHistory('plan')).map(({ value }) => value)))

// A program writes as well. Who has read an older value is told, and writes over nobody.
const late = await memory.writeBlock('plan', null, 1).catch((error) => error)
if (late instanceof StaleBlockError) console.log(`it is at revision ${late.current?.revision} by now`)
await store.close()
