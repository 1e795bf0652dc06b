/** Whatever touches OpenTelemetry goes through here: a tracer, a processor or an exporter that throws harms no run. */

import { describeError } from '@clew/core'
import { type Context, context, diag, ROOT_CONTEXT } from '@opentelemetry/api'

/** What `work` gives, or nothing when it throws. The failure is told to OpenTelemetry's own logger, where one is set. */
export function safely<Value>(work: () => Value): Value | undefined {
  try {
    return work()
  } catch (error) {
    try {
      diag.error(`@clew/tracing: ${describeError(error)}`)
    } catch {
      // The logger is no better.
    }
    return undefined
  }
}

/** That of the caller, where a context manager is installed. */
export function activeContext(): Context {
  return safely(() => context.active()) ?? ROOT_CONTEXT
}

/** `work` with `active` as the active context, where a context manager is installed. */
export function inContext<Value>(active: Context, work: () => Value): Value {
  let begun = false
  try {
    return context.with(active, () => {
      begun = true
      return work()
    })
  } catch (error) {
    if (begun) throw error
    return work()
  }
}

/** `source`, worked on with `active` as the active context, so that spans of other libraries find their parent. */
export async function* within<Value, Result>(
  active: Context,
  source: AsyncGenerator<Value, Result>,
): AsyncGenerator<Value, Result> {
  let isOpen = true
  try {
    for (;;) {
      isOpen = false
      const next = await inContext(active, () => source.next())
      if (next.done) return next.value
      isOpen = true
      yield next.value
    }
  } finally {
    if (isOpen) await source.return(undefined as never)
  }
}
