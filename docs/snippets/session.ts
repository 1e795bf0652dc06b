import { Agent, memorySession, openrouter } from 'clew'

const agent = new Agent({ name: 'friend', model: openrouter(), instructions: 'Be brief.' })
const session = memorySession('chat-1')

await agent.run('My name is Ada.', { session })
const result = await agent.run('What is my name?', { session })
console.log(result.text)
console.log((await session.read()).events.map((event) => event.type).join(' '))
