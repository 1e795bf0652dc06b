/** What a run came to. */
import { needsOf } from './answer.ts'
import type { Need } from './event.ts'
import type { Usage } from './message.ts'
import type { FinishReason } from './model.ts'
import type { RunOutcome } from './run.ts'
import type { RunState, StopReason } from './state.ts'

type Common = {
  /** The last words of the model; empty when there are none. */
  text: string
  usage: Usage
  /** Why the last answer ended. */
  finishReason?: FinishReason
  /** What the model said when it declined to answer. */
  refusal?: string
  /** The whole run as plain JSON. */
  state: RunState
}

/**
 * `done`: the agent answered; `output` is the validated output, or the text when the agent has no output schema.
 * `waiting`: calls wait for answers; give them to `agent.resume`.
 * `stopped`: a limit was met, the answer is incomplete, or a middleware stopped the run; `stop` says which, `reason` what the
 * middleware said. `output` is there when it fits all the same.
 */
export type RunResult<Output = string> =
  | (Common & { status: 'done'; output: Output; needs?: undefined; stop?: undefined; reason?: undefined })
  | (Common & { status: 'waiting'; needs: Need[]; output?: undefined; stop?: undefined; reason?: undefined })
  | (Common & { status: 'stopped'; stop: StopReason; reason?: string; output?: Output; needs?: undefined })

export async function toResult<Output>({ state, world }: RunOutcome): Promise<RunResult<Output>> {
  const { text = '', refusal } = state.lastWords ?? {}
  const common: Common = {
    text,
    usage: state.usage,
    ...(state.finishReason && { finishReason: state.finishReason }),
    ...(refusal !== undefined && { refusal }),
    state,
  }
  if (state.status === 'waiting') return { ...common, status: 'waiting', needs: needsOf(state) }
  const output = await outputOf<Output>({ state, world }, text)
  if (state.status === 'done') return { ...common, status: 'done', output: output as Output }
  return {
    ...common,
    status: 'stopped',
    stop: state.stop as StopReason,
    ...(state.reason !== undefined && { reason: state.reason }),
    ...(output !== undefined && { output }),
  }
}

async function outputOf<Output>({ state, world }: RunOutcome, text: string): Promise<Output | undefined> {
  if (!world.output) return state.status === 'done' ? (text as Output) : undefined
  if (state.output === undefined) return undefined
  if ('value' in world.output) return world.output.value as Output
  // An output of the log, from before this process: it holds what the model wrote, the caller gets what the schema makes of it.
  const read = await world.output.schema.validate(state.output)
  return read.ok ? (read.value as Output) : undefined
}
