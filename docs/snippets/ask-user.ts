import { askUser } from '@clew/tools'
import { Agent, memorySession, openrouter, respond } from 'clew'

const painter = new Agent({ name: 'painter', model: openrouter(), tools: [askUser()] })
const session = memorySession('room-3')

const paused = await painter.run('Paint the room.', { session })
for (const need of paused.needs ?? []) {
  console.log(need.tool, need.for, need.input) // show it to the person, now or next week
  const result = await painter.resume(session, { [need.id]: respond('blue, like the door') })
  console.log(result.text)
}
