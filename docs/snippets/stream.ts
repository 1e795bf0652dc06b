import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

const weather = tool({
  name: 'weather',
  input: z.object({ city: z.string() }),
  execute: ({ city }) => `${city}: 14 °C, light rain`,
})
const agent = new Agent({ name: 'guide', model: openrouter(), tools: [weather] })

for await (const event of agent.run('And in Oslo?')) {
  if (event.type === 'tool-start') console.log(`[${event.name} ${JSON.stringify(event.input)}]`)
  if (event.type === 'text-delta') process.stdout.write(event.text)
}
