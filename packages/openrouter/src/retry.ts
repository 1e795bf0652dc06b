/** The one place where a request is made again (section 10.3 of the wire contract). */
import type { ModelDelta } from '@clew/core'
import { isClewError, type ModelError } from '@clew/core'

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

/** How it goes on after a failure: what is told of it, and how long to wait. */
export type Again = { restart: Extract<ModelDelta, { type: 'model-restart' }>; ms: number }

/** Whether and when a failed request is made again, or undefined. `failures`: how often that happened before. */
export function retryAfter(error: unknown, attempt: Attempt, failures: number, retries: number): Again | undefined {
  if (failures >= retries || !mayTryAgain(error, attempt)) return undefined
  const ms = delayOf(error, failures)
  return ms === undefined ? undefined : { restart: restart(error, `Trying again in ${(ms / 1000).toFixed(1)} s.`), ms }
}

export function restart({ message, details: { usage } }: ModelError, next: string): Again['restart'] {
  return { type: 'model-restart', reason: `${asSentence(message)} ${next}`, ...(usage && { usage }) }
}

/** Upstream texts end in many ways. */
function asSentence(text: string): string {
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
