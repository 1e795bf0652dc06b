import { Agent, isClewError, memorySession, openrouter } from 'clew'

const agent = new Agent({ name: 'reader', model: openrouter() })
const session = memorySession('chat-1')
try {
  await agent.run('Read all of this: …', { session })
} catch (error) {
  const cause = isClewError(error, 'run') ? error.cause : undefined
  const details = isClewError(cause, 'model') ? cause.details : {}
  if (details.kind === 'rate-limit') console.log(`wait ${details.retryAfterMs} ms, then agent.resume(session)`)
  if (details.kind === 'context-overflow') console.log('shorten the history, or choose a model with a longer context')
}
