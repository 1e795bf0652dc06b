/** `LocalSpan`: a span of OpenTelemetry that goes into the local store, from its start on. */
import { performance } from 'node:perf_hooks'
import type {
  Attributes as ApiAttributes,
  AttributeValue as ApiValue,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanStatus,
  TimeInput,
} from '@opentelemetry/api'
import { type Attributes, type AttributeValue, type Kind, type Origin, type SpanData, statuses } from './span.ts'
import type { LiveSpan, Writer } from './writer.ts'

export type SpanStart = {
  name: string
  kind: Kind
  context: SpanContext
  parentSpanId?: string
  start?: TimeInput
  attributes?: ApiAttributes
  links?: readonly Link[]
  origin: Origin
}

export class LocalSpan implements Span, LiveSpan {
  readonly #context: SpanContext
  readonly #data: SpanData
  readonly #writer: Writer

  constructor(
    writer: Writer,
    { name, kind, context, parentSpanId, start, attributes = {}, links = [], origin }: SpanStart,
  ) {
    this.#writer = writer
    this.#context = context
    this.#data = {
      traceId: context.traceId,
      spanId: context.spanId,
      ...(parentSpanId !== undefined && { parentSpanId }),
      name,
      kind,
      start: nanoseconds(start),
      status: 'unset',
      attributes: plain(attributes),
      events: [],
      links: links.map(plainLink),
      origin,
    }
    writer.change(this)
  }

  get isEnded(): boolean {
    return this.#data.end !== undefined
  }

  data(): SpanData {
    return this.#data
  }

  spanContext(): SpanContext {
    return this.#context
  }

  isRecording(): boolean {
    return !this.isEnded
  }

  setAttribute(key: string, value: ApiValue): this {
    return this.setAttributes({ [key]: value })
  }

  setAttributes(attributes: ApiAttributes): this {
    return this.#change(() => Object.assign(this.#data.attributes, plain(attributes)))
  }

  addEvent(name: string, attributesOrTime?: ApiAttributes | TimeInput, time?: TimeInput): this {
    const [attributes, at] = isTime(attributesOrTime) ? [undefined, attributesOrTime] : [attributesOrTime, time]
    const event = { name, time: nanoseconds(at), ...(attributes && { attributes: plain(attributes) }) }
    return this.#change(() => this.#data.events.push(event))
  }

  addLink(link: Link): this {
    return this.addLinks([link])
  }

  addLinks(links: Link[]): this {
    return this.#change(() => this.#data.links.push(...links.map(plainLink)))
  }

  setStatus({ code, message }: SpanStatus): this {
    return this.#change(() => {
      this.#data.status = statuses[code] ?? 'unset'
      if (code === 2 && message !== undefined) this.#data.message = message
    })
  }

  updateName(name: string): this {
    return this.#change(() => {
      this.#data.name = name
    })
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const told = typeof exception === 'string' ? { message: exception } : exception
    const { message, stack, name } = told as { message?: string; stack?: string; name?: string }
    this.addEvent(
      'exception',
      {
        ...(name !== undefined && { 'exception.type': name }),
        ...(message !== undefined && { 'exception.message': message }),
        ...(stack !== undefined && { 'exception.stacktrace': stack }),
      },
      time,
    )
  }

  end(time?: TimeInput): void {
    this.#change(() => {
      const end = nanoseconds(time)
      this.#data.end = BigInt(end) < BigInt(this.#data.start) ? this.#data.start : end
    })
  }

  /** One that has ended stays as it is. */
  #change(change: () => void): this {
    if (this.isEnded) return this
    change()
    this.#writer.change(this)
    return this
  }
}

/** What is undefined is left out, and what JSON cannot hold is told in words. */
function plain(attributes: ApiAttributes): Attributes {
  const kept: Attributes = {}
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) kept[name] = plainValue(value)
  return kept
}

function plainValue(value: unknown): AttributeValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'object':
      if (Array.isArray(value)) return value.map(plainValue)
      return value === null ? null : (JSON.parse(JSON.stringify(value)) as AttributeValue)
    default:
      return String(value)
  }
}

function plainLink({ context, attributes }: Link) {
  return { traceId: context.traceId, spanId: context.spanId, ...(attributes && { attributes: plain(attributes) }) }
}

function isTime(value: ApiAttributes | TimeInput | undefined): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || (Array.isArray(value) && typeof value[0] === 'number')
}

let origin = performance.timeOrigin

/** In digits. A number is milliseconds since 1970, or since the process began, as the API allows both. */
export function nanoseconds(time?: TimeInput): string {
  if (Array.isArray(time)) return String(BigInt(time[0]) * 1_000_000_000n + BigInt(Math.round(time[1])))
  if (time instanceof Date) return ofMs(time.getTime())
  if (typeof time === 'number') return ofMs(time < performance.timeOrigin ? origin + time : time)
  // Finer than a millisecond, and with the computer's clock all the same when that was set or the computer slept.
  const now = Date.now()
  if (Math.abs(now - origin - performance.now()) > 50) origin = now - performance.now()
  return ofMs(origin + performance.now())
}

function ofMs(ms: number): string {
  return Number.isFinite(ms) && ms > 0 ? `${Math.round(ms * 1000)}000` : '0'
}
