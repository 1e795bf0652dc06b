import { Agent, isClewError, openrouter } from 'clew'

const agent = new Agent({ name: 'talker', model: openrouter() })

for await (const event of agent.run('Tell me a long story.')) {
  if (event.type !== 'text-delta') continue
  console.log(event.text)
  break // leaving the stream cancels the request
}

const run = agent.run('Another one.', { signal: AbortSignal.timeout(20) })
const error = await run.result().catch((error: unknown) => error)
console.log(isClewError(error, 'abort') && error.state.status)
