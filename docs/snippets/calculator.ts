import { calculator } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const agent = new Agent({ name: 'clerk', model: openrouter(), tools: [calculator()] })
agent.on('tool-end', ({ content }) => console.log(content))
console.log((await agent.run('Three at 19.99 with 19% on top, and a third of it?')).text)
