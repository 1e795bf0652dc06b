/** What bounds a run. Checked before spending; a run that meets a limit ends with a typed `stop`, never with an exception. */
import type { DefinitionError, InputError } from './errors.ts'
import { checkKeys } from './keys.ts'
import type { RunState, StopReason } from './state.ts'
import type { Budget } from './sub-agent.ts'

export type Limits = {
  /** Model calls that may ask for tools. After them one last call is made for an answer; in it no tool may be called. Default 20. */
  turns?: number
  /** Tool calls started. After them one last model call is made for an answer. */
  toolCalls?: number
  /** US dollars as reported by the provider. Stops at once, and before a request whose input alone would go over it. */
  usd?: number
  /** Input and output tokens. Stops at once. */
  tokens?: number
  /** Active milliseconds; waiting for people does not count. Stops at once, also in the middle of a call. */
  ms?: number
}

/** What was spent in the root run, for limits that sub-agents share; `nextUsd`: about what the input of the next model call costs. */
export type Spend = { usd: number; tokens: number; ms: number; nextUsd?: number }

export const defaultTurns = 20
const shared = ['usd', 'tokens', 'ms'] as const

export function spendOf(state: RunState): Spend {
  const { usd = 0, inputTokens, outputTokens } = state.usage
  return { usd, tokens: inputTokens + outputTokens, ms: state.ms }
}

/** What is left for sub-agents of the limits that they share. */
export function leftOf(limits: Limits, spend: Spend): Budget {
  const left: Budget = {}
  for (const name of shared) if (limits[name] !== undefined) left[name] = limits[name] - spend[name]
  return left
}

/** A sub-agent's own limits, and what is left of its root's: whichever is met first. */
export function within(limits: Limits, spend: Spend, left: Budget): Limits {
  const both = { ...limits }
  for (const name of shared) {
    const rest = left[name]
    if (rest !== undefined) both[name] = Math.min(limits[name] ?? Number.POSITIVE_INFINITY, spend[name] + rest)
  }
  return both
}

/** The limit that ends the run at once, if one was met. */
export function exceeded(limits: Limits, spend: Spend): StopReason | undefined {
  for (const name of shared) {
    const limit = limits[name]
    if (limit !== undefined && spend[name] >= limit) return name
  }
  return undefined
}

/** The limit that leaves one last model call, if one was met. */
export function lastCall(limits: Limits, state: RunState): StopReason | undefined {
  if (limits.toolCalls !== undefined && state.toolCalls >= limits.toolCalls) return 'toolCalls'
  if (state.turn >= (limits.turns ?? defaultTurns)) return 'turns'
  return undefined
}

const names = ['turns', 'toolCalls', 'usd', 'tokens', 'ms'] as const satisfies (keyof Limits)[]

/** Refuses limits that do not exist or cannot be met, naming the value. */
export function checkLimits(limits: Limits, where: string, Kind: typeof DefinitionError | typeof InputError): void {
  checkKeys(
    limits,
    names,
    `${where}: limits`,
    { maxTurns: 'turns', maxSteps: 'turns', steps: 'turns', cost: 'usd' },
    Kind,
  )
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined) continue
    const least = name === 'turns' ? 1 : 0
    if (typeof value !== 'number' || Number.isNaN(value) || value < least) {
      throw new Kind(
        `${where}: limits.${name} is ${JSON.stringify(value)}; give a number of at least ${least}, or leave it out.`,
      )
    }
  }
}
