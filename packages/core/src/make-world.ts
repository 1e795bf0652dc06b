/** An agent's parts made ready for a run: functions of the context called, tools converted, their context checked. */
import { nanoid } from 'nanoid'
import type { AgentsByName, AnyRunOptions, GatheredAgent } from './agents-by-name.ts'
import { fromContext } from './agents-by-name.ts'
import { checkTools } from './check-agent.ts'
import { InputError } from './errors.ts'
import type { RunControl } from './run.ts'
import { describeIssue } from './schema.ts'
import type { Tool } from './tool.ts'
import type { Successor, World } from './world.ts'

/** What is not the agent's: whose run it is, how it is held, what its root may still spend and what it answers. */
export type Place = Pick<
  World,
  'runId' | 'path' | 'left' | 'standing' | 'untrusted' | 'tightens' | 'policy' | 'tell'
> & { control: RunControl }

/** The world of the agent `name`, one of `agents`. */
export async function makeWorld(
  agents: AgentsByName,
  name: string,
  options: AnyRunOptions,
  place: Place,
): Promise<World> {
  const parts = agents.get(name) as GatheredAgent
  const { options: agent, output, handoffs } = parts
  const own = (await fromContext(agent.tools, options, `tools of agent "${name}"`)) ?? []
  if (!Array.isArray(own)) checkTools(own, agent)
  const tools = [...own, ...handoffs.map((handoff) => handoff.tool)]
  checkTools(tools, agent)
  await checkContext(tools, options.context)
  const specs = await Promise.all(tools.map((tool) => tool.spec()))
  const json = output && (typeof output.schema.json === 'function' ? await output.schema.json() : output.schema.json)
  const { control, tell, ...shared } = place
  const { controller } = control
  let lapped = performance.now()
  return {
    ...shared,
    tightens: place.tightens || agent.tightenOnUntrusted === true,
    agent: name,
    model: agent.model,
    tools: new Map(tools.map((tool) => [tool.name, tool])),
    specs,
    toolChoice: agent.toolChoice,
    output: output && json ? { schema: output.schema, json } : undefined,
    use: agent.use ?? [],
    concurrency: agent.concurrency ?? 64,
    context: options.context,
    handoffs: new Map(handoffs.map(({ agent: to, filter }) => [to, successor(agents, to, filter, options, place)])),
    inbox: control.inbox,
    tell(event) {
      tell(event)
      if (parts.tell !== tell) parts.tell(event)
    },
    signal: controller.signal,
    timedOut: () => control.timedOut,
    leave: (reason) => controller.abort(reason),
    newId: () => nanoid(),
    lap() {
      const now = performance.now()
      const ms = Math.round(now - lapped)
      lapped += ms
      return ms
    },
  }
}

/** `tell` stays that of the agent that the run began with: its listeners hear the whole run. */
function successor(
  agents: AgentsByName,
  agent: string,
  filter: Successor['filter'],
  options: AnyRunOptions,
  place: Place,
): Successor {
  return {
    ...(filter && { filter }),
    instructions: () =>
      fromContext(agents.get(agent)?.options.instructions, options, `instructions of agent "${agent}"`),
    enter: () => makeWorld(agents, agent, options, { ...place, path: [...place.path.slice(0, -1), agent] }),
  }
}

/** @throws InputError when a tool cannot work with the caller's data. */
export async function checkContext(tools: readonly Tool<never, never>[], context: unknown): Promise<void> {
  for (const { name, context: schema } of tools) {
    const checked = await schema?.['~standard'].validate(context)
    if (!checked?.issues) continue
    const problems = checked.issues.map((issue) => describeIssue(issue, context)).join('; ')
    throw new InputError(
      `Tool "${name}" cannot work with this context: ${problems}. Pass it as agent.run(input, { context }).`,
    )
  }
}
