/** What a span is in the store: as OpenTelemetry has it, in plain JSON. */

export type AttributeValue = string | number | boolean | null | AttributeValue[] | { [name: string]: AttributeValue }
export type Attributes = { [name: string]: AttributeValue }

export const kinds = ['internal', 'server', 'client', 'producer', 'consumer'] as const
export type Kind = (typeof kinds)[number]
export const statuses = ['unset', 'ok', 'error'] as const
export type StatusCode = (typeof statuses)[number]

/** `time` in nanoseconds since 1970, in digits: a number of JavaScript cannot hold them. */
export type SpanEvent = { name: string; time: string; attributes?: Attributes }
export type SpanLink = { traceId: string; spanId: string; attributes?: Attributes }

/** Who made the span: the process and the library. */
export type Origin = { resource: Attributes; scope: { name: string; version?: string; attributes?: Attributes } }

export type SpanData = {
  /** 32 hexadecimal digits. */
  traceId: string
  /** 16 hexadecimal digits. */
  spanId: string
  parentSpanId?: string
  name: string
  kind: Kind
  /** Nanoseconds since 1970, in digits. */
  start: string
  /** Missing while it goes on, and where its process died before it ended. */
  end?: string
  status: StatusCode
  /** Said with the status `error`. */
  message?: string
  attributes: Attributes
  events: SpanEvent[]
  links: SpanLink[]
  origin: Origin
}
