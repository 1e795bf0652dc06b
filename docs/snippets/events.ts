import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

const weather = tool({
  name: 'weather',
  input: z.object({ city: z.string() }),
  execute: ({ city }) => `${city}: sunny`,
})
const agent = new Agent({ name: 'guide', model: openrouter(), tools: [weather] })

const stop = agent.on('tool-start', (event) => console.log('listener:', event.path, event.name, event.input))
const types: string[] = []
for await (const { type } of agent.run('Rome?')) if (types.at(-1) !== type) types.push(type)
console.log(types.join(' → '))
stop()
