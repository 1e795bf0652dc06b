import { compaction } from '@clew/memory'
import { keepPlan, plan } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const agent = new Agent({
  name: 'worker',
  model: openrouter(),
  tools: [plan()],
  use: [keepPlan(compaction())], // the latest list outlives every compaction
})
agent.on('tool-end', ({ content }) => console.log(content, '\n'))
console.log((await agent.run('Paint the room.')).text)
