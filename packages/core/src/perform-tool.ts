/**
 * The one door to execution: whatever leads to a tool's body leads through `performTool`. Unknown name, bad input,
 * approval, intent in the log, execution, timeout and output cap are all here, and a tool's mistake never leaves here
 * as an exception.
 */
import { checkAnswer, toNeed } from './answer.ts'
import { answered, editOf } from './answered.ts'
import { mayHaveRun } from './close-turn.ts'
import { isClewError } from './errors.ts'
import type { RunEvent, ToolEnd, ToolWait } from './event.ts'
import { executeTool } from './execute-tool.ts'
import { fence, isFenced, type Marks } from './fence.ts'
import { type Content, textOf } from './message.ts'
import { failure, type Prepared, prepareCall, wait } from './prepare-call.ts'
import { sealResult } from './seal-result.ts'
import { childOf, type PendingCall } from './state.ts'
import { defaultMaxResultChars, type Tool } from './tool.ts'
import { describeError, sealOutcome } from './tool-result.ts'
import type { ToolWorld } from './world.ts'
import { settleAfterAbort } from './world.ts'

export async function* performTool(pending: PendingCall, world: ToolWorld): AsyncGenerator<RunEvent, void> {
  // Left before it began: the end of the run closes it as "not run".
  if (world.signal.aborted) return
  let prepared: Prepared
  try {
    prepared = await settleAfterAbort(prepareCall(pending, world), world.signal)
  } catch (error) {
    if (world.signal.aborted) return
    prepared = failure(pending, `Tool "${pending.call.name}" was not run: ${describeError(error)}`)
  }
  if (prepared.type === 'tool-wait') {
    yield* askPolicy(pending, prepared, world)
    return
  }
  if (prepared.type === 'tool-end') {
    yield sealed(prepared, world)
    return
  }
  const { id, name } = pending.call
  const { marks } = prepared
  const { tool } = prepared.request
  // An agent that is entered again has its intent in the log.
  if (!childOf(pending)) yield { type: 'tool-start', id, name, input: prepared.arguments }
  if (world.signal.aborted) {
    yield sealed(failure(pending, pending.status === 'running' ? mayHaveRun : 'Not run: the run was aborted.'), world)
    return
  }
  try {
    const outcome = yield* executeTool(prepared.request, world)
    if (outcome.waiting) {
      yield wait(pending, 'child')
      return
    }
    const { untrusted, ...result } = sealOutcome(outcome, tool.maxResultChars ?? defaultMaxResultChars)
    const told: ToolEnd = { type: 'tool-end', id, name, ...result }
    const end = untrusted === false ? told : label(told, tool, marks)
    const { handoff } = tool
    yield sealed(
      { ...end, content: noteEdit(end.content, pending), ...(handoff !== undefined && !end.isError && { handoff }) },
      world,
    )
  } catch (error) {
    if (isClewError(error, 'fatal')) world.leave(error)
    const end = failure(pending, `Tool "${name}" failed: ${describeError(error)}`)
    // An error in the tool's own words may quote what it fenced, and a cut may have taken the end of that.
    const isOwn = isClewError(error) && !textOf(end.content).includes(marks.id)
    yield sealed(isOwn ? end : label(end, tool, marks), world)
  }
}

/** The policy is asked first; what it says is in the log before anything runs. Else the call waits. */
async function* askPolicy(pending: PendingCall, waits: ToolWait, world: ToolWorld): AsyncGenerator<RunEvent, void> {
  const { for: what } = waits
  if (!world.policy || what === 'child') {
    yield waits
    return
  }
  const need = toNeed(pending, { ...waits, for: what }, [...world.path])
  try {
    const said = await settleAfterAbort(world.policy(need), world.signal)
    if (said) {
      const cap = world.tools.get(need.tool)?.maxResultChars ?? defaultMaxResultChars
      const answer = checkAnswer(need, said, cap)
      if (answer.type === 'respond') answer.content = sealResult(world.use, answer.content)
      yield { type: 'answer', id: need.id, by: 'policy', answer }
      const next = answered(pending, answer)
      // One that is still unclear is for a person: asked again, the policy would say the same.
      if (next.status === 'running') yield waits
      else if (next.status === 'ready') yield* performTool(next, world)
      return
    }
  } catch (error) {
    if (world.signal.aborted) return
    waits.problem = `The policy could not answer: ${describeError(error)}`
  }
  yield waits
}

/** The model is told that its call ran with another input than it wrote. */
function noteEdit(content: Content, pending: PendingCall): Content {
  const { input } = editOf(pending)
  if (input === undefined) return content
  const note = `[This call was approved with another input: ${JSON.stringify(input)}.]`
  return typeof content === 'string' ? `${note}\n${content}` : [{ type: 'text', text: note }, ...content]
}

/** What strangers wrote is fenced, and the run is marked. */
function label(end: ToolEnd, { untrusted }: Pick<Tool, 'untrusted'>, marks: Marks): ToolEnd {
  if (!untrusted) return end
  const content = isFenced(end.content, marks) ? end.content : fence(end.content, marks)
  return { ...end, content, untrusted: true }
}

function sealed(end: ToolEnd, { use }: ToolWorld): ToolEnd {
  return { ...end, content: sealResult(use, end.content) }
}
