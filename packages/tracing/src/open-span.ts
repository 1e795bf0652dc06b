/** One span that is open. Nothing here throws, and what is undefined is left out. */
import {
  type Attributes,
  type AttributeValue,
  type Context,
  type Link,
  type Span,
  type SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { safely } from './safely.ts'

export type Facts = { [name: string]: AttributeValue | undefined }

export type SpanStart = {
  name: string
  kind: SpanKind
  /** Of the span that it belongs under. */
  parent: Context
  facts: Facts
  links?: Link[]
}

export class OpenSpan {
  /** What belongs under this span is begun in it. */
  readonly context: Context
  readonly #span: Span | undefined

  constructor(tracer: Tracer | undefined, { name, kind, parent, facts, links = [] }: SpanStart) {
    this.#span = safely(() => tracer?.startSpan(name, { kind, attributes: known(facts), links }, parent))
    this.context = safely(() => this.#span && trace.setSpan(parent, this.#span)) ?? parent
  }

  /** Whether somebody will see it. */
  get isRecording(): boolean {
    return safely(() => this.#span?.isRecording()) === true
  }

  get spanContext() {
    return safely(() => this.#span?.spanContext())
  }

  set(facts: Facts): void {
    if (this.isRecording) safely(() => this.#span?.setAttributes(known(facts)))
  }

  /** What is made only where somebody will see it. */
  show(make: () => Facts): void {
    if (this.isRecording) this.set(safely(make) ?? {})
  }

  note(name: string, facts: Facts = {}): void {
    if (this.isRecording) safely(() => this.#span?.addEvent(name, known(facts)))
  }

  /** `type` is of a few words that a program knows; `message` is content. */
  fail(type: string, message?: () => string | undefined): void {
    if (!this.isRecording) return
    this.set({ 'error.type': type })
    const shown = message && safely(message)
    safely(() => this.#span?.setStatus({ code: SpanStatusCode.ERROR, ...(shown !== undefined && { message: shown }) }))
  }

  end(): void {
    safely(() => this.#span?.end())
  }
}

function known(facts: Facts): Attributes {
  const attributes: Attributes = {}
  for (const [name, value] of Object.entries(facts)) if (value !== undefined) attributes[name] = value
  return attributes
}
