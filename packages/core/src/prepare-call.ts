/** What `performTool` does before a call runs: it looks at everything that could keep it from running. */
import { editOf } from './answered.ts'
import { parseArguments } from './arguments.ts'
import type { ToolEnd, ToolWait } from './event.ts'
import { fence, type Marks } from './fence.ts'
import type { Json } from './json.ts'
import type { ToolRequest } from './middleware.ts'
import { isApproved } from './standing.ts'
import { childOf, type PendingCall } from './state.ts'
import type { Tool, ToolExecution } from './tool.ts'
import { cutText, describeError } from './tool-result.ts'
import type { ToolWorld } from './world.ts'

/** A call that can run, the error result of one that cannot, or what it waits for. */
export type Prepared = { type: 'ready'; request: ToolRequest; arguments: Json; marks: Marks } | ToolEnd | ToolWait

export async function prepareCall(pending: PendingCall, world: ToolWorld): Promise<Prepared> {
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
  const marks = { id: world.mark ?? world.newId(), name: call.name }
  const execution: ToolExecution = {
    context: world.context,
    signal: world.signal,
    idempotencyKey: call.id,
    fence: (content) => fence(content, marks),
    agent: pending.agent,
    runId: world.runId,
    ...(tool.isAgent && {
      parent: {
        path: world.path,
        child: childOf(pending),
        left: world.left,
        standing: world.standing,
        policy: world.policy,
        untrusted: world.untrusted,
        tightens: world.tightens,
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
    if (isTightened(tool, world)) return { ...wait(pending, 'approval', tool.expiresMs), tightened: true }
  }
  return tool.execute
    ? { type: 'ready', request, arguments: parsed.value, marks }
    : wait(pending, 'result', tool.expiresMs)
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

/** An agent sends and writes by its own tools, which are asked for in their turn. */
function isTightened({ sends, effect, isAgent, handoff }: Tool<never, never>, world: ToolWorld): boolean {
  const doesHarm = (sends || effect !== 'pure') && !isAgent && handoff === undefined
  return doesHarm && world.tightens && world.untrusted()
}

/** An error says what to do next; more than this no model needs. */
const maxErrorChars = 4000

export function failure({ call }: PendingCall, content: string): ToolEnd {
  return { type: 'tool-end', id: call.id, name: call.name, content: cutText(content, maxErrorChars), isError: true }
}

export function wait({ call }: PendingCall, reason: ToolWait['for'], expiresMs?: number): ToolWait {
  // The one place where the calendar counts: a need is answered in another process, on another day.
  const since = Date.now()
  return {
    type: 'tool-wait',
    id: call.id,
    name: call.name,
    for: reason,
    since,
    ...(expiresMs !== undefined && { expiresAt: since + expiresMs }),
  }
}
