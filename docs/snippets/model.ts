import { Agent, openrouter } from 'clew'

const model = openrouter('qwen/qwen3.5-9b', {
  reasoning: { enabled: true },
  maxTokens: 2000,
  temperature: 0.7,
  topP: 0.8,
  app: { url: 'https://example.org', title: 'My app' },
  extraBody: { provider: { sort: 'throughput' } }, // any other field of the request
})
const result = await new Agent({ name: 'thinker', model }).run('How many legs have two spiders?')
console.log(result.text)
console.log(
  `${result.usage.reasoningTokens} of ${result.usage.outputTokens} tokens were reasoning, $${result.usage.usd}`,
)
