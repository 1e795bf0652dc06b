import { inMemory, recall, scope } from '@clew/memory'
import { Agent, openrouter, openrouterEmbedder } from 'clew'

const embed = openrouterEmbedder('openai/text-embedding-3-small', { dimensions: 512 })
const memory = await inMemory().open(scope({ tenant: 'acme', user: 'ada' }))

const texts = ['The night train to Turin leaves at nine.', 'Ada keeps her viola in the hall.']
const vectors = await embed(texts) // up to 64 texts in a request, as many requests as it takes
await memory.add(
  vectors.map((vector, at) => ({ id: `note ${at}`, kind: 'passage', text: texts[at]!, at: Date.now(), vector })),
)

const agent = new Agent({ name: 'clerk', model: openrouter(), tools: recall(memory, { embed, limit: 1 }) })
agent.on('tool-end', ({ content }) => console.log(/> .*/.exec(String(content))?.[0]))
console.log((await agent.run('When do I have to be at the station?')).text)
