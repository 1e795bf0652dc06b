/**
 * Every error that Clew throws. Sorted by who can fix it: `DefinitionError` and `InputError` are the developer's,
 * `ModelError` the provider's; the model's own mistakes never throw, they go back to it as results.
 * `isClewError(error, 'model')` works across installed copies of the package, where `instanceof` does not.
 */
import type { Unsaved } from './event.ts'
import type { Usage } from './message.ts'
import type { RunState } from './state.ts'

const mark = Symbol.for('clew.error')

export type ClewErrorKind =
  | 'definition'
  | 'input'
  | 'model'
  | 'run'
  | 'abort'
  | 'session'
  | 'memory'
  | 'trace'
  | 'fatal'

/** What all of Clew's errors are. */
export class ClewError extends Error {
  readonly [mark]: ClewErrorKind
  constructor(kind: ClewErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this[mark] = kind
    this.name = new.target.name
  }
}

/** A whole conversation does not belong into every log line that prints an error. */
function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false })
}

type ErrorsByKind = {
  definition: DefinitionError
  input: InputError
  model: ModelError
  run: RunError
  abort: AbortError
  session: SessionError
  /** Of `@clew/memory`. */
  memory: ClewError
  /** Of `@clew/tracing`. */
  trace: ClewError
  fatal: FatalError
}

/** True when `error` is Clew's, and of that kind where one is named. */
export function isClewError<Kind extends ClewErrorKind>(error: unknown, kind: Kind): error is ErrorsByKind[Kind]
export function isClewError(error: unknown): error is ClewError
export function isClewError(error: unknown, kind?: ClewErrorKind): boolean {
  const found = typeof error === 'object' && error !== null ? (error as { [mark]?: unknown })[mark] : undefined
  return found !== undefined && (kind === undefined || found === kind)
}

/** A tool, agent or model cannot work as it was defined. The message names it, the place, and what to write instead. */
export class DefinitionError extends ClewError {
  constructor(message: string, options?: ErrorOptions) {
    super('definition', message, options)
  }
}

/** What was given to a public function cannot be used. The message names the value, the reason and the next move. */
export class InputError extends ClewError {
  constructor(message: string, options?: ErrorOptions) {
    super('input', message, options)
  }
}

export type ModelErrorDetails = {
  /** What a program can act on: the request is longer than the model's context; too many requests or tokens a time. */
  kind?: 'context-overflow' | 'rate-limit'
  /**
   * The provider's code, often the HTTP status. Where there is none, a word of the model: `openrouter()` has `unreachable`,
   * `incomplete-stream`, `bad-stream`, `stream-limit`, `no-choice`, `empty-answer` and `lost-calls`; embedders `bad-vectors`.
   */
  code?: string | number
  /** HTTP status, where an answer came at all. */
  status?: number
  /** The upstream provider's name. */
  provider?: string
  /** The upstream's own text, as received. */
  raw?: string
  /** Whether the same request may succeed later. */
  retryable?: boolean
  /** How long the server asked to wait, in milliseconds. */
  retryAfterMs?: number
  generationId?: string
  /** What had arrived before the failure. Its calls were not run. */
  partial?: { text: string; reasoning: string }
  usage?: Usage
}

/** A model call failed. Nothing of the failed answer was run. */
export class ModelError extends ClewError {
  readonly details: ModelErrorDetails
  constructor(message: string, details: ModelErrorDetails = {}, options?: ErrorOptions) {
    super('model', message, options)
    this.details = details
  }
}

/**
 * A run failed: `cause` says why, `state` is the last good state (what is in the log). With a session,
 * `agent.resume(session)` goes on from there; nothing that was finished is done again.
 */
export class RunError extends ClewError {
  declare readonly state: RunState
  /** Events that happened but could not be appended to the session: give them to `agent.resume(session, {}, { unsaved })`. */
  declare readonly unsaved?: Unsaved
  constructor(message: string, state: RunState, options: ErrorOptions & { unsaved?: Unsaved } = {}) {
    super('run', message, options)
    hide(this, 'state', state)
    if (options.unsaved) hide(this, 'unsaved', options.unsaved)
  }
}

/** The run was left: by its signal, by `run.abort()`, or because its last reader went away. The state is closed and valid. */
export class AbortError extends ClewError {
  declare readonly state: RunState
  constructor(state: RunState, reason?: unknown) {
    super('abort', 'The run was aborted.', { cause: reason })
    hide(this, 'state', state)
  }
}

/** A session or a saved state cannot be used as asked: it waits, moved on meanwhile, or holds what this version cannot read. */
export class SessionError extends ClewError {
  constructor(message: string, options?: ErrorOptions) {
    super('session', message, options)
  }
}

/** A new input was given to a session whose last run waits. Answer its `needs` with `agent.resume(session, answers)` first. */
export class SessionWaiting extends SessionError {
  readonly needs: readonly OpenNeed[]
  constructor(id: string, needs: readonly OpenNeed[]) {
    const open = needs.map((need) => `${need.id} (${need.tool}: ${need.for})`).join(', ')
    super(
      `Session "${id}" waits for answers to ${open}. Give them with agent.resume(session, answers), then run again.`,
    )
    this.needs = needs
  }
}
type OpenNeed = { id: string; tool: string; for: string }

/** What `fatal()` makes. */
export class FatalError extends ClewError {
  constructor(reason: string, options?: ErrorOptions) {
    super('fatal', reason, options)
  }
}

/** `throw fatal('…')` in a tool ends the whole run: sibling calls are aborted and settle, then the run rejects with `RunError`. */
export function fatal(reason: string, options?: ErrorOptions): FatalError {
  return new FatalError(reason, options)
}
