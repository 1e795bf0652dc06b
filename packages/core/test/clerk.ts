/** A clerk who pays after approval; `paid` is the world. */
import { z } from 'zod'
import { Agent, type AgentOptions, type LoggedEvent, type Tool, tool } from '../src/index.ts'
import { type ScriptedModel, type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

export const call = (to: string, euros = 5) => ({ name: 'pay', arguments: { to, euros } })

export function clerk(
  replies: ScriptedReply[],
  options: Partial<AgentOptions<unknown, string>> = {},
  expiresMs?: number,
) {
  const paid: string[] = []
  const pay = tool({
    name: 'pay',
    input: z.object({ to: z.string(), euros: z.number().max(100) }),
    needsApproval: true,
    ...(expiresMs !== undefined && { expiresMs }),
    execute: ({ to }) => {
      paid.push(to)
      return `paid ${to}`
    },
  }) as Tool
  const model = scriptedModel(replies)
  return { paid, model, agent: new Agent({ name: 'clerk', model, tools: [pay], ...options }) }
}

/** The results that the model read last. */
export const told = ({ requests }: Pick<ScriptedModel, 'requests'>) =>
  requests.at(-1)?.messages.flatMap(({ role, content }) => (role === 'tool' ? [content] : []))

/** The log as it stands when the process dies behind the first event of the type. */
export const upTo = (events: LoggedEvent[], type: LoggedEvent['type']) =>
  events.slice(0, events.findIndex((event) => event.type === type) + 1)
