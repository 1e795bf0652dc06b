/** A run that did not come to its end, as an error. */
import { isClewError, RunError } from './errors.ts'
import type { Middleware } from './middleware.ts'
import type { RunState } from './state.ts'

/** @throws RunError when the engine was not driven to its end: only middleware can leave that out. */
export function checkEnded(state: RunState, use: readonly Middleware[]): void {
  if (state.status !== 'running') return
  const layers = use.filter((layer) => layer.run).map((layer) => `"${layer.name}"`)
  throw new RunError(`The run did not come to its end. Does middleware ${layers.join(' or ')} forget next()?`, state)
}

export function toRunError(error: unknown, state: RunState): unknown {
  if (isClewError(error, 'run') || isClewError(error, 'abort')) return error
  return new RunError(error instanceof Error ? error.message : String(error), state, { cause: error })
}
