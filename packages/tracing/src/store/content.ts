/** `splitContent()`: what was said leaves the attributes, which stay short; `joinContent()` puts it back. */
import type { Attributes, AttributeValue, SpanEvent } from './span.ts'

/** A value that is longer than this, in characters, is content whatever its name. */
const longChars = 1000

/** By the conventions for generative AI; they may hold what a person said, and are long as a rule. */
const contentNames = new Set([
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
])

/** `text` is JSON unless `isText`. */
export type Piece = { name: string; isText: boolean; text: string }

/** Pieces of an event are named `event 0 NAME`. */
export function splitContent(attributes: Attributes, events: readonly SpanEvent[]) {
  const pieces: Piece[] = []
  const take = (from: Attributes, prefix: string): Attributes => {
    const short: Attributes = {}
    for (const [name, value] of Object.entries(from)) {
      const text = longTextOf(name, value)
      if (text === undefined) short[name] = value
      else pieces.push({ name: prefix + name, isText: typeof value === 'string', text })
    }
    return short
  }
  const shortAttributes = take(attributes, '')
  const shortEvents = events.map((event, index) =>
    event.attributes ? { ...event, attributes: take(event.attributes, `event ${index} `) } : event,
  )
  return { attributes: shortAttributes, events: shortEvents, pieces }
}

export function joinContent(attributes: Attributes, events: readonly SpanEvent[], content: Attributes) {
  const whole = { ...attributes }
  const wholeEvents = events.map((event) => ({ ...event }))
  for (const [name, value] of Object.entries(content)) {
    const [, index, rest] = /^event (\d+) ([\s\S]*)$/.exec(name) ?? []
    const event = index === undefined ? undefined : wholeEvents[Number(index)]
    if (event) event.attributes = { ...event.attributes, [rest as string]: value }
    else whole[name] = value
  }
  return { attributes: whole, events: wholeEvents }
}

function longTextOf(name: string, value: AttributeValue): string | undefined {
  const isContent = contentNames.has(name)
  if (typeof value === 'string') return isContent || value.length > longChars ? value : undefined
  if (typeof value !== 'object' || value === null) return undefined
  const text = JSON.stringify(value)
  return isContent || text.length > longChars ? text : undefined
}
