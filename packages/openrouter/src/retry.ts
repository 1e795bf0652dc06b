/** The one place where a request is made again (section 10.3 of the wire contract). */
import type { ModelDelta, ModelReply } from '@clew/core'
import { isClewError, type ModelError } from '@clew/core'
import { wait } from './wait.ts'

/** Tries after the first, unless the settings say otherwise. */
export const defaultRetries = 2
/** The wait before the first retry and the longest one, in milliseconds. It doubles from try to try. */
const backoffMs = { first: 500, longest: 30_000 }
/** A server that asks for more than this is not waited for. */
const longestHintMs = 60_000

/** One request and what came of it so far. */
export type Attempt = {
  /** Something of the answer went to the reader: asking again would say it twice. */
  shown: boolean
  /** The answer came whole under a good status: what it says of its failure is its last word. */
  whole: boolean
}

/**
 * The answer of the first attempt that succeeds. Each new one is told by a `model-restart` before it is waited for.
 * @throws what the last attempt threw
 */
export async function* withRetries(
  make: (attempt: Attempt) => AsyncGenerator<ModelDelta[], ModelReply>,
  retries: number,
  signal: AbortSignal,
): AsyncGenerator<ModelDelta[], ModelReply> {
  for (let failures = 0; ; failures++) {
    const attempt: Attempt = { shown: false, whole: false }
    try {
      return yield* make(attempt)
    } catch (error) {
      if (signal.aborted || failures >= retries || !mayTryAgain(error, attempt)) throw error
      const ms = delayOf(error, failures)
      if (ms === undefined) throw error
      const { usage } = error.details
      const reason = `${asSentence(error.message)} Trying again in ${(ms / 1000).toFixed(1)} s.`
      yield [{ type: 'model-restart', reason, ...(usage && { usage }) }]
      await wait(ms, signal)
    }
  }
}

/** Upstream texts end in many ways. */
export function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function mayTryAgain(error: unknown, { shown, whole }: Attempt): error is ModelError {
  if (!isClewError(error, 'model') || shown || !error.details.retryable) return false
  return !whole || error.details.code === 'empty-answer'
}

/** The larger of what the server asks for and a backoff that is never shorter than the one before it. */
function delayOf({ details }: ModelError, failures: number): number | undefined {
  const { retryAfterMs = 0 } = details
  if (retryAfterMs > longestHintMs) return undefined
  const backoff = Math.min(backoffMs.longest, backoffMs.first * 2 ** failures)
  return Math.max(retryAfterMs, Math.round(backoff * (0.5 + Math.random() / 2)))
}
