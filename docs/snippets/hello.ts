import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

const weather = tool({
  name: 'weather',
  input: z.object({ city: z.string() }),
  execute: ({ city }) => `${city}: 14 °C, light rain`,
})
const agent = new Agent({ name: 'guide', model: openrouter(), tools: [weather] })
const result = await agent.run('Is it a day for a walk in Lisbon?')
console.log(result.text)
