import { Agent, openrouter } from 'clew'

const model = openrouter('qwen/qwen3.5-9b', {
  reasoning: { enabled: true },
  maxTokens: 2000,
  temperature: 0.7,
  topP: 0.8,
  models: ['qwen/qwen3-30b-a3b-instruct-2507'], // when the first cannot answer
  provider: { sort: 'throughput', dataCollection: 'deny', maxPrice: { prompt: 1, completion: 2 } },
  app: { url: 'https://example.org', title: 'My app' },
})
const result = await new Agent({ name: 'thinker', model }).run('How many legs have two spiders?')
console.log(result.text)
console.log(
  `${result.usage.reasoningTokens} of ${result.usage.outputTokens} tokens were reasoning, $${result.usage.usd}`,
)
