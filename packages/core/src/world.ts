/** What a run is given of the world: ids, a clock, a way to leave, and the agent's parts made ready for this run. */

import type { Answer, Need, RunEvent } from './event.ts'
import type { Inbox } from './inbox.ts'
import type { JsonSchema } from './json.ts'
import type { Message } from './message.ts'
import type { Middleware } from './middleware.ts'
import type { Model, ToolChoice, ToolSpec } from './model.ts'
import type { CompiledSchema } from './schema.ts'
import type { Standing } from './state.ts'
import type { Budget } from './sub-agent.ts'
import type { Tool } from './tool.ts'

export type World = {
  readonly agent: string
  readonly model: Model
  readonly tools: ReadonlyMap<string, Tool<never, never>>
  readonly specs: readonly ToolSpec[]
  readonly toolChoice: ToolChoice | undefined
  /** `value` is what the schema made of the answer, once there is one. */
  readonly output: { schema: CompiledSchema; json: JsonSchema; value?: unknown } | undefined
  readonly use: readonly Middleware[]
  /** How many tool calls of a turn run at once. */
  readonly concurrency: number
  readonly context: unknown
  /** The agents that this one can hand over to, by name. */
  readonly handoffs: ReadonlyMap<string, Successor>
  readonly runId: string
  readonly signal: AbortSignal
  /** Whether the signal fired because `limits.ms` was reached. */
  readonly timedOut: () => boolean
  /** Aborts everything under way. */
  leave(reason: unknown): void
  newId(): string
  /** The id in the marks around what strangers wrote. Default: a new one for each call. */
  readonly mark?: string | undefined
  /** The agents from the root to this one. */
  readonly path: readonly string[]
  /** What is left of the budget that all agents of the run share. */
  left(): Budget
  /** Approvals that hold for the rest of the session. */
  standing(): readonly Standing[]
  /** Whether any agent of the run has read what strangers wrote. */
  untrusted(): boolean
  /** Whether tools that send or write then need an approval. */
  readonly tightens: boolean
  /** Answers needs before a person is asked, where it can. */
  readonly policy: ((need: Need) => Promise<Answer | undefined>) | undefined
  readonly inbox: Inbox
  /** For the listeners on the agents. */
  tell(event: RunEvent): void
  /** Milliseconds since it was last asked. */
  lap(): number
}

/** What a call of a tool touches of the world. */
export type ToolWorld = Pick<
  World,
  | 'tools'
  | 'use'
  | 'context'
  | 'runId'
  | 'signal'
  | 'leave'
  | 'newId'
  | 'mark'
  | 'path'
  | 'left'
  | 'standing'
  | 'untrusted'
  | 'tightens'
  | 'policy'
>

/** An agent that can take over: its standing words, what it sees of the talk, and its world. */
export type Successor = {
  instructions(): Promise<string | undefined>
  filter?: (messages: readonly Message[]) => Message[] | Promise<Message[]>
  enter(): Promise<World>
}

/** The world of the active agent. An abort meanwhile is the caller's to see. */
export async function enter(world: World, agent: string): Promise<World> {
  const successor = agent === world.agent ? undefined : world.handoffs.get(agent)
  if (!successor || world.signal.aborted) return world
  return settleAfterAbort(successor.enter(), world.signal).catch((error) => {
    if (world.signal.aborted) return world
    throw error
  })
}

/** How long a call or an answer under way may take to settle after an abort, in milliseconds. */
export const graceMs = 500

/** `promise`, or a rejection when `signal` was aborted and `promise` did not settle within the grace. */
export function settleAfterAbort<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const onAbort = () => {
      timer = setTimeout(() => reject(signal.reason), graceMs)
    }
    const settled = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    promise.then(resolve, reject).finally(settled)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}
