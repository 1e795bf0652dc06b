/** `task()`: an agent as a tool for work that is done apart, described so that the caller's model tells it all it needs. */
import { type Agent, type AsToolOptions, DefinitionError, type StandardSchema, type Tool } from '@clew/core'
import { checkNames } from '../guard/check-option.ts'

export type TaskOptions = Pick<AsToolOptions<TaskSchema, unknown>, 'needsApproval' | 'maxResultChars'> & {
  /** What the agent is good for, in a sentence: the caller's model chooses by it. */
  for: string
  /** Default: `task_` and the agent's name. */
  name?: string
}

type TaskSchema = StandardSchema<object, { task: string }>

/**
 * `agent.asTool()` with a name and a description that small models follow. One tool an agent, so that needs, limits and
 * crashes are those of a sub-agent; for several, `agents.map((agent) => task(agent, { for: … }))`.
 * @throws DefinitionError without `for`
 */
export function task<Context, Output>(
  agent: Agent<Context, Output>,
  options: TaskOptions,
): Tool<{ task: string }, Context> {
  checkNames('task()', options ?? {}, ['for', 'name', 'needsApproval', 'maxResultChars'])
  const {
    for: purpose,
    name = `task_${agent.name.replace(/[^a-zA-Z0-9_-]+/g, '_')}`.slice(0, 64),
    ...rest
  } = options ?? {}
  if (typeof purpose !== 'string' || purpose.trim() === '') {
    throw new DefinitionError(
      `task(): for is ${JSON.stringify(purpose)}; say what agent "${agent.name}" is good for, or no model will know when to ask it.`,
    )
  }
  return agent.asTool({
    ...rest,
    name,
    description: `Gives a piece of work to another agent: ${purpose.trim()} It works alone and comes back with its answer. It knows nothing of this conversation: write everything that it needs into "task". Several tasks can be given at once.`,
  })
}
