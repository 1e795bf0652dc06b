import { Agent, isClewError, openrouter } from 'clew'

const agent = new Agent({ name: 'friend', model: openrouter() })
try {
  await agent.run('Hello')
} catch (error) {
  if (!isClewError(error, 'run')) throw error
  console.log(error.message)
  if (isClewError(error.cause, 'model')) console.log(error.cause.details.status, error.cause.details.retryable)
  console.log('nothing is lost:', error.state.messages)
}
