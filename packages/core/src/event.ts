/**
 * One thing that happened in a run.
 *
 *     run-start
 *       turn-start
 *         reasoning-delta* text-delta* (tool-input-start tool-input-delta* tool-input-end)* model-restart?
 *       model-end | model-aborted | model-failed
 *         tool-start tool-progress* tool-end      each call; calls of a turn interleave; one that never ran has its end only
 *         tool-wait                               a call that waits for an answer
 *         child                                   an event of the agent that a call runs
 *       handoff                                   another agent is active
 *       steer                                     somebody added to the run
 *       compacted                                 the history was made shorter
 *       output-invalid                            the answer did not fit the output schema and is asked for again
 *       … the next turn
 *     answer*                                     before a waiting call goes on
 *     run-end
 *
 * Those of `LoggedEvent` change the state and are in the session's log before the next effect; the others are only shown.
 */
import type { Json } from './json.ts'
import type { AssistantMessage, Content, Message, Usage, UserMessage } from './message.ts'
import type { FinishReason, ModelDelta, Stop } from './model.ts'
import type { StopReason, WaitFor } from './state.ts'

export type RunStart = {
  type: 'run-start'
  /** Version of the events that follow. */
  v: number
  id: string
  agent: string
  instructions?: string
  input: Message[]
  /** What layers around the run want to find again when it is resumed, by names of theirs. */
  kept?: { [name: string]: string }
}
export type TurnStart = {
  type: 'turn-start'
  turn: number
  /** The model that is asked, and who serves it, where it says so. */
  model?: string
  provider?: string
  /** The limit that makes this the last model call: tools are sent, but may not be called. */
  last?: StopReason
}
export type ModelEnd = {
  type: 'model-end'
  turn: number
  message: AssistantMessage
  /** Ids of the answer's calls that may not run, each with the reason told to the model. */
  refused?: { [id: string]: string }
  logprobs?: Json[]
  finishReason: FinishReason
  rawFinishReason?: string
  usage: Usage
  /** A middleware ends the run with this answer. */
  stop?: Stop
}
/** The answer was left before its end (abort, time limit). */
export type ModelAborted = { type: 'model-aborted'; turn: number; partial: { text: string; reasoning: string } }
/** The model call failed, and the run with it; resumed, the turn begins again. Logged, because a failed try can cost. */
export type ModelFailed = { type: 'model-failed'; turn: number; error: string; usage?: Usage }
/** The answer begins again: what was shown of it is void. Logged, because a failed try can cost. */
export type ModelRestart = { type: 'model-restart'; reason: string; usage?: Usage }
/** Logged before the tool runs: found without its end at start-up, the tool may have run. */
export type ToolStart = { type: 'tool-start'; id: string; name: string; input: Json }
export type ToolEnd = {
  type: 'tool-end'
  id: string
  name: string
  /** What the model reads. */
  content: Content
  isError?: true
  /** What it says comes from strangers. */
  untrusted?: true
  /** What a person sees, where the tool gave it. */
  view?: Json
  /** The agent that takes over when the turn's calls are closed. */
  handoff?: string
  /** A middleware ends the run when the calls under way are closed. */
  stop?: Stop
}
export type ToolWait = {
  type: 'tool-wait'
  id: string
  name: string
  for: WaitFor
  /** When it began to wait, in milliseconds since 1970. */
  since?: number
  /** When the need can no longer be answered, in milliseconds since 1970. */
  expiresAt?: number
  /** Why the policy could not answer it. */
  problem?: string
  /** It is asked because the run has read what strangers wrote. */
  tightened?: true
}
export type Child = { type: 'child'; id: string; event: RunEvent }
/** Another agent is active. `messages` is what it sees of the talk, where a filter changed it. */
export type HandoffTaken = { type: 'handoff'; agent: string; instructions?: string; messages?: Message[] }
/** Messages that were added to the run while it went on; `turn` is the first to see them. */
export type Steer = { type: 'steer'; turn: number; messages: Message[] }
/** The first `upTo` messages of the model's view were replaced. The log keeps them. */
export type Compacted = { type: 'compacted'; upTo: number; replacement: Message[]; usage?: Usage }
/** Another log goes on from this one: session `id` has the first `at` events of session `parent`, and then its own. */
export type Fork = { type: 'fork'; id: string; parent: string; at: number }
export type OutputInvalid = { type: 'output-invalid'; problems: string; message: UserMessage }
export type RunEnd = {
  type: 'run-end'
  status: 'done' | 'waiting' | 'stopped' | 'aborted'
  output?: Json
  stop?: StopReason
  /** What the middleware that stopped the run said. */
  reason?: string
}

/** One open question: may this call run (`approval`), what is its result (`result`), what became of it (`verdict`)? */
export type Need = {
  /** The call's id; answers are given under it. */
  id: string
  for: Exclude<WaitFor, 'child'>
  /** The agents from the root to the one that asked. */
  path: string[]
  tool: string
  input: Json
  /** When it can no longer be answered, in milliseconds since 1970. */
  expiresAt?: number
  /** Why the policy could not answer it. */
  problem?: string
  /** It is asked because the run has read what strangers wrote. */
  tightened?: true
}

/** What a person, a policy or a client-side tool says to a waiting call. `seen`: what it was shown of it, to be compared. */
export type Answer = { seen?: { tool: string; input: Json } } & (
  | { type: 'approve'; input?: Json; always?: 'tool' | 'input' | { pattern: { [key: string]: Json } } }
  | { type: 'deny'; reason: string }
  | { type: 'respond'; content: Content }
  | { type: 'retry' }
  | { type: 'failed'; reason: string }
)
/** `expire`: nobody answered in time. */
export type AnswerGiven = { type: 'answer'; id: string; answer: Answer | { type: 'expire' }; by?: 'policy' }

/**
 * Shared by all events: the agents from the root to the one it happened in; in logged ones active milliseconds since the
 * last; on the first that a process appends, the version of those that follow.
 */
export type EventBase = { path?: readonly string[]; ms?: number; v?: number }

export type LoggedEvent = EventBase &
  (
    | RunStart
    | TurnStart
    | ModelEnd
    | ModelAborted
    | ModelFailed
    | ModelRestart
    | ToolStart
    | ToolEnd
    | ToolWait
    | Child
    | HandoffTaken
    | Steer
    | Compacted
    | Fork
    | OutputInvalid
    | AnswerGiven
    | RunEnd
  )

export type ToolInputStart = { type: 'tool-input-start'; id: string; name: string }
export type ToolInputDelta = { type: 'tool-input-delta'; id: string; text: string }
export type ToolInputEnd = { type: 'tool-input-end'; id: string }
/** What a generator tool yielded. */
export type ToolProgress = { type: 'tool-progress'; id: string; name: string; data: Json }

export type LiveEvent = EventBase &
  (
    | Extract<ModelDelta, { type: 'text-delta' | 'reasoning-delta' }>
    | ToolInputStart
    | ToolInputDelta
    | ToolInputEnd
    | ToolProgress
  )

export type RunEvent = LoggedEvent | LiveEvent
export type EventType = RunEvent['type']
export type EventOf<Type extends EventType> = Extract<RunEvent, { type: Type }>

/** Which of them belong in the log. */
const kinds: { [Type in EventType]: 'logged' | 'live' } = {
  'run-start': 'logged',
  'turn-start': 'logged',
  'model-end': 'logged',
  'model-aborted': 'logged',
  'model-failed': 'logged',
  'model-restart': 'logged',
  'tool-start': 'logged',
  'tool-end': 'logged',
  'tool-wait': 'logged',
  child: 'logged',
  handoff: 'logged',
  steer: 'logged',
  compacted: 'logged',
  fork: 'logged',
  'output-invalid': 'logged',
  answer: 'logged',
  'run-end': 'logged',
  'text-delta': 'live',
  'reasoning-delta': 'live',
  'tool-input-start': 'live',
  'tool-input-delta': 'live',
  'tool-input-end': 'live',
  'tool-progress': 'live',
}

const loggedTypes = new Set<unknown>(Object.entries(kinds).flatMap(([type, kind]) => (kind === 'logged' ? [type] : [])))

/** True for events that this version can fold; a log may be of another one, or changed by hand. */
export function isLoggedType(type: unknown): boolean {
  return loggedTypes.has(type)
}

/** True for events that change the state and belong in the log. */
export function isLogged(event: RunEvent): event is LoggedEvent {
  if (event.type === 'child') return isLogged(event.event)
  return kinds[event.type] === 'logged'
}

/** Logged events that become durable together. `id` makes a repeated append of the same batch harmless. */
export type Batch = { id: string; events: LoggedEvent[] }

/** A batch that could not be appended, with the position where it belongs. Plain JSON. */
export type Unsaved = Batch & { at: number }
