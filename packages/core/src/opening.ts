/** The events with which an agent becomes the active one. Its instructions are made once, and are in the log. */
import type { AnyAgentOptions } from './agents-by-name.ts'
import { fromContext } from './agents-by-name.ts'
import type { LoggedEvent } from './event.ts'
import type { Message } from './message.ts'
import { version } from './state.ts'

export async function runStart(
  agent: AnyAgentOptions,
  id: string,
  context: unknown,
  input: Message[],
): Promise<LoggedEvent> {
  return { type: 'run-start', v: version, id, agent: agent.name, ...(await instructionsOf(agent, context)), input }
}

/** Instead of an agent that was active and is not there any more. */
export async function takeOver(agent: AnyAgentOptions, context: unknown): Promise<LoggedEvent> {
  return { type: 'handoff', agent: agent.name, ...(await instructionsOf(agent, context)) }
}

async function instructionsOf(agent: AnyAgentOptions, context: unknown): Promise<{ instructions?: string }> {
  const words = await fromContext(agent.instructions, { context }, `instructions of agent "${agent.name}"`)
  return words ? { instructions: words } : {}
}
