/**
 * The one door to execution: whatever leads to a tool's body leads through `performTool`. Unknown name, bad input,
 * approval, intent in the log, execution, timeout and output cap are all here, and a tool's mistake never leaves here
 * as an exception.
 */
import { checkAnswer, toNeed } from './answer.ts'
import { answered, editOf } from './answered.ts'
import { parseArguments } from './arguments.ts'
import { mayHaveRun } from './close-turn.ts'
import { isClewError } from './errors.ts'
import type { RunEvent, ToolEnd, ToolWait } from './event.ts'
import { executeTool } from './execute-tool.ts'
import type { Json } from './json.ts'
import type { Content } from './message.ts'
import type { ToolRequest } from './middleware.ts'
import { sealResult } from './seal-result.ts'
import { isApproved } from './standing.ts'
import { childOf, type PendingCall } from './state.ts'
import type { ToolExecution } from './tool.ts'
import { defaultMaxResultChars } from './tool.ts'
import { cutText, describeError, sealOutcome } from './tool-result.ts'
import type { World } from './world.ts'
import { settleAfterAbort } from './world.ts'

export async function* performTool(pending: PendingCall, world: World): AsyncGenerator<RunEvent, void> {
  // Left before it began: the end of the run closes it as "not run".
  if (world.signal.aborted) return
  let prepared: Prepared
  try {
    prepared = await settleAfterAbort(prepare(pending, world), world.signal)
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
    const result = sealOutcome(outcome, prepared.request.tool.maxResultChars ?? defaultMaxResultChars)
    const { handoff } = prepared.request.tool
    const end: ToolEnd = { type: 'tool-end', id, name, ...result, content: noteEdit(result.content, pending) }
    yield sealed({ ...end, ...(handoff !== undefined && !result.isError && { handoff }) }, world)
  } catch (error) {
    if (isClewError(error, 'fatal')) world.leave(error)
    yield sealed(failure(pending, `Tool "${name}" failed: ${describeError(error)}`), world)
  }
}

/** The policy is asked first; what it says is in the log before anything runs. Else the call waits. */
async function* askPolicy(pending: PendingCall, waits: ToolWait, world: World): AsyncGenerator<RunEvent, void> {
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

type Prepared = { type: 'ready'; request: ToolRequest; arguments: Json } | ToolEnd | ToolWait

async function prepare(pending: PendingCall, world: World): Promise<Prepared> {
  const { call } = pending
  const tool = call.raw?.name === undefined ? world.tools.get(call.name) : undefined
  // The program changed since: the tool is gone, but what it did is not.
  if (!tool && pending.status === 'running') {
    const problem = `There is no tool "${call.name}" any more: respond(…) or failed(…) closes its call.`
    return { ...wait(pending, 'verdict'), problem }
  }
  if (!tool) {
    const names = [...world.tools.keys()].join(', ') || 'none'
    return failure(
      pending,
      `There is no tool ${JSON.stringify(call.raw?.name ?? call.name)}. Available tools: ${names}.`,
    )
  }
  // Found running at start-up: it may have taken effect, so only a harmless repetition happens unasked.
  const mayRepeat = tool.effect === 'idempotent' || tool.effect === 'pure' || tool.isAgent
  if (pending.status === 'running' && !mayRepeat) return wait(pending, 'verdict')

  const parsed = inputOf(pending)
  if (!parsed.ok) return failure(pending, `Tool "${call.name}" was not run: ${parsed.problem}`)
  const input = await tool.input.validate(parsed.value)
  if (!input.ok) {
    return failure(pending, `Tool "${call.name}" was not run, its input does not fit:\n${input.problems}`)
  }
  const execution: ToolExecution = {
    context: world.context,
    signal: world.signal,
    idempotencyKey: call.id,
    agent: pending.agent,
    runId: world.runId,
    ...(tool.isAgent && {
      parent: {
        path: world.path,
        child: childOf(pending),
        left: world.left,
        standing: world.standing,
        policy: world.policy,
        newId: world.newId,
      },
    }),
  }
  const request: ToolRequest = { tool, input: input.value, call, execution }
  // A call that was running had its approval before it started.
  const isOpen = pending.status === 'ready' && !pending.approved
  if (isOpen && !isApproved(world.standing(), world.path, call.name, parsed.value)) {
    const approval = await asksApproval(request)
    if (typeof approval === 'object') {
      return failure(pending, `Tool "${call.name}" was not run: its approval check failed: ${approval.failed}`)
    }
    if (approval) return wait(pending, 'approval', tool.expiresMs)
  }
  return tool.execute ? { type: 'ready', request, arguments: parsed.value } : wait(pending, 'result', tool.expiresMs)
}

/** The model's own, or what an approval put in its place. */
function inputOf(pending: PendingCall): ReturnType<typeof parseArguments> {
  const { input: edited } = editOf(pending)
  if (edited === undefined) return parseArguments(pending.call)
  if (typeof edited === 'object' && edited !== null && !Array.isArray(edited))
    return { ok: true, value: edited, text: JSON.stringify(edited) }
  return { ok: false, problem: 'the input that it was approved with is no object' }
}

async function asksApproval({ tool, input, execution }: ToolRequest): Promise<boolean | { failed: string }> {
  const { needsApproval = false } = tool
  if (typeof needsApproval === 'boolean') return needsApproval
  try {
    return (await needsApproval(input as never, execution as never)) !== false
  } catch (error) {
    return { failed: describeError(error) }
  }
}

/** The model is told that its call ran with another input than it wrote. */
function noteEdit(content: Content, pending: PendingCall): Content {
  const { input } = editOf(pending)
  if (input === undefined) return content
  const note = `[This call was approved with another input: ${JSON.stringify(input)}.]`
  return typeof content === 'string' ? `${note}\n${content}` : [{ type: 'text', text: note }, ...content]
}

/** An error says what to do next; more than this no model needs. */
const maxErrorChars = 4000

function failure({ call }: PendingCall, content: string): ToolEnd {
  return { type: 'tool-end', id: call.id, name: call.name, content: cutText(content, maxErrorChars), isError: true }
}

function sealed(end: ToolEnd, { use }: World): ToolEnd {
  return { ...end, content: sealResult(use, end.content) }
}

function wait({ call }: PendingCall, reason: ToolWait['for'], expiresMs?: number): ToolWait {
  // The one place where the calendar counts: a need is answered in another process, on another day.
  const expiresAt = expiresMs === undefined ? undefined : Date.now() + expiresMs
  return {
    type: 'tool-wait',
    id: call.id,
    name: call.name,
    for: reason,
    ...(expiresAt !== undefined && { expiresAt }),
  }
}
