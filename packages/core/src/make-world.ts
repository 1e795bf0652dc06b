/** An agent's parts made ready for a run: functions of the context called, tools converted, their context checked. */
import { nanoid } from 'nanoid'
import type { AgentOptions, FromContext, RunOptions } from './agent-options.ts'
import { checkTools } from './agent-options.ts'
import { InputError } from './errors.ts'
import type { Leaving } from './run.ts'
import type { CompiledSchema } from './schema.ts'
import { describeIssue } from './schema.ts'
import type { Tool } from './tool.ts'
import { describeError } from './tool-result.ts'
import type { World } from './world.ts'

/** Agents whatever their types; what they hold was checked against them by the compiler. */
export type AnyAgentOptions = AgentOptions<never, unknown>
export type AnyRunOptions = RunOptions & { context?: unknown }
export type Output = { schema: CompiledSchema } | undefined

/** What is not the agent's: whose run it is, how it is left, and what its root may still spend. */
export type Place = Pick<World, 'runId' | 'path' | 'left' | 'standing'> & { leaving: Leaving }

export async function makeWorld(
  agent: AnyAgentOptions,
  output: Output,
  options: AnyRunOptions,
  { leaving, ...place }: Place,
): Promise<World> {
  const tools = (await fromContext(agent.tools, options, `tools of agent "${agent.name}"`)) ?? []
  checkTools(tools, agent)
  await checkContext(tools, options.context)
  const specs = await Promise.all(tools.map((tool) => tool.spec()))
  const json = output && (typeof output.schema.json === 'function' ? await output.schema.json() : output.schema.json)
  const { controller } = leaving
  let lapped = performance.now()
  return {
    agent: agent.name,
    model: agent.model,
    tools: new Map(tools.map((tool) => [tool.name, tool])),
    specs,
    toolChoice: agent.toolChoice,
    output: output && json ? { schema: output.schema, json } : undefined,
    use: agent.use ?? [],
    concurrency: agent.concurrency ?? 64,
    context: options.context,
    ...place,
    signal: controller.signal,
    timedOut: () => leaving.timedOut,
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

async function checkContext(tools: readonly Tool<never, never>[], context: unknown): Promise<void> {
  for (const { name, context: schema } of tools) {
    const checked = await schema?.['~standard'].validate(context)
    if (!checked?.issues) continue
    const problems = checked.issues.map((issue) => describeIssue(issue, context)).join('; ')
    throw new InputError(
      `Tool "${name}" cannot work with this context: ${problems}. Pass it as agent.run(input, { context }).`,
    )
  }
}
