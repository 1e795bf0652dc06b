/** `trace()` shows runs as spans and metrics of OpenTelemetry, by its conventions for generative AI. */
import type { Middleware, RunEvent, RunPlace, RunState } from '@clew/core'
import { isSpanContextValid } from '@opentelemetry/api'
import { checkOptions } from './check-options.ts'
import { Lens, type TraceOptions } from './lens.ts'
import { activeContext, safely, within } from './safely.ts'
import { linkTo, traceparentOf } from './trace-meta.ts'
import { Trail, trailOf } from './trail.ts'
import { Waits } from './waits.ts'

type Events = AsyncGenerator<RunEvent[], void>

/**
 * For `new Agent({ use: [trace()] })`, as the first: what stands outside of it is in no span. Where no SDK of OpenTelemetry
 * is set up it does nothing. Nothing of what was said is shown unless `content` asks for it, and nothing that goes wrong in
 * a tracer or an exporter reaches the run.
 *
 * Sub-agents and agents that are handed the talk are shown as well; one with a `trace()` of its own shows itself, by its
 * own options, under the call that it works on.
 * @throws DefinitionError for options that do not exist or cannot be used.
 */
export function trace<Context = unknown>(options: TraceOptions<Context> = {}): Middleware {
  checkOptions(options)
  return {
    name: 'trace',
    run(state, next, place) {
      const trail = safely(() => begin(options as TraceOptions, state, place))
      return trail ? watch(trail, next) : next()
    },
    model(request, next) {
      const trail = trailOf(request.runId)
      const chat = trail?.models.current
      if (!chat) return next(request)
      safely(() => trail.models.asked(request))
      return noting(chat, within(chat.span.context, next(request)))
    },
    tool(request, next) {
      const { call, execution, tool } = request
      const span = safely(() => trailOf(execution.runId)?.tool(call.id, call.name))
      if (!span) return next(request)
      span.span.set({ 'gen_ai.tool.description': tool.description })
      return noting(span, within(span.span.context, next(request)))
    },
  }
}

/** Nothing where nobody listens. */
function begin(options: TraceOptions, state: RunState, place: RunPlace): Trail | undefined {
  const { runId, path, isResumed, call } = place
  const caller = trailOf(call?.runId)
  const lens = new Lens(options, place, caller?.attributes)
  const link = isResumed ? linkTo(state.kept?.traceparent) : undefined
  const found = isResumed ? state : undefined
  const trail = new Trail({
    lens,
    runId,
    agent: path.at(-1) ?? '',
    path,
    conversation: caller?.conversation ?? (state.conversation || runId),
    parent: (call && caller?.contextOf(call.id)) ?? activeContext(),
    ...(link && { links: [link] }),
    state: found,
    waits: caller?.waits ?? new Waits(found),
    left: () => safely(() => place.left()) ?? {},
  })
  const { spanContext } = trail.agent.span
  if (spanContext && isSpanContextValid(spanContext)) {
    place.keep('traceparent', traceparentOf(spanContext))
    return trail
  }
  if (lens.instruments) return trail
  trail.finish()
  return undefined
}

async function* watch(trail: Trail, next: () => Events): Events {
  let failure: { error: unknown } | undefined
  try {
    for await (const events of within(trail.agent.span.context, next())) {
      safely(() => trail.see(events))
      yield events
      safely(() => trail.goOn())
    }
  } catch (error) {
    failure = { error }
    throw error
  } finally {
    safely(() => trail.finish(failure))
  }
}

/** Events tell of an error its message; which error it was is seen here. */
async function* noting<Value, Result>(
  span: { caught(error: unknown): void },
  source: AsyncGenerator<Value, Result>,
): AsyncGenerator<Value, Result> {
  try {
    return yield* source
  } catch (error) {
    safely(() => span.caught(error))
    throw error
  }
}
