import { compaction, inMemory, readArtifactTool, scope } from '@clew/memory'
import { Agent, openrouter } from 'clew'

const store = inMemory() // or sqliteMemory({ file }), postgresMemory({ pool }), fileMemory(path)
const memory = await store.open(scope({ tenant: 'acme', user: 'ada' }))

const agent = new Agent({
  name: 'guide',
  model: openrouter(), // its card tells what the context holds: 262,144 tokens
  tools: [readArtifactTool((id, range) => memory.readArtifact(id, range))],
  use: [
    compaction({
      summariser: openrouter(), // a cheap model will do
      artifacts: { put: (text) => memory.putArtifact(text) },
    }),
  ],
})
agent.on('compacted', ({ upTo, replacement }) => console.log(`${upTo} messages became ${replacement.length}`))
console.log((await agent.run('Hello')).text)
await store.close()
