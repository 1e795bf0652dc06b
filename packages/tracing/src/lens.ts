/** What `trace()` was told, made ready for one run: where its spans go, what stands on each, and what of the content. */
import type { RunPlace } from '@clew/core'
import { type Attributes, type MeterProvider, type Tracer, type TracerProvider, trace } from '@opentelemetry/api'
import { type ContentOptions, ContentWriter } from './content.ts'
import { type Instruments, instrumentsOf } from './metrics.ts'
import { type Facts, OpenSpan, type SpanStart } from './open-span.ts'
import { safely } from './safely.ts'

export type TraceOptions<Context = unknown> = {
  /**
   * Whether prompts, answers, reasoning, arguments, results and error messages are shown, and how. Default: not. Images and
   * files are never shown, and neither is signed or encrypted reasoning.
   */
  content?: boolean | ContentOptions
  /** Put on every span: of the program, or of the run by the context that its caller gave. */
  attributes?: Attributes | ((context: Context) => Attributes)
  /** Default: the global one. */
  tracerProvider?: TracerProvider
  /** Default: the global one. */
  meterProvider?: MeterProvider
}

export class Lens {
  readonly content: ContentWriter | undefined
  readonly instruments: Instruments | undefined
  readonly attributes: Facts
  readonly #tracer: Tracer | undefined

  /** `above`: what stands on the spans of the run that this one works for. */
  constructor(options: TraceOptions, place: RunPlace, above: Facts = {}) {
    const { content, attributes, tracerProvider, meterProvider } = options
    this.content = content ? new ContentWriter(content === true ? {} : content) : undefined
    this.#tracer = safely(() => (tracerProvider ?? trace.getTracerProvider()).getTracer('@clew/tracing'))
    this.instruments = instrumentsOf(meterProvider)
    const own = typeof attributes === 'function' ? safely(() => attributes(place.context)) : attributes
    this.attributes = { ...above, ...own }
  }

  open(start: SpanStart): OpenSpan {
    return new OpenSpan(this.#tracer, { ...start, facts: { ...this.attributes, ...start.facts } })
  }
}
