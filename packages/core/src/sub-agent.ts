/** What passes between a call and the agent that works on it: its events on the way out, its state on the way in. */
import type { Answer, Need, RunEvent } from './event.ts'
import type { RunState, Standing } from './state.ts'
import type { ToolOutcome } from './tool-result.ts'

/** The run that a sub-agent works in, as its call sees it. */
export type ParentRun = {
  /** The agents from the root to the caller. */
  readonly path: readonly string[]
  /** The sub-agent's state, when it is entered again after a crash or an answer. */
  readonly child: RunState | undefined
  /** What is left of the root's budget. */
  readonly left: () => Budget
  readonly standing: () => readonly Standing[]
  readonly untrusted: () => boolean
  readonly tightens: boolean
  readonly policy: ((need: Need) => Promise<Answer | undefined>) | undefined
  newId(): string
}

/** The limits that all agents of a run share. */
export type Budget = { usd?: number; tokens?: number; ms?: number }

/** An event of a sub-agent among the progress of its call. Layers of middleware pass it on as it is. */
export class ChildEvent {
  readonly event: RunEvent
  constructor(event: RunEvent) {
    this.event = event
  }
}

/** What a sub-agent returns: an outcome as it is, where a tool's body returns any value. */
export class ChildOutcome {
  readonly outcome: ToolOutcome
  constructor(outcome: ToolOutcome) {
    this.outcome = outcome
  }
}
