import { Agent, fold, memorySession, openrouter } from 'clew'

const agent = new Agent({ name: 'friend', model: openrouter() })
const session = memorySession()
const { state } = await agent.run('Good morning.', { session })

console.log(
  state.status,
  state.turn,
  state.messages.map((message) => message.role),
)
console.log('the log folds to it:', JSON.stringify(fold((await session.read()).events)) === JSON.stringify(state))
