/**
 * The one door to execution: whatever leads to a tool's body leads through `performTool`. Unknown name, bad input,
 * approval, intent in the log, execution, timeout and output cap are all here, and a tool's mistake never leaves here
 * as an exception.
 */
import { parseArguments } from './arguments.ts'
import { isClewError } from './errors.ts'
import type { RunEvent, ToolEnd, ToolWait } from './event.ts'
import type { Json } from './json.ts'
import type { ToolOutcome, ToolRequest } from './middleware.ts'
import { compose } from './middleware.ts'
import { cutText, describeError, shapeResult, toJson } from './output.ts'
import type { PendingCall } from './state.ts'
import type { Tool, ToolRun } from './tool.ts'
import type { World } from './world.ts'
import { graceMs, settleAfterAbort } from './world.ts'

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
  if (prepared.type !== 'ready') {
    yield prepared
    return
  }
  const { id, name } = pending.call
  yield { type: 'tool-start', id, name, input: prepared.arguments }
  if (world.signal.aborted) {
    yield failure(pending, 'Not run: the run was aborted.')
    return
  }
  try {
    const outcome = yield* execute(prepared.request, world)
    yield { type: 'tool-end', id, name, ...outcome }
  } catch (error) {
    if (isClewError(error, 'fatal')) world.leave(error)
    yield failure(pending, `Tool "${name}" failed: ${describeError(error)}`)
  }
}

type Prepared = { type: 'ready'; request: ToolRequest; arguments: Json } | ToolEnd | ToolWait

async function prepare(pending: PendingCall, world: World): Promise<Prepared> {
  const { call } = pending
  const tool = call.raw?.name === undefined ? world.tools.get(call.name) : undefined
  if (!tool) {
    const names = [...world.tools.keys()].join(', ') || 'none'
    return failure(
      pending,
      `There is no tool ${JSON.stringify(call.raw?.name ?? call.name)}. Available tools: ${names}.`,
    )
  }
  // Found running at start-up: it may have taken effect, so only a harmless repetition happens unasked.
  if (pending.status === 'running' && tool.effect === 'once') return wait(pending, 'verdict')

  const parsed = parseArguments(call)
  if (!parsed.ok) return failure(pending, `Tool "${call.name}" was not run: ${parsed.problem}`)
  const input = await tool.input.validate(parsed.value)
  if (!input.ok) {
    return failure(pending, `Tool "${call.name}" was not run, its input does not fit:\n${input.problems}`)
  }
  const run: ToolRun = {
    context: world.context,
    signal: world.signal,
    idempotencyKey: call.id,
    agent: pending.agent,
    runId: world.runId,
  }
  const request: ToolRequest = { tool, input: input.value, call, run }
  if (!(pending.status === 'ready' && pending.approved)) {
    const approval = await asksApproval(request)
    if (approval === 'failed')
      return failure(pending, `Tool "${call.name}" was not run: whether it needs approval could not be found out.`)
    if (approval) return wait(pending, 'approval')
  }
  return tool.execute ? { type: 'ready', request, arguments: parsed.value } : wait(pending, 'result')
}

async function asksApproval({ tool, input, run }: ToolRequest): Promise<boolean | 'failed'> {
  const { needsApproval = false } = tool
  if (typeof needsApproval === 'boolean') return needsApproval
  try {
    return (await needsApproval(input as never, run as never)) !== false
  } catch {
    return 'failed'
  }
}

/** Runs the body behind its middleware, against its deadline and the run's signal. A value that comes later is dropped. */
async function* execute(request: ToolRequest, world: World): AsyncGenerator<RunEvent, ToolOutcome> {
  const { call, tool } = request
  const stop = interruption(tool.timeoutMs, world.signal)
  const run = { ...request.run, signal: stop.signal }
  const body = compose(world.use, 'tool', runBody)({ ...request, run })
  try {
    for (;;) {
      const pulled = body.next()
      const next = await Promise.race([pulled, stop.reached])
      if (next === 'timeout')
        return failed(`Tool "${call.name}" timed out after ${tool.timeoutMs} ms. It may have taken effect.`)
      if (next === 'aborted') return failed('Aborted: the run was left while this call ran. It may have taken effect.')
      if (next.done)
        return next.value ?? failed(`The result of "${call.name}" is lost: a middleware around it returned nothing.`)
      yield { type: 'tool-progress', id: call.id, name: call.name, data: next.value }
    }
  } finally {
    stop.release()
    body.return(undefined as never).catch(() => {})
  }
}

async function* runBody({ tool, input, run }: ToolRequest): AsyncGenerator<Json, ToolOutcome> {
  const body = tool as Tool<unknown, unknown>
  const value = await body.execute?.(input, run)
  if (!isGenerator(value)) return shapeResult(value, tool.maxResultChars)
  try {
    for (;;) {
      const next = await value.next()
      if (next.done) return shapeResult(next.value, tool.maxResultChars)
      yield toJson(next.value)
    }
  } finally {
    Promise.resolve(value.return?.(undefined)).catch(() => {})
  }
}

function isGenerator(value: unknown): value is AsyncIterator<unknown> {
  if (typeof value !== 'object' || value === null || !('next' in value)) return false
  return typeof value.next === 'function' && (Symbol.asyncIterator in value || Symbol.iterator in value)
}

/** `reached` resolves at the deadline, or when the run's signal fired and the grace is over. */
function interruption(timeoutMs: number | undefined, outer: AbortSignal) {
  const own = timeoutMs === undefined ? undefined : new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let grace: ReturnType<typeof setTimeout> | undefined
  let onAbort = () => {}
  const reached = new Promise<'timeout' | 'aborted'>((resolve) => {
    if (own) {
      timer = setTimeout(() => {
        resolve('timeout')
        own.abort(new DOMException(`timed out after ${timeoutMs} ms`, 'TimeoutError'))
      }, timeoutMs)
    }
    onAbort = () => {
      own?.abort(outer.reason)
      grace = setTimeout(() => resolve('aborted'), graceMs)
    }
  })
  outer.addEventListener('abort', onAbort, { once: true })
  const release = () => {
    clearTimeout(timer)
    clearTimeout(grace)
    outer.removeEventListener('abort', onAbort)
  }
  return { signal: own?.signal ?? outer, reached, release }
}

function failed(content: string): ToolOutcome {
  return { content, isError: true }
}

/** An error says what to do next; more than this no model needs. */
const maxErrorChars = 4000

function failure({ call }: PendingCall, content: string): ToolEnd {
  return { type: 'tool-end', id: call.id, name: call.name, content: cutText(content, maxErrorChars), isError: true }
}

function wait({ call }: PendingCall, reason: ToolWait['for']): ToolWait {
  return { type: 'tool-wait', id: call.id, name: call.name, for: reason }
}
