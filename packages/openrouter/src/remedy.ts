/** What an upstream refused, left out of one more try (section 6.4.7 of the wire contract). */
import type { ModelRequest } from '@clew/core'
import { isClewError, type ModelError } from '@clew/core'
import type { RequestEncoder } from './encode.ts'
import { type Again, restart } from './retry.ts'

/** Changes what `encoder` sends from now on, and says how; undefined when nothing helps. No remedy is taken twice. */
export function remedyFor(error: unknown, encoder: RequestEncoder, request: ModelRequest): Again | undefined {
  if (!isClewError(error, 'model')) return undefined
  if (isReasoningRefused(error) && encoder.withholdDetails(request)) {
    return { restart: restart(error, 'Trying again without the reasoning of earlier turns.'), ms: 0 }
  }
  if (!isProviderGone(error) || !encoder.unpin(request)) return undefined
  return { restart: restart(error, 'Trying again with any provider.'), ms: 0 }
}

function isReasoningRefused({ details: { status }, message }: ModelError): boolean {
  // "Missing" asks for more of it, not for less.
  if ((status !== 400 && status !== 404) || /missing/i.test(message)) return false
  return /signature|thinking.{0,3} block|thought|\brs_|reasoning (item|block|details)|encrypted_content/i.test(message)
}

/** The provider that a tool loop was held to has left, or goes by another name. */
function isProviderGone({ details: { status }, message }: ModelError): boolean {
  return status === 404 && /no (\w+ )?(endpoint|provider)s?/i.test(message)
}
