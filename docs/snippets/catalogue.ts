import { Agent, catalogue, openrouter } from 'clew'

const known = catalogue()
const card = await known.model('qwen/qwen3.5-9b')
console.log(card.contextLength, card.inputModalities, card.prices)

// A model that knows its card counts costs where a provider tells none, and stops before a request that would be too dear.
const agent = new Agent({ name: 'frugal', model: openrouter(card.id, { catalogue: known }), limits: { usd: 0.01 } })
console.log((await agent.run('In one word: what is a clew?')).text)
