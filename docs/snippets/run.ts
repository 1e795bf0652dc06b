import { Agent, openrouter } from 'clew'

const agent = new Agent({ name: 'poet', model: openrouter() })

const run = agent.run('A line about rain.') // nothing has happened yet
for await (const event of run) {
  if (event.type === 'model-end') console.log('answered in', event.usage.outputTokens, 'tokens')
}
const result = await run // the same run: nothing happens twice
console.log(result.status, '·', result.text)
