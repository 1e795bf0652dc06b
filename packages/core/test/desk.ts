/** A desk that hands over to a clerk. */
import { Agent, type LoggedEvent, type Tool, tool } from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

export const transfer = (to: string) => ({ name: `transfer_to_${to}` })
export const look = tool({ name: 'look', effect: 'pure', execute: () => 'Order 17 is open.' }) as Tool

export function desk(
  ofDesk: ScriptedReply[],
  ofClerk: ScriptedReply[],
  options: Partial<Agent['options']> = {},
  clerkOptions: Partial<Agent['options']> = {},
) {
  const models = { desk: scriptedModel(ofDesk), clerk: scriptedModel(ofClerk) }
  const clerk = new Agent({ name: 'clerk', model: models.clerk, instructions: 'You are the clerk.', ...clerkOptions })
  const agent = new Agent({
    name: 'desk',
    model: models.desk,
    instructions: 'You are the desk.',
    tools: [look],
    handoffs: [clerk],
    ...options,
  })
  return { agent, clerk, models }
}

/** The log as it stands when the process dies before the first event of the type. */
export const before = (events: LoggedEvent[], type: LoggedEvent['type']) =>
  events.slice(
    0,
    events.findIndex((event) => event.type === type),
  )
