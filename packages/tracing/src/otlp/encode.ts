/**
 * `encodeSpans()`: spans as OTLP writes them in JSON.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import { type Attributes, type AttributeValue, kinds, type Origin, type SpanData, statuses } from '../store/span.ts'

export type OtlpValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number }
  | { arrayValue: { values: OtlpValue[] } }
  | { kvlistValue: { values: OtlpAttribute[] } }
  | { [Key in never]: never }
export type OtlpAttribute = { key: string; value: OtlpValue }

export type OtlpTraces = {
  resourceSpans: { resource: { attributes: OtlpAttribute[] }; scopeSpans: { scope: object; spans: object[] }[] }[]
}

/** One that goes on has no `endTimeUnixNano`, as only this store reads it. */
export function encodeSpans(spans: Iterable<SpanData>): OtlpTraces {
  const byResource = new Map<string, Map<string, { origin: Origin; spans: object[] }>>()
  for (const span of spans) {
    const { resource, scope } = span.origin
    const scopes = getOr(byResource, JSON.stringify(resource), () => new Map())
    getOr(scopes, JSON.stringify(scope), () => ({ origin: span.origin, spans: [] })).spans.push(encodeSpan(span))
  }
  return {
    resourceSpans: [...byResource].map(([resource, scopes]) => ({
      resource: { attributes: encodeAttributes(JSON.parse(resource) as Attributes) },
      scopeSpans: [...scopes.values()].map(({ origin, spans: all }) => ({
        scope: { ...origin.scope, attributes: encodeAttributes(origin.scope.attributes ?? {}) },
        spans: all,
      })),
    })),
  }
}

function encodeSpan(span: SpanData): object {
  const { traceId, spanId, parentSpanId, name, kind, start, end, status, message, attributes, events, links } = span
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: kinds.indexOf(kind) + 1,
    startTimeUnixNano: start,
    ...(end !== undefined && { endTimeUnixNano: end }),
    attributes: encodeAttributes(attributes),
    events: events.map((event) => ({
      name: event.name,
      timeUnixNano: event.time,
      attributes: encodeAttributes(event.attributes ?? {}),
    })),
    links: links.map((link) => ({ ...link, attributes: encodeAttributes(link.attributes ?? {}) })),
    status: { code: statuses.indexOf(status), ...(message !== undefined && { message }) },
  }
}

export function encodeAttributes(attributes: Attributes): OtlpAttribute[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: encodeValue(value) }))
}

function encodeValue(value: AttributeValue): OtlpValue {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  if (value === null) return {}
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encodeValue) } }
  return { kvlistValue: { values: encodeAttributes(value) } }
}

function getOr<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
