/** A handoff: the talk moves on to another agent, and does not come back. To the model it is a tool. */
import { DefinitionError } from './errors.ts'
import type { Message } from './message.ts'
import { legalise, type Tool, tool } from './tool.ts'

export type HandoffOptions = {
  /** What the model calls. Default: `transfer_to_` and the agent's name, made legal. */
  name?: string
  /** Tells the model when to hand over. */
  description?: string
  /**
   * What the other agent sees of the talk; default: all of it. Results whose calls were left out are left out as well.
   * When it fails, the run fails, and nothing is shown to the other agent.
   */
  filter?: (messages: readonly Message[]) => Message[] | Promise<Message[]>
}

/** For `new Agent({ handoffs })`. `Context` is what the agent's tools need, `Output` what it answers with. */
export interface Handoff<in Context = never, out Output = unknown> {
  /** The name of the agent that takes over. */
  readonly agent: string
  readonly tool: Tool
  readonly filter?: HandoffOptions['filter']
  /** @internal The agent itself. */
  readonly to: unknown
  /** @internal For the types alone. */
  readonly types?: (context: Context) => Output
}

/** @throws DefinitionError for a name that no provider takes, or a filter that is none */
export function makeHandoff<Context, Output>(
  agent: string,
  to: unknown,
  options: HandoffOptions = {},
): Handoff<Context, Output> {
  const { name = legalise(`transfer_to_${agent}`), description, filter } = options
  if (filter !== undefined && typeof filter !== 'function') {
    throw new DefinitionError(`The handoff to agent "${agent}": filter is no function of the messages.`)
  }
  const says = `Hand the conversation over to ${agent}, who goes on with it.`
  const made = tool({
    name,
    description: description ? `${says} ${description}` : says,
    effect: 'pure',
    execute: () => `Transferred to ${agent}.`,
  })
  return { agent, tool: { ...made, handoff: agent } as Tool, ...(filter && { filter }), to }
}
