/** `judge` asks a guard for its verdict; a guard that throws, hangs or says something that is no verdict says stop. */
import type { Json } from '@clew/core'
import { describeError } from '@clew/core'
import type { Answered, ToolVerdict } from './guard-options.ts'

/**
 * Of several words in one verdict the strictest counts. The signal given to `ask` fires when the run is left, and when
 * the time is over.
 * @throws the reason of `outer` when the run is left meanwhile.
 */
export async function judge<Change>(
  guard: { name: string; timeoutMs: number },
  outer: AbortSignal,
  ask: (signal: AbortSignal) => Answered<ToolVerdict<Change>>,
): Promise<ToolVerdict<Change>> {
  const late = new AbortController()
  const timer = setTimeout(() => {
    late.abort(new Error(`it gave no verdict within ${guard.timeoutMs} ms`))
  }, guard.timeoutMs)
  const signal = AbortSignal.any([outer, late.signal])
  try {
    return read<Change>(await Promise.race([ask(signal), rejectOn(signal)]), guard.name)
  } catch (error) {
    if (outer.aborted) throw outer.reason
    return { stop: `guard "${guard.name}" failed, so nothing passes: ${describeError(error)}` }
  } finally {
    clearTimeout(timer)
    // Ends the listener of `rejectOn`, and a guard that was left.
    late.abort()
  }
}

function rejectOn(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (signal.aborted) reject(signal.reason)
  })
  rejection.catch(() => {})
  return rejection
}

/** Guards written without a compiler say `false` and `{ blocked: true }`. */
function read<Change>(given: unknown, name: string): ToolVerdict<Change> {
  if (given === undefined) return undefined
  const verdict = (given ?? {}) as { stop?: unknown; deny?: unknown; change?: Change }
  if (typeof verdict.stop === 'string') return { stop: verdict.stop }
  if (typeof verdict.deny === 'string') return { deny: verdict.deny }
  if (verdict.change !== undefined) return { change: verdict.change }
  const words = JSON.stringify(given as Json)?.slice(0, 100) ?? typeof given
  return {
    stop: `guard "${name}" said ${words}, which is no verdict: nothing, { change }, { deny } or { stop: "reason" }`,
  }
}
