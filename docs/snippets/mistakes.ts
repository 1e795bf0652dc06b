import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

const weather = tool({
  name: 'weather',
  input: z.object({ city: z.string(), days: z.number() }),
  execute: ({ city }) => `${city}: sunny`,
})
const agent = new Agent({ name: 'guide', model: openrouter(), tools: [weather] })
agent.on('tool-end', (event) => console.log(event.content, '\n'))
await agent.run('The weather in Rome?')
