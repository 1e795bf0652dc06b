/** Whatever a tool returns or throws becomes content that a model can read and JSON that a log can hold. Never throws. */
import type { Json } from './json.ts'
import type { Content, ContentPart } from './message.ts'
import { isContentPart } from './message.ts'
import type { Stop } from './model.ts'

/** What a tool call came to: content for the model, a view for people. */
export type ToolOutcome = {
  content: Content
  isError?: true
  view?: Json
  /** Nothing of it comes from outside, though its tool is `untrusted`. */
  untrusted?: false
  /** The call waits: it has no result yet. Only calls of sub-agents come to this. */
  waiting?: true
  /** Set by a middleware: the run ends with this turn. */
  stop?: Stop
}

/**
 * What a tool returned. `{ content, view }` gives the model one thing and people another; `untrusted: false` beside
 * `content` says that these are the tool's own words. With anything else beside, it is a value like any other.
 */
export function toOutcome(value: unknown): ToolOutcome {
  try {
    if (isTold(value)) {
      return {
        content: toContent(value.content),
        ...('view' in value && { view: toJson(value.view) }),
        ...('untrusted' in value && { untrusted: false }),
      }
    }
    return { content: toContent(value) }
  } catch (error) {
    return { content: `[unreadable value: ${describeError(error)}]` }
  }
}

/** What a log can hold of an outcome that went through strangers' hands: its own fields, its text cut to `maxChars`. */
export function sealOutcome({ content, isError, view, untrusted, stop }: ToolOutcome, maxChars: number): ToolOutcome {
  return {
    content: cut(toContent(content), maxChars),
    ...(isError && { isError: true }),
    ...(view !== undefined && { view: toJson(view) }),
    ...(untrusted === false && { untrusted }),
    ...(stop && { stop: sealStop(stop) }),
  }
}

/** Whatever a stranger's layer put there, it meant an end. */
export function sealStop(stop: Stop): Stop {
  return { by: stop.by === 'loop' ? 'loop' : 'guard', reason: String(stop.reason ?? 'no reason was given') }
}

/** What is told to the model of a thrown value. No stack: it says nothing to a model and much to a stranger. */
export function describeError(error: unknown): string {
  try {
    if (error instanceof AggregateError && !error.message) return error.errors.map(describeError).join('; ')
    if (error instanceof Error) return String(error.message || error.name)
    if (isRecord(error) && typeof error.message === 'string') return error.message
    if (error === undefined) return 'unknown error (undefined was thrown)'
    return typeof error === 'string' ? error : textOfJson(toJson(error))
  } catch {
    return 'unknown error (what was thrown cannot be read)'
  }
}

/** `value` as content: texts and parts as they are, all else as JSON. */
export function toContent(value: unknown): Content {
  if (typeof value === 'string') return value.toWellFormed()
  if (value === undefined) return 'Done. The tool returned nothing.'
  if (isContentPart(value)) return [{ ...value }]
  if (Array.isArray(value) && value.length > 0 && value.every(isContentPart)) return value.map((part) => ({ ...part }))
  if (value instanceof Error) return `Error: ${describeError(value)}`
  return textOfJson(toJson(value))
}

function textOfJson(json: Json): string {
  return typeof json === 'string' ? json : JSON.stringify(json)
}

/**
 * `value` as JSON: BigInt as digits, Map as object, Set as array, bytes and functions by name, a cycle as "[circular]".
 * What throws when it is read says so in its place.
 */
export function toJson(value: unknown): Json {
  try {
    return convert(value, [], { left: maxValues })
  } catch (error) {
    return `[unreadable value: ${describeError(error)}]`
  }
}

/** Objects that refer to one another can unfold into more than there is memory for. */
const maxValues = 1_000_000
type Budget = { left: number }

function convert(value: unknown, above: object[], budget: Budget): Json {
  if (budget.left-- <= 0) return '[…]'
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
  if (value instanceof Map) return convertEntries(value.entries(), inside, budget)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (value instanceof Error) return `Error: ${describeError(value)}`
  if ('toJSON' in value && typeof value.toJSON === 'function') return convert(value.toJSON(), inside, budget)
  if (value instanceof Number || value instanceof String || value instanceof Boolean) {
    return convert(value.valueOf(), inside, budget)
  }
  if (Array.isArray(value)) return value.map((item) => convert(item, inside, budget))
  if (value instanceof Set) return [...value].map((item) => convert(item, inside, budget))
  if (Symbol.iterator in value) return takeSome(value as Iterable<unknown>).map((item) => convert(item, inside, budget))
  return convertEntries(Object.entries(value), inside, budget)
}

/** An iterator may have no end. */
function takeSome(items: Iterable<unknown>, most = 10_000): unknown[] {
  const taken: unknown[] = []
  for (const item of items) {
    if (taken.length >= most) {
      taken.push('[…]')
      break
    }
    taken.push(item)
  }
  return taken
}

function convertEntries(entries: Iterable<[unknown, unknown]>, inside: object[], budget: Budget): Json {
  const pairs: [string, Json][] = []
  for (const [key, item] of entries) if (item !== undefined) pairs.push([String(key), convert(item, inside, budget)])
  return Object.fromEntries(pairs)
}

/** Text beyond `maxChars` is left out, and the model is told how much there was. Images and files count as nothing. */
function cut(content: Content, maxChars: number): Content {
  if (typeof content === 'string') return cutText(content, maxChars)
  const total = content.reduce((sum, part) => sum + (part.type === 'text' ? part.text.length : 0), 0)
  if (total <= maxChars) return content
  let left = maxChars
  const kept = content.flatMap((part): ContentPart[] => {
    if (part.type !== 'text') return [part]
    const text = part.text.slice(0, left).toWellFormed()
    left -= text.length
    return text === '' ? [] : [{ type: 'text', text }]
  })
  return [...kept, { type: 'text', text: cutNote(maxChars, total) }]
}

/** The beginning of `text`, and how much it was. */
export function cutText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const kept = text.slice(0, maxChars).toWellFormed()
  return `${kept}\n${cutNote(maxChars, text.length)}`
}

function cutNote(kept: number, total: number): string {
  const count = (n: number) => n.toLocaleString('en-US')
  return `[Cut: the first ${count(kept)} of ${count(total)} characters. Ask for less, or for one part.]`
}

function isTold(value: unknown): value is { content: unknown; view?: unknown; untrusted?: false } {
  if (!isRecord(value) || !('content' in value)) return false
  const beside = Object.keys(value).filter((key) => key !== 'content')
  const isOne = (key: string) => key === 'view' || (key === 'untrusted' && value.untrusted === false)
  return beside.length > 0 && beside.every(isOne)
}

function isRecord(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
