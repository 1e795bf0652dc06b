import { Agent, openrouter } from 'clew'

const agent = new Agent({ name: 'friend', model: openrouter() })
for await (const event of agent.run('Hello')) {
  if (event.type === 'model-restart') console.log(event.reason.replace(/\d\.\d s/, 'a moment'))
  if (event.type === 'model-end') console.log(event.message.content)
}
