/** `callTool()` runs one call of a tool that no agent of ours asked for, through the same door as theirs. */
import { nanoid } from 'nanoid'
import { answered } from './answered.ts'
import { InputError } from './errors.ts'
import type { Answer, Need, RunEvent, ToolEnd, ToolWait } from './event.ts'
import type { Json } from './json.ts'
import { checkContext } from './make-world.ts'
import { performTool } from './perform-tool.ts'
import type { PendingCall } from './state.ts'
import type { Tool } from './tool.ts'
import type { ToolWorld } from './world.ts'

export type CallToolOptions = {
  /** Who asks: `execution.agent` of the tool, and the beginning of a need's path. */
  caller: string
  /** What the tool gets as `execution.context`. */
  context?: unknown
  signal?: AbortSignal
  /** The id in the marks around what strangers wrote, where the tool of another process stands for one of ours. */
  mark?: string
  /** Is asked what the call needs before it runs. With `undefined`, or without a policy, the call is left waiting. */
  policy?: (need: Need) => Answer | undefined | Promise<Answer | undefined>
}

/**
 * Unknown names, bad input, approvals, timeouts and the cap on results are as in a run, and what the tool does wrong is in
 * the result. Yields progress and, from an agent that works as a tool, its events. Returns the result, or what is waited
 * for; nothing is kept, so a call that waits cannot be gone on with. `call.id` is the tool's `idempotencyKey`; default: a new one.
 * @throws InputError for arguments that are no object, and for a context that the tool cannot work with.
 */
export async function* callTool(
  tools: readonly Tool<never, never>[],
  call: { name: string; arguments?: Json; id?: string },
  options: CallToolOptions,
): AsyncGenerator<RunEvent, ToolEnd | ToolWait> {
  const { name, arguments: given = {}, id = nanoid() } = call
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InputError(`The arguments of "${name}" are ${JSON.stringify(given)}; give an object.`)
  }
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  const asked = byName.get(name)
  await checkContext(asked ? [asked] : [], options.context)
  const pending: PendingCall = {
    call: { id, wireId: id, name, arguments: JSON.stringify(given) },
    agent: options.caller,
    status: 'ready',
  }
  for await (const event of performTool(pending, bareWorld(byName, options))) {
    if (event.type === 'tool-end' || event.type === 'tool-wait') return event
    yield event
    // A policy that denies or responds closes the call in its place.
    const closed = event.type === 'answer' && event.id === id ? answered(pending, event.answer) : pending
    if (closed.status === 'answered') {
      const { content, isError } = closed
      return { type: 'tool-end', id, name, content, ...(isError && { isError }) }
    }
  }
  return { type: 'tool-end', id, name, content: 'Not run: the call was aborted.', isError: true }
}

/** One call: no layers around it, no budget, no approvals from before. */
function bareWorld(tools: ToolWorld['tools'], { caller, context, signal, mark, policy }: CallToolOptions): ToolWorld {
  const controller = new AbortController()
  return {
    tools,
    use: [],
    context,
    runId: nanoid(),
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    leave: (reason) => controller.abort(reason),
    newId: () => nanoid(),
    mark,
    path: [caller],
    left: () => ({}),
    standing: () => [],
    untrusted: () => false,
    tightens: false,
    policy: policy && (async (need) => policy(need)),
  }
}
