import { inMemory, recall, recalling, scope } from '@clew/memory'
import { Agent, openrouter } from 'clew'

const store = inMemory()
const memory = await store.open(scope({ tenant: 'acme', user: 'ada' }))
await memory.add([
  { id: 'a', kind: 'fact', text: 'Ada plays the viola.', at: Date.parse('2026-10-01') },
  { id: 'b', kind: 'fact', text: 'Ada lives in Turin.', at: Date.parse('2026-11-01') },
])
const [best] = await memory.search({ text: 'Who plays the viola?', limit: 1 })
console.log(best?.entry.text, best?.ranks)

// When the model asks for it …
const asks = new Agent({ name: 'friend', model: openrouter(), tools: recall(memory) })
asks.on('tool-end', ({ content }) => console.log(String(content).match(/^> .*/gm))) // the quoted lines
console.log((await asks.run('Which instrument do I play?')).text)

// … or with every question, unasked.
const knows = new Agent({ name: 'friend', model: openrouter(), use: [recalling(memory, { limit: 3 })] })
console.log((await knows.run('Where do I live?')).text)
await store.close()
