/** The checks that an agent can work as it was defined, and that a run was asked for with what it knows. */
import type { AgentOptions, HandoffTarget, RunOptions } from './agent-options.ts'
import { DefinitionError, InputError } from './errors.ts'
import type { Handoff } from './handoff.ts'
import { checkKeys } from './keys.ts'
import { checkLimits } from './limits.ts'
import type { Tool } from './tool.ts'

const optionNames = [
  'name',
  'model',
  'instructions',
  'tools',
  'plugins',
  'handoffs',
  'policy',
  'tightenOnUntrusted',
  'output',
  'toolChoice',
  'limits',
  'use',
  'concurrency',
] as const satisfies (keyof AgentOptions)[]

const otherWords = {
  maxTurns: 'limits: { turns }',
  maxSteps: 'limits: { turns }',
  stopWhen: 'limits',
  system: 'instructions',
  prompt: 'instructions',
  systemPrompt: 'instructions',
  outputType: 'output',
  outputSchema: 'output',
  middleware: 'use',
}

/** @throws DefinitionError naming the option, its value and what it may be. */
export function checkAgent(options: AgentOptions<never, unknown>): void {
  const where = `Agent ${JSON.stringify(options?.name)}`
  if (typeof options?.name !== 'string' || options.name === '') {
    throw new DefinitionError(`${where}: an agent needs a name, for its events and traces.`)
  }
  if (typeof options.model?.generate !== 'function') {
    const given = typeof options.model === 'string' ? `"${options.model}", a text` : String(options.model)
    throw new DefinitionError(`${where}: model is ${given}; give a model such as openrouter('qwen/qwen3.5-9b').`)
  }
  checkKeys(options, optionNames, where, otherWords)
  const { concurrency } = options
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new DefinitionError(`${where}: concurrency is ${String(concurrency)}; give a whole number of at least 1.`)
  }
  checkLimits(options.limits ?? {}, where, DefinitionError)
  if (options.policy !== undefined && typeof options.policy !== 'function') {
    throw new DefinitionError(
      `${where}: policy is no function. Write policy: (need) => approve(), deny('…') or undefined.`,
    )
  }
  if (options.tightenOnUntrusted !== undefined && typeof options.tightenOnUntrusted !== 'boolean') {
    throw new DefinitionError(
      `${where}: tightenOnUntrusted is ${String(options.tightenOnUntrusted)}; give true or false.`,
    )
  }
  const { tools = [], handoffs = [] } = options
  if (typeof handoffs !== 'function') checkHandoffs(handoffs, options.name)
  const transfers = typeof handoffs === 'function' ? [] : handoffs.map((each) => toHandoff(each).tool)
  if (typeof tools !== 'function') {
    if (!Array.isArray(tools)) checkTools(tools, options)
    // Names that a function gives are known when the run starts.
    checkTools([...tools, ...transfers], typeof handoffs === 'function' ? { name: options.name } : options)
  }
}

/** @throws DefinitionError for what is neither an agent nor a handoff, and for two of one agent */
export function checkHandoffs(handoffs: readonly HandoffTarget<never, unknown>[], name: string): void {
  const where = `Agent ${JSON.stringify(name)}`
  if (!Array.isArray(handoffs)) {
    throw new DefinitionError(`${where}: handoffs is no list; give an array of agents, or of agent.asHandoff({ … }).`)
  }
  const names = new Set<string>()
  for (const [index, each] of handoffs.entries()) {
    if (typeof each?.asHandoff !== 'function' && typeof each?.tool?.spec !== 'function') {
      throw new DefinitionError(
        `${where}: handoffs[${index}] is neither an agent nor what agent.asHandoff() makes. Where agents name each other, write handoffs: () => [other].`,
      )
    }
    const { agent } = toHandoff(each)
    if (agent === name || names.has(agent)) {
      throw new DefinitionError(
        `${where}: handoffs[${index}] is agent "${agent}" ${agent === name ? 'itself' : 'once more'}. Name each other agent once.`,
      )
    }
    names.add(agent)
  }
}

export function toHandoff(target: HandoffTarget<never, unknown>): Handoff {
  return 'asHandoff' in target ? target.asHandoff() : target
}

/** @throws InputError naming the option, its value and what it may be. */
export function checkRun(options: RunOptions & { context?: unknown }, where: string): void {
  checkKeys(
    options,
    ['context', 'session', 'signal', 'limits', 'unsaved', 'allowSystemMessages'],
    where,
    {},
    InputError,
  )
  checkLimits(options.limits ?? {}, where, InputError)
  const { session, signal } = options
  if (session !== undefined && typeof session?.read !== 'function') {
    throw new InputError(
      `${where}: session is ${JSON.stringify(session)}; give a session such as memorySession('chat-1').`,
    )
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new InputError(`${where}: signal is ${JSON.stringify(signal)}; give the signal of an AbortController.`)
  }
}

/** @throws DefinitionError for what is no tool, two tools of one name, or a toolChoice that names none of them. */
export function checkTools(
  tools: readonly Tool<never, never>[],
  { name, toolChoice }: Pick<AgentOptions, 'name' | 'toolChoice'>,
): void {
  const where = `Agent ${JSON.stringify(name)}`
  if (!Array.isArray(tools))
    throw new DefinitionError(`${where}: tools is no list; give an array of what tool() returns.`)
  const names = new Set<string>()
  const agents = new Map<string, unknown>()
  for (const [index, each] of tools.entries()) {
    if (typeof each?.spec !== 'function') throw new DefinitionError(`${where}: tools[${index}] was not made by tool().`)
    if (names.has(each.name)) {
      throw new DefinitionError(
        `${where}: two tools have the name "${each.name}". A model could not tell them apart; rename one.`,
      )
    }
    names.add(each.name)
    checkSubAgent(each, agents, where)
  }
  const isWord = toolChoice === undefined || toolChoice === 'auto' || toolChoice === 'none' || toolChoice === 'required'
  if (!isWord && !names.has(toolChoice)) {
    throw new DefinitionError(
      `${where}: toolChoice is "${toolChoice}", but the tools are ${[...names].join(', ') || 'none'}.`,
    )
  }
}

/** What is approved for always is approved for an agent by its name. */
function checkSubAgent({ agent }: Tool<never, never>, agents: Map<string, unknown>, where: string): void {
  if (!agent) return
  const known = agents.get(agent.name)
  if (known !== undefined && known !== agent) {
    throw new DefinitionError(
      `${where}: two different agents among its tools have the name "${agent.name}". Their needs and approvals could not be told apart; rename one.`,
    )
  }
  agents.set(agent.name, agent)
}
