/** Whatever a tool returns or throws becomes content that a model can read and JSON that a log can hold. Never throws. */
import type { Json } from './json.ts'
import type { Content, ContentPart } from './message.ts'

export type ShapedResult = { content: Content; view?: Json }

/** The result of a tool for the model (cut to `maxChars`) and, where the tool gave one, the view for people. */
export function shapeResult(value: unknown, maxChars: number): ShapedResult {
  if (isRecord(value) && Object.keys(value).length === 2 && 'content' in value && 'view' in value) {
    return { content: cut(toContent(value.content), maxChars), view: toJson(value.view) }
  }
  return { content: cut(toContent(value), maxChars) }
}

/** What is told to the model of a thrown value. No stack: it says nothing to a model and much to a stranger. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return error.message || error.name
  if (isRecord(error) && typeof error.message === 'string') return error.message
  if (error === undefined) return 'unknown error (undefined was thrown)'
  return typeof error === 'string' ? error : textOfJson(toJson(error))
}

function toContent(value: unknown): Content {
  if (typeof value === 'string') return value.toWellFormed()
  if (value === undefined) return 'Done. The tool returned nothing.'
  if (isContentPart(value)) return [value]
  if (Array.isArray(value) && value.length > 0 && value.every(isContentPart)) return value
  if (value instanceof Error) return `Error: ${describeError(value)}`
  return textOfJson(toJson(value))
}

function textOfJson(json: Json): string {
  return typeof json === 'string' ? json : JSON.stringify(json)
}

const partKeys: { [type: string]: string[] } = {
  text: ['text'],
  image: ['url'],
  file: ['filename', 'data'],
  audio: ['data', 'format'],
  video: ['url'],
}

/** True for a well-formed part of a message's content. */
export function isContentPart(value: unknown): value is ContentPart {
  if (!isRecord(value) || typeof value.type !== 'string' || !Object.hasOwn(partKeys, value.type)) return false
  return partKeys[value.type]!.every((key) => typeof value[key] === 'string')
}

/**
 * `value` as JSON: BigInt as digits, Map as object, Set as array, bytes and functions by name, a cycle as "[circular]".
 * What throws when it is read says so in its place.
 */
export function toJson(value: unknown): Json {
  try {
    return convert(value, [])
  } catch (error) {
    return `[unreadable value: ${describeError(error)}]`
  }
}

function convert(value: unknown, above: object[]): Json {
  switch (typeof value) {
    case 'string':
      return value.toWellFormed()
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'boolean':
      return value
    case 'bigint':
      return value.toString()
    case 'undefined':
      return null
    case 'function':
      return `[function ${value.name || 'anonymous'}]`
    case 'symbol':
      return value.toString()
  }
  if (typeof value !== 'object' || value === null) return null
  if (above.includes(value)) return '[circular]'
  const inside = [...above, value]
  if (value instanceof Map) return convertEntries(value.entries(), inside)
  if (value instanceof Set) return [...value].map((item) => convert(item, inside))
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (value instanceof Error) return `Error: ${describeError(value)}`
  if ('toJSON' in value && typeof value.toJSON === 'function') return convert(value.toJSON(), inside)
  if (Array.isArray(value)) return value.map((item) => convert(item, inside))
  return convertEntries(Object.entries(value), inside)
}

function convertEntries(entries: Iterable<[unknown, unknown]>, inside: object[]): Json {
  const pairs: [string, Json][] = []
  for (const [key, item] of entries) if (item !== undefined) pairs.push([String(key), convert(item, inside)])
  return Object.fromEntries(pairs)
}

/** Text beyond `maxChars` is left out, and the model is told how much there was. Images and files count as nothing. */
function cut(content: Content, maxChars: number): Content {
  if (typeof content === 'string') return cutText(content, maxChars)
  let left = maxChars
  return content.map((part) => {
    if (part.type !== 'text') return part
    const text = cutText(part.text, left)
    left = Math.max(0, left - part.text.length)
    return { type: 'text', text }
  })
}

/** The beginning of `text`, and how much it was. */
export function cutText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const kept = text.slice(0, maxChars).toWellFormed()
  const count = (n: number) => n.toLocaleString('en-US')
  return `${kept}\n[Cut: the first ${count(maxChars)} of ${count(text.length)} characters. Ask for less, or for one part.]`
}

function isRecord(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
