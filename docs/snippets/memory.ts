import { blockTools, inMemory, recall, scope } from '@clew/memory'
import { Agent, openrouter } from 'clew'
import { z } from 'zod'

const store = inMemory() // or sqliteMemory({ file }), postgresMemory({ pool }), fileMemory(path)
// Made by the program that serves the user, from what it knows for sure.
const memory = await store.open(scope({ tenant: 'acme', user: 'ada' }))

const profile = z.object({ name: z.string().optional(), likes: z.array(z.string()).default([]) })
const agent = new Agent({
  name: 'friend',
  model: openrouter(),
  tools: [
    ...recall(memory),
    ...blockTools(memory, { profile: { schema: profile, description: 'What we know of the user.' } }),
  ],
})
agent.on('tool-end', ({ name, content }) => console.log(name, /> .*/.exec(String(content))?.[0] ?? 'ok'))

await agent.run('I am Ada, and I play the viola. We met in Turin, remember?')
const result = await agent.run('Where did we meet?') // another conversation, no session in common
console.log(result.text)

console.log(await memory.erase())
await store.close()
