/** The agents that a run can have, gathered once by name: the one it begins with, and all that can take over. */
import type { AgentOptions, FromContext, RunOptions } from './agent-options.ts'
import { checkHandoffs, toHandoff } from './check-agent.ts'
import { DefinitionError, InputError } from './errors.ts'
import type { RunEvent } from './event.ts'
import type { Handoff } from './handoff.ts'
import type { CompiledSchema } from './schema.ts'
import { describeError } from './tool-result.ts'

/** Agents whatever their types; what they hold was checked against them by the compiler. */
export type AnyAgentOptions = AgentOptions<never, unknown>
export type AnyRunOptions = RunOptions & { context?: unknown }
export type Output = { schema: CompiledSchema } | undefined

/** An agent from inside: as it was defined, its output schema compiled, and the way to its listeners. */
export type AgentParts = { options: AnyAgentOptions; output: Output; tell: (event: RunEvent) => void }
export type GatheredAgent = AgentParts & { handoffs: readonly Handoff[] }
export type AgentsByName = ReadonlyMap<string, GatheredAgent>

/** @throws DefinitionError when two agents have one name; InputError when a list could not be made of the context */
export async function gatherAgents(first: AgentParts, options: AnyRunOptions): Promise<AgentsByName> {
  const agents = new Map<string, GatheredAgent>()
  const open = [first]
  for (let parts = open.pop(); parts; parts = open.pop()) {
    const { name } = parts.options
    const known = agents.get(name)
    if (known && known.options !== parts.options) {
      throw new DefinitionError(
        `Two agents that agent "${first.options.name}" can hand over to, itself included, have the name "${name}". A saved run could not tell them apart; rename one.`,
      )
    }
    if (known) continue
    const listed = await fromContext(parts.options.handoffs, options, `handoffs of agent "${name}"`)
    checkHandoffs(listed ?? [], name)
    const handoffs = (listed ?? []).map(toHandoff)
    agents.set(name, { ...parts, handoffs })
    for (const { to } of handoffs) open.push(to as AgentParts)
  }
  return agents
}

/** @throws InputError when the function fails; most often it was given no context. */
export async function fromContext<Value>(
  value: FromContext<Value, never> | undefined,
  options: AnyRunOptions,
  what: string,
): Promise<Value | undefined> {
  if (typeof value !== 'function') return value
  try {
    return await (value as (context: unknown) => Value | Promise<Value>)(options.context)
  } catch (cause) {
    const missing =
      options.context === undefined ? ' There was no context; pass it as agent.run(input, { context }).' : ''
    throw new InputError(`The ${what} could not be made: ${describeError(cause)}.${missing}`, { cause })
  }
}
