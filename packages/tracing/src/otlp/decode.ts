/**
 * `decodeSpans()`: the spans of an OTLP request in JSON, by whoever wrote it.
 *
 * Told apart is what is no OTLP at all, which throws, and a span that cannot be kept, which is left out and told: the
 * others of its request are good. What is unknown is ignored, as the protocol asks.
 */
import { type Attributes, type AttributeValue, kinds, type Origin, type SpanData, statuses } from '../store/span.ts'
import { TraceError } from '../store/trace-error.ts'

export type Decoded = { spans: SpanData[]; rejected: { reason: string }[] }

type Loose = { [name: string]: unknown }

/** Lists within lists, as far as attributes are followed. */
const maxDepth = 32

/** @throws TraceError */
export function decodeSpans(request: unknown): Decoded {
  const found = isObject(request) ? (request.resourceSpans ?? request.resource_spans) : undefined
  if (!Array.isArray(found) && !(isObject(request) && Object.keys(request).length === 0))
    throw new TraceError(
      `This is no OTLP trace: it has no list resourceSpans (it is ${tell(request)}). Send what an OTLP/HTTP exporter sends as JSON.`,
    )
  const decoded: Decoded = { spans: [], rejected: [] }
  for (const resourceSpans of list(found)) {
    const resource = decodeAttributes(isObject(resourceSpans.resource) ? resourceSpans.resource.attributes : undefined)
    for (const scopeSpans of list(resourceSpans.scopeSpans ?? resourceSpans.scope_spans)) {
      const origin = { resource, scope: decodeScope(scopeSpans.scope) }
      for (const span of list(scopeSpans.spans)) {
        const result = decodeSpan(span, origin)
        if (typeof result === 'string') decoded.rejected.push({ reason: result })
        else decoded.spans.push(result)
      }
    }
  }
  return decoded
}

function decodeScope(scope: unknown): Origin['scope'] {
  if (!isObject(scope)) return { name: '' }
  const attributes = decodeAttributes(scope.attributes)
  return {
    name: text(scope.name),
    ...(scope.version ? { version: text(scope.version) } : {}),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  }
}

/** Or why it cannot be kept. */
function decodeSpan(span: Loose, origin: Origin): SpanData | string {
  const traceId = text(span.traceId ?? span.trace_id).toLowerCase()
  const spanId = text(span.spanId ?? span.span_id).toLowerCase()
  const parentSpanId = text(span.parentSpanId ?? span.parent_span_id).toLowerCase()
  if (!isId(traceId, 32)) return `traceId is ${tell(span.traceId)}, not 32 hexadecimal digits`
  if (!isId(spanId, 16)) return `spanId is ${tell(span.spanId)}, not 16 hexadecimal digits`
  const start = time(span.startTimeUnixNano ?? span.start_time_unix_nano)
  const end = time(span.endTimeUnixNano ?? span.end_time_unix_nano)
  if (start === undefined) return `startTimeUnixNano is ${tell(span.startTimeUnixNano)}, not a time in nanoseconds`
  const status = isObject(span.status) ? span.status : {}
  const message = text(status.message)
  return {
    traceId,
    spanId,
    ...(isId(parentSpanId, 16) && { parentSpanId }),
    name: text(span.name),
    kind: kinds[choice(span.kind, 'SPAN_KIND_', ['UNSPECIFIED', ...kinds]) - 1] ?? 'internal',
    start,
    // None, or 0, which is what the protocol has for none: it goes on, or never ended.
    ...(end !== undefined && { end: BigInt(end) < BigInt(start) ? start : end }),
    status: statuses[choice(status.code, 'STATUS_CODE_', statuses)] ?? 'unset',
    ...(message !== '' && { message }),
    attributes: decodeAttributes(span.attributes),
    events: list(span.events).map((event) => {
      const attributes = decodeAttributes(event.attributes)
      return {
        name: text(event.name),
        time: time(event.timeUnixNano ?? event.time_unix_nano) ?? start,
        ...(Object.keys(attributes).length > 0 && { attributes }),
      }
    }),
    links: list(span.links).flatMap((link) => {
      const linked = { traceId: text(link.traceId).toLowerCase(), spanId: text(link.spanId).toLowerCase() }
      if (!isId(linked.traceId, 32) || !isId(linked.spanId, 16)) return []
      const attributes = decodeAttributes(link.attributes)
      return [{ ...linked, ...(Object.keys(attributes).length > 0 && { attributes }) }]
    }),
    origin,
  }
}

function decodeAttributes(attributes: unknown, depth = 0): Attributes {
  return Object.fromEntries(
    list(attributes)
      .filter(({ key }) => typeof key === 'string')
      .map(({ key, value }) => [key as string, decodeValue(value, depth)]),
  )
}

function decodeValue(value: unknown, depth: number): AttributeValue {
  if (!isObject(value) || depth > maxDepth) return null
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value
  if (typeof stringValue === 'string') return stringValue
  if (typeof boolValue === 'boolean') return boolValue
  if (intValue !== undefined) {
    const number = Number(intValue)
    // One that JavaScript cannot hold stays in its digits.
    return Number.isSafeInteger(number) ? number : text(intValue)
  }
  if (typeof doubleValue === 'number') return doubleValue
  // "NaN", "Infinity" and "-Infinity".
  if (doubleValue !== undefined) return text(doubleValue)
  if (isObject(arrayValue)) return list(arrayValue.values).map((each) => decodeValue(each, depth + 1))
  if (isObject(kvlistValue)) return decodeAttributes(kvlistValue.values, depth + 1)
  if (typeof bytesValue === 'string') return bytesValue
  return null
}

/** An enum comes as its number or, from some, as its name. */
function choice(value: unknown, prefix: string, names: readonly string[]): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? names.indexOf(value.replace(prefix, '').toLowerCase()) : 0
}

const largest = 2n ** 63n - 1n

/** Digits, from digits or a number; nothing for 0 and for what is none. */
function time(value: unknown): string | undefined {
  const digits =
    typeof value === 'number' && value > 0 && Number.isFinite(value) ? String(BigInt(Math.round(value))) : value
  if (typeof digits !== 'string' || !/^\d{1,19}$/.test(digits) || BigInt(digits) > largest) return undefined
  return BigInt(digits) === 0n ? undefined : String(BigInt(digits))
}

const isId = (value: string, length: number) =>
  value.length === length && /^[\da-f]+$/.test(value) && !/^0+$/.test(value)

const text = (value: unknown) => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '')

function list(value: unknown): Loose[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function tell(value: unknown): string {
  const told = JSON.stringify(value) ?? 'missing'
  return told.length > 60 ? `${told.slice(0, 60)}…` : told
}
