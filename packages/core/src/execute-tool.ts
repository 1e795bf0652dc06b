/** Runs a tool's body behind its middleware. Called by `performTool` alone. */
import { mayHaveRun } from './close-turn.ts'
import type { RunEvent } from './event.ts'
import { Holdup } from './holdup.ts'
import type { Json } from './json.ts'
import { closeQuietly, Interruption, Leash } from './leash.ts'
import type { ToolRequest } from './middleware.ts'
import { compose } from './middleware.ts'
import { ChildEvent, ChildOutcome } from './sub-agent.ts'
import type { Tool } from './tool.ts'
import type { ToolOutcome } from './tool-result.ts'
import { toJson, toOutcome } from './tool-result.ts'
import type { ToolWorld } from './world.ts'

/** Yields progress. A deadline or an abort ends it with an outcome that says so; a value that comes later is dropped. */
export async function* executeTool(request: ToolRequest, world: ToolWorld): AsyncGenerator<RunEvent, ToolOutcome> {
  const { call, tool } = request
  const leash = new Leash(world.signal, tool.timeoutMs)
  // An agent keeps its own grace after an abort; cut off sooner, its outcomes would be lost. Layers around it have theirs.
  const holdup = tool.isAgent ? new Holdup(world.signal) : undefined
  const execution = { ...request.execution, signal: leash.signal }
  let body: AsyncGenerator<Json, ToolOutcome> | undefined
  try {
    const inner = holdup ? (given: ToolRequest) => holdup.watch(runBody(given)) : runBody
    body = compose(world.use, 'tool', inner)({ ...request, execution })
    for (;;) {
      const next = await (holdup ? holdup.pull(body) : leash.pull(body))
      if (next === 'held up') return errorOutcome(mayHaveRun)
      if (next.done) {
        body = undefined
        return (
          next.value ?? errorOutcome(`The result of "${call.name}" is lost: a middleware around it returned nothing.`)
        )
      }
      const value: unknown = next.value
      if (value instanceof ChildEvent) yield { type: 'child', id: call.id, event: value.event }
      else yield { type: 'tool-progress', id: call.id, name: call.name, data: toJson(value) }
    }
  } catch (error) {
    if (!(error instanceof Interruption)) throw error
    if (error.reason === 'aborted') return errorOutcome(mayHaveRun)
    return errorOutcome(`Tool "${call.name}" timed out after ${tool.timeoutMs} ms. It may have taken effect.`)
  } finally {
    leash.release(body)
    holdup?.release()
  }
}

async function* runBody({ tool, input, execution }: ToolRequest): AsyncGenerator<Json, ToolOutcome> {
  const body = tool as Tool<unknown, unknown>
  const value = await body.execute?.(input, execution)
  if (!isAsyncIterator(value)) return toOutcome(value)
  let isDone = false
  try {
    for (;;) {
      const next = await value.next()
      isDone = next.done === true
      if (next.done) return next.value instanceof ChildOutcome ? next.value.outcome : toOutcome(next.value)
      yield next.value instanceof ChildEvent ? (next.value as never) : toJson(next.value)
    }
  } finally {
    if (!isDone) closeQuietly(value)
  }
}

function isAsyncIterator(value: unknown): value is AsyncIterator<unknown> {
  if (typeof value !== 'object' || value === null || !('next' in value)) return false
  return typeof value.next === 'function' && Symbol.asyncIterator in value
}

function errorOutcome(content: string): ToolOutcome {
  return { content, isError: true }
}
