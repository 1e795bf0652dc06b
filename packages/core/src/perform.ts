/**
 * `perform` carries out a step and tells what happened as events. The world is touched here and in the files that it
 * calls: `ask-model.ts`, `perform-tool.ts`, `execute-tool.ts`, `hand-over.ts`, `finish.ts`.
 */
import { askModel } from './ask-model.ts'
import type { Step } from './decide.ts'
import type { RunEvent } from './event.ts'
import { finish } from './finish.ts'
import { handOver } from './hand-over.ts'
import { merge } from './merge.ts'
import { performTool } from './perform-tool.ts'
import type { RunState } from './state.ts'
import { unreachable } from './unreachable.ts'
import type { World } from './world.ts'

type ToolsStep = Extract<Step, { type: 'tools' }>

/** One array for what happened together. Whoever drives it makes logged events durable before asking for more. */
export function perform(
  step: Exclude<Step, { type: 'stop' }>,
  state: RunState,
  world: World,
): AsyncGenerator<RunEvent[]> {
  switch (step.type) {
    case 'model':
      return askModel(step, state, world)
    case 'tools':
      return runTools(step, world)
    case 'handoff':
      return handOver(step, state, world)
    case 'finish':
      return finish(step, state, world)
    default:
      return unreachable(step)
  }
}

async function* runTools(step: ToolsStep, world: World): AsyncGenerator<RunEvent[]> {
  const refused = step.refused.map(
    ({ call }): RunEvent => ({
      type: 'tool-end',
      id: call.id,
      name: call.name,
      content: 'Not run: the limit of tool calls is reached. Answer with what you have.',
      isError: true,
    }),
  )
  if (refused.length > 0) yield refused
  yield* merge(
    step.calls.map((pending) => () => performTool(pending, world)),
    world.concurrency,
  )
}
