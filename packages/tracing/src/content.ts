/**
 * What was said, as the conventions write it: messages with parts, as JSON in an attribute. Redacted before it is cut, and
 * valid however much is cut. Signed and encrypted reasoning is never in it.
 */
import type { Content, ContentPart, FinishReason, Json, Message, ToolSpec } from '@clew/core'

export type ContentOptions = {
  /** Sees every text, also in arguments and results, and gives what is shown; `redactor().text` of `@clew/middleware` fits. */
  redact?: (text: string) => string
  /** Characters of an attribute. Default 32,000. */
  maxChars?: number
}

type Part = { type: string; [key: string]: Json }
type Said = { role: string; parts: Part[]; finish_reason?: string }

/** An attribute's text, or nothing where redaction failed: what it was to take out is not shown. */
type Shown = string | undefined

export class ContentWriter {
  readonly #redact: (text: string) => string
  readonly #maxChars: number

  constructor({ redact = (text) => text, maxChars = 32_000 }: ContentOptions) {
    this.#redact = redact
    this.#maxChars = maxChars
  }

  input(messages: readonly Message[]): Shown {
    return this.#show(() =>
      this.#list(
        messages.map((message) => this.#said(message)),
        (left) => ({ role: 'user', parts: [leftOut(left)] }),
      ),
    )
  }

  output(message: Message, reason: FinishReason): Shown {
    return this.#show(() => this.#list([{ ...this.#said(message), finish_reason: finishWord(reason) }]))
  }

  instructions(text: string | undefined): Shown {
    return text === undefined ? undefined : this.#show(() => this.#list(this.#texts(text)))
  }

  tools(specs: readonly ToolSpec[]): Shown {
    if (specs.length === 0) return undefined
    return this.#show(() => {
      const definitions = specs.map(({ name, description, parameters }) => ({
        type: 'function',
        name,
        ...(description !== undefined && { description: this.#redact(description) }),
        parameters: this.#clean(parameters as Json),
      }))
      const whole = JSON.stringify(definitions)
      // Half a schema is none: where they are too much, their names are left.
      return whole.length <= this.#maxChars ? whole : this.#list(definitions.map(({ type, name }) => ({ type, name })))
    })
  }

  /** Arguments: JSON. */
  json(value: Json): Shown {
    return this.#show(() => {
      const clean = this.#clean(value)
      return this.#fit(clean) ?? this.#fit({ cut: JSON.stringify(clean) })
    })
  }

  result(content: Content): Shown {
    if (typeof content === 'string') return this.text(content)
    return this.#show(() => this.#list(content.map((part) => this.#part(part))))
  }

  text(text: string): Shown {
    return this.#show(() => cut(this.#redact(text), this.#maxChars))
  }

  #show(write: () => Shown): Shown {
    try {
      return write()
    } catch {
      return undefined
    }
  }

  /** What came last says most: where shorter texts are not enough, the first of the list are left out. */
  #list(list: Json[], note: (left: number) => Json = leftOut): Shown {
    for (let left = 0; left < list.length; left += Math.ceil((list.length - left) / 2)) {
      const shown = this.#fit(left === 0 ? list : [note(left), ...list.slice(left)])
      if (shown !== undefined) return shown
    }
    return '[]'
  }

  /** With texts as long as they can be; nothing when even short ones are too much. */
  #fit(value: Json): Shown {
    const whole = JSON.stringify(value)
    if (whole.length <= this.#maxChars) return whole
    for (let chars = this.#maxChars; chars >= 64; chars /= 2) {
      const shown = JSON.stringify(mapTexts(value, (text) => cut(text, Math.floor(chars))))
      if (shown.length <= this.#maxChars) return shown
    }
    return undefined
  }

  #clean(value: Json): Json {
    return mapTexts(value, this.#redact)
  }

  #texts(text: string): Part[] {
    return text === '' ? [] : [{ type: 'text', content: this.#redact(text) }]
  }

  #said(message: Message): Said {
    const { role, content } = message
    const parts = typeof content === 'string' ? this.#texts(content) : content.map((part) => this.#part(part))
    if (message.role === 'tool') {
      const response = typeof content === 'string' ? this.#redact(content) : parts
      return { role, parts: [{ type: 'tool_call_response', id: message.callId, response }] }
    }
    if (message.role !== 'assistant') return { role, parts }
    const { reasoning, refusal, toolCalls = [] } = message
    const calls = toolCalls.map(({ id, name, arguments: text }) => ({
      type: 'tool_call',
      id,
      name,
      arguments: this.#clean(JSON.parse(text) as Json),
    }))
    return {
      role,
      parts: [
        ...(reasoning ? [{ type: 'reasoning', content: this.#redact(reasoning) }] : []),
        ...parts,
        ...(refusal ? this.#texts(refusal) : []),
        ...calls,
      ],
    }
  }

  /** Bytes are not shown, only how many characters they are. */
  #part(part: ContentPart): Part {
    switch (part.type) {
      case 'text':
        return { type: 'text', content: this.#redact(part.text) }
      case 'audio':
        return { type: 'audio', format: part.format, chars: part.data.length }
      case 'file':
        return { ...this.#link(part.data, 'document'), filename: this.#redact(part.filename) }
      default:
        return this.#link(part.url, part.type)
    }
  }

  #link(url: string, modality: string): Part {
    if (!url.startsWith('data:')) return { type: 'uri', modality, uri: this.#redact(url) }
    return { type: modality, mime_type: url.slice(5).split(/[;,]/, 1)[0] ?? '', chars: url.length }
  }
}

export function finishWord(reason: FinishReason): string {
  const words: { [Reason in FinishReason]: string } = {
    stop: 'stop',
    'tool-calls': 'tool_call',
    length: 'length',
    'content-filter': 'content_filter',
    other: 'other',
  }
  return words[reason] ?? 'other'
}

const leftOut = (left: number): Part => ({ type: 'cut', content: `The first ${left} are left out.` })

function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const note = `[Cut: ${text.length} characters.]`
  return `${text.slice(0, Math.max(0, maxChars - note.length)).toWellFormed()}${note}`
}

function mapTexts(value: Json, map: (text: string) => string): Json {
  if (typeof value === 'string') return map(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [map(key), mapTexts(item, map)]))
}
