/** `guardTool` judges a call before it runs, and what it came to. */
import type { Middleware, ToolOutcome } from '@clew/core'
import { describeError, isClewError } from '@clew/core'
import type { GuardOptions } from './guard-options.ts'
import { judge } from './judge.ts'

export function guardTool(
  by: { name: string; timeoutMs: number },
  { before, after }: NonNullable<GuardOptions['tool']>,
): NonNullable<Middleware['tool']> {
  return async function* guarded(request, next) {
    const { signal } = request.execution
    if (before) {
      const verdict = await judge(by, signal, (own) => before({ ...request, signal: own }))
      if (verdict && 'change' in verdict) request = { ...request, input: verdict.change }
      else if (verdict) return refused(verdict, 'Not run')
    }
    if (!after) return yield* next(request)
    let outcome: ToolOutcome
    try {
      outcome = yield* next(request)
    } catch (error) {
      if (isClewError(error, 'fatal')) throw error
      outcome = { content: `Tool "${request.call.name}" failed: ${describeError(error)}`, isError: true }
    }
    // A sub-agent that waits has no result yet.
    if (outcome.waiting) return outcome
    const verdict = await judge(by, signal, (own) => after({ ...request, outcome, signal: own }))
    if (!verdict) return outcome
    return 'change' in verdict ? verdict.change : refused(verdict, 'The result was withheld')
  }
}

/** Why a run was stopped is for people: the model reads the reason of a denial only. */
function refused(verdict: { stop: string } | { deny: string }, what: string): ToolOutcome {
  if ('deny' in verdict) return { content: `${what}: ${verdict.deny}`, isError: true }
  return { content: `${what}: the run was stopped.`, isError: true, stop: { by: 'guard', reason: verdict.stop } }
}
