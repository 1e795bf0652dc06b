import { datetime } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const now = () => Date.UTC(2026, 9, 24, 12) // for this page; left out, it is the machine's clock
const agent = new Agent({ name: 'guide', model: openrouter(), tools: [datetime({ zone: 'Europe/Berlin', now })] })
agent.on('tool-end', ({ content }) => console.log(content, '\n'))
console.log((await agent.run('What time is it in Tokyo, and how long is it until half past two tomorrow night?')).text)
