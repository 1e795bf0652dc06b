/** `GuardOptions`: what a guard is asked, and what it may say. */
import type { Content, Message, ModelReply, ToolOutcome, ToolRequest, UserMessage } from '@clew/core'

export type GuardOptions = {
  /** Stands in reasons. Default `guard`. */
  name?: string
  /**
   * Sees each user message before the model does, once. A stop ends the run; a message of an earlier run that would stop
   * this one is left out of the requests instead. `change` is what the model reads; the log keeps what was said.
   */
  input?: (given: GuardedInput) => Answered<Verdict<Content>>
  /** Sees each text that the model answers, before a reader does. `change` is the new text; reasoning and calls stay. */
  output?: (given: GuardedOutput) => Answered<Verdict<string>>
  tool?: {
    /** Sees a call with its validated input. `change` is the new input, for whose form the guard answers. */
    before?: (given: GuardedCall) => Answered<ToolVerdict<unknown>>
    /** Sees what a call came to, thrown errors too. `change` is the new outcome. Progress is not held back. */
    after?: (given: GuardedCall & { outcome: ToolOutcome }) => Answered<ToolVerdict<ToolOutcome>>
  }
  /**
   * `before` (default): the input guard says its word, then the model is asked. `beside`: both begin together, the answer
   * is held back until the guard has passed it; a stop aborts the model's call, a change makes it again.
   */
  when?: 'before' | 'beside'
  /** Milliseconds after which a guard that says nothing is a stop. Default 30,000. */
  timeoutMs?: number
}

/** `messages` is the history as it is sent. The signal fires when the run is left or the guard's time is over. */
export type GuardedInput = { text: string; message: UserMessage; messages: readonly Message[]; signal: AbortSignal }
export type GuardedOutput = { text: string; reply: ModelReply; messages: readonly Message[]; signal: AbortSignal }
export type GuardedCall = ToolRequest & { signal: AbortSignal }

/** What a guard says; nothing is a pass. `stop` ends the run, with the reason in its result. */
export type Verdict<Change> = undefined | { change: Change } | { stop: string }
/** To a call a guard can say no as well: the model reads the reason, and the run goes on. */
export type ToolVerdict<Change> = Verdict<Change> | { deny: string }

export type Answered<Said> = Said | Promise<Said>
