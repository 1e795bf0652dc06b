/** The place in a trace as W3C headers write it, to be carried to another process. */
import type { ToolExecution } from '@clew/core'
import { context, isSpanContextValid, type Link, type SpanContext, trace } from '@opentelemetry/api'
import { safely } from './safely.ts'
import { trailOf } from './trail.ts'

/**
 * `{ traceparent, tracestate }` for the `_meta` of an MCP request, or for the headers of another: that of the call that
 * `execution` belongs to, whose span is then marked as MCP's `tools/call`, or else that of the active span. `{}` where there
 * is none.
 */
export function traceMeta(execution?: Pick<ToolExecution, 'runId' | 'idempotencyKey'>): {
  traceparent?: string
  tracestate?: string
} {
  return (
    safely(() => {
      const trail = trailOf(execution?.runId)
      const called = execution && trail?.called(execution.idempotencyKey)
      called?.set({ 'mcp.method.name': 'tools/call' })
      const spanContext = called?.spanContext ?? trace.getSpanContext(context.active())
      if (!spanContext || !isSpanContextValid(spanContext)) return {}
      const tracestate = spanContext.traceState?.serialize()
      return { traceparent: traceparentOf(spanContext), ...(tracestate && { tracestate }) }
    }) ?? {}
  )
}

export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** A link to the place that `traceparent` names, if it names one. */
export function linkTo(traceparent: string | undefined): Link | undefined {
  const [, traceId = '', spanId = '', flags = '0'] =
    /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(traceparent ?? '') ?? []
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(spanContext) ? { context: spanContext } : undefined
}
