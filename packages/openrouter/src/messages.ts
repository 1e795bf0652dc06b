/**
 * The history as it stands on the wire (sections 5, 6.4 and 13 of the wire contract). Each message is serialised once
 * and kept by identity, so that the messages of turn n + 1 begin with the very text of turn n.
 */
import type { AssistantMessage, Content, Json, Message, ToolMessage } from '@clew/core'
import { InputError, textOf } from '@clew/core'
import { markedPositions, type toMark, withMark } from './cache-control.ts'
import { familyOf } from './family.ts'
import { isObject } from './json.ts'
import { checkMedia } from './media.ts'
import { mediaOf, wireContent, wirePart, withoutMedia } from './parts.ts'
import type { Profile } from './profile.ts'
import { sendableDetails } from './reasoning-sent.ts'

export type MessageOptions = {
  model: string
  fallbacks: readonly string[]
  profile: Profile
  mark: ReturnType<typeof toMark>
  /** The kinds of input that the model is known to take. */
  takes: readonly string[] | undefined
}

/** An entry of `messages`: its text, where that was made before, or how to make it, and where to keep it then. */
type Entry = { role: string; text: string } | Unmade
type Unmade = {
  role: string
  text?: undefined
  wire: () => object
  kept?: [texts: WeakMap<Message, string>, by: Message]
}

export class MessageEncoder {
  readonly #options: MessageOptions
  readonly #encoded = new WeakMap<Message, string>()
  readonly #encodedMedia = new WeakMap<Message, string>()
  /** Messages whose reasoning was refused: by the id of their generation, because middleware may copy them. */
  readonly #refused = new WeakSet<Message>()
  readonly #refusedIds = new Set<string>()

  constructor(options: MessageOptions) {
    this.#options = options
  }

  /** @throws InputError for a history that no provider takes */
  encode(system: string, messages: readonly Message[]): string[] {
    const entries = this.#entries(system, messages)
    if (!entries.some(({ role }) => role === 'user')) {
      throw new InputError(
        'The history has no user message, and models refuse to answer nobody. Keep at least the last one when you shorten a history.',
      )
    }
    const { mark } = this.#options
    const marked = mark ? markedPositions(entries.map(({ role }) => role)) : []
    return entries.map((entry, at) => {
      if (entry.text !== undefined) return entry.text
      return mark && marked.includes(at) ? JSON.stringify(withMark(entry.wire() as never, mark)) : textOfEntry(entry)
    })
  }

  /** The details that go back with a message. */
  details(message: AssistantMessage): readonly Json[] | undefined {
    const { model, fallbacks, profile } = this.#options
    const id = message.source?.generationId
    const isRefused = id === undefined ? this.#refused.has(message) : this.#refusedIds.has(id)
    if (profile.reasoningOut !== 'reasoning_details' || isRefused) return undefined
    return sendableDetails(message, model, fallbacks)
  }

  /** An upstream refused them: from now on they stay behind. Returns whether there were any. */
  withholdDetails(messages: readonly Message[]): boolean {
    let found = false
    for (const message of messages) {
      if (message.role !== 'assistant' || !this.details(message)?.length) continue
      if (message.source?.generationId === undefined) this.#refused.add(message)
      else this.#refusedIds.add(message.source.generationId)
      this.#encoded.delete(message)
      found = true
    }
    return found
  }

  /** One system message at most, and first (section 13): what later ones say is user text. */
  #entries(system: string, messages: readonly Message[]): Entry[] {
    const leading = messages.findIndex((message) => message.role !== 'system')
    const rest = leading === -1 ? [] : messages.slice(leading)
    const before = messages.slice(0, messages.length - rest.length).map((message) => textOf(message.content))
    const systemText = [system, ...before].filter((text) => text).join('\n\n')
    const entries: Entry[] =
      systemText === '' ? [] : [{ role: 'system', wire: () => ({ role: 'system', content: systemText }) }]
    let turn: AssistantMessage | undefined
    let media: ToolMessage[] = []
    for (const [at, message] of rest.entries()) {
      if (isNothing(message)) continue
      if (message.role === 'assistant') turn = message
      const calls = turn?.toolCalls
      const role = message.role === 'system' ? 'user' : message.role
      // A message that may be marked is made anew.
      const text = this.#options.mark ? undefined : this.#encoded.get(message)
      if (text !== undefined) entries.push({ role, text })
      else entries.push({ role, wire: () => this.#toWire(message, at, calls), kept: [this.#encoded, message] })
      if (message.role === 'tool' && this.#movesMedia(message.content)) media.push(message)
      if (media.length > 0 && rest[at + 1]?.role !== 'tool') {
        const results = media
        const [first] = results
        // Kept for a single result only: one of several may be another next time.
        entries.push({
          role: 'user',
          wire: () => mediaOf(results),
          ...(first && results.length === 1 && { kept: [this.#encodedMedia, first] }),
        })
        media = []
      }
    }
    return entries
  }

  #toWire(message: Message, at: number, calls: AssistantMessage['toolCalls']): object {
    const { model, takes } = this.#options
    checkMedia(message.content, `Message ${at} (${message.role})`, { model, takes })
    switch (message.role) {
      case 'system':
        return { role: 'user', content: message.content }
      case 'user':
        return { role: 'user', content: wireContent(message.content) }
      case 'assistant':
        return this.#wireAssistant(message)
      case 'tool': {
        const wireId = calls?.find((call) => call.id === message.callId)?.wireId ?? message.callId
        const content = this.#movesMedia(message.content) ? withoutMedia(message.content) : message.content
        return { role: 'tool', tool_call_id: wireId, content: wireContent(content) }
      }
    }
  }

  /** Exactly what section 5.2 asks for: content (null beside calls where there is none), reasoning, calls. Nothing computed. */
  #wireAssistant(message: AssistantMessage): object {
    const { content, reasoning, annotations, toolCalls } = message
    const { reasoningOut, openRouterFields } = this.#options.profile
    const text = textOf(content)
    const images = typeof content === 'string' ? [] : content.filter((part) => part.type === 'image')
    const details = this.details(message)
    // A parsed file comes with its annotation back, so that it is not parsed, and paid for, again.
    const files = openRouterFields ? annotations?.filter(isFileAnnotation) : undefined
    return {
      role: 'assistant',
      content: text === '' && toolCalls ? null : text,
      ...(images.length > 0 && openRouterFields && { images: images.map(wirePart) }),
      ...(files && files.length > 0 && { annotations: files }),
      ...(details && { reasoning_details: details }),
      ...(reasoning &&
        (reasoningOut === 'reasoning' || reasoningOut === 'reasoning_content') && { [reasoningOut]: reasoning }),
      ...(toolCalls && {
        tool_calls: toolCalls.map(({ wireId, name, arguments: text }) => ({
          id: wireId,
          type: 'function',
          function: { name, arguments: text },
        })),
      }),
    }
  }

  /** Claude takes images in a tool result; of others it is not known, so theirs follow in a user message (section 5.1). */
  #movesMedia(content: Content): boolean {
    if (typeof content === 'string' || content.every((part) => part.type === 'text')) return false
    const { model, profile } = this.#options
    const takesImages = profile.openRouterFields && familyOf(model) === 'claude'
    return !takesImages || content.some((part) => part.type !== 'text' && part.type !== 'image')
  }
}

/** An answer without a word; some providers refuse it in a history. */
function isNothing(message: Message): boolean {
  if (message.role !== 'assistant' || message.content.length > 0) return false
  return !message.toolCalls?.length && !message.reasoningDetails?.length
}

function textOfEntry({ wire, kept }: Unmade): string {
  if (!kept) return JSON.stringify(wire())
  const [texts, key] = kept
  let text = texts.get(key)
  if (text === undefined) {
    text = JSON.stringify(wire())
    texts.set(key, text)
  }
  return text
}

function isFileAnnotation(annotation: Json): boolean {
  return isObject(annotation) && annotation.type === 'file'
}
