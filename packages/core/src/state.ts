/** Everything a run is. Plain JSON: save it, send it, load it elsewhere. It changes in `reduce` alone. */
import type { Json } from './json.ts'
import type { Content, Message, ToolCall, Usage } from './message.ts'
import { noUsage } from './message.ts'
import type { FinishReason, Stop } from './model.ts'

export type RunStatus = 'running' | 'waiting' | 'done' | 'stopped' | 'aborted'

/**
 * Why a run ended without a full answer: a limit by its name, an output that stayed invalid after its repair, a last
 * answer that the provider cut (`length`, `content-filter`), or a middleware (`loop`, `guard`).
 */
export type StopReason =
  | 'turns'
  | 'toolCalls'
  | 'usd'
  | 'tokens'
  | 'ms'
  | 'output-invalid'
  | 'length'
  | 'content-filter'
  | Stop['by']

/** What a waiting call waits for. */
export type WaitFor = 'approval' | 'result' | 'child' | 'verdict'

/**
 * A call of the turn under way. `agent` is the agent that asked; `again`: it was started and counted before; `input`: an
 * edited one; `since`: when it began to wait; `expiresAt`, `problem`, `tightened`: as the need has them.
 */
export type PendingCall = { call: ToolCall; agent: string } & (
  | { status: 'ready'; approved?: true; again?: true; input?: Json }
  | { status: 'running'; input?: Json; child?: RunState }
  | {
      status: 'waiting'
      for: WaitFor
      input?: Json
      since?: number
      expiresAt?: number
      problem?: string
      tightened?: true
      child?: RunState
    }
  | { status: 'answered'; content: Content; isError?: true; handoff?: string }
)

/**
 * Calls of this tool by the agent at the end of `path` (from the root on) need no approval any more; with `input`: those with
 * that input; with `pattern`: those that match it.
 */
export type Standing = { path: string[]; tool: string; input?: Json; pattern?: { [key: string]: Json } }

/** The version of the state and of the events that this code writes. What it reads: see `saved.ts`. */
export const version = 2

/** One run as plain JSON. */
export type RunState = {
  /** Version of this shape. */
  v: number
  id: string
  /** The id of the conversation's first run: the same in all runs of a session. Random, so no secret. */
  conversation: string
  /** The active agent. */
  agent: string
  /** The agent that takes over next: the calls of the turn that asked for it are closed. */
  handoff?: string
  /** The last turn before this agent took over; absent in a run without a handoff. */
  since?: number
  /** The agent was handed the talk and has not been asked yet: whatever stands last in the history, this is no end. */
  begins?: true
  status: RunStatus
  /** The turn under way, or the last one. 0 before the first. */
  turn: number
  /** There while a model call is under way; found at start-up: we crashed in it. */
  request?: { last?: StopReason }
  /** A limit was reached: this run ends after the answer under way. */
  last?: StopReason
  /** A middleware asked for the end: nothing more is begun. */
  stopping?: Stop
  instructions?: string
  /** What layers around the run kept at its start, by names of theirs. */
  kept?: { [name: string]: string }
  /** The model's view; the session's log keeps the originals. */
  messages: Message[]
  /** Tokens that the provider counted for the last request and its answer, and how many of the messages that was. */
  counted?: { tokens: number; messages: number }
  pending: PendingCall[]
  /** Tool calls started in this run. */
  toolCalls: number
  /** Output repairs asked for in this run. */
  repairs: number
  /** Approvals that hold for the rest of the session. */
  standing?: Standing[]
  /** The model, or an agent that worked for it, has read what strangers wrote; it stays so in the session. */
  untrusted?: true
  usage: Usage
  /** Active time of this run in milliseconds; waiting does not count. */
  ms: number
  /** The model's last words in this run. */
  lastWords?: { text: string; refusal?: string }
  finishReason?: FinishReason
  output?: Json
  stop?: StopReason
  /** What the middleware that stopped the run said. */
  reason?: string
}

/** A state before its first event. */
export function emptyState(): RunState {
  return {
    v: version,
    id: '',
    conversation: '',
    agent: '',
    status: 'running',
    turn: 0,
    messages: [],
    pending: [],
    toolCalls: 0,
    repairs: 0,
    usage: noUsage,
    ms: 0,
  }
}

/** The state of the agent that works on a call, where there is one. */
export function childOf(pending: PendingCall): RunState | undefined {
  return 'child' in pending ? pending.child : undefined
}
