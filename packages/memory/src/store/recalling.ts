/** `recalling()`: the middleware that puts what memory knows of the user's words behind them. */
import { type Message, type Middleware, type ModelRequest, textOf, type UserMessage } from '@clew/core'
import type { Memory } from './memory.ts'
import { checkRecallLimit, find, quote, type RecallOptions } from './recall.ts'

/**
 * For `new Agent({ use: [recalling(memory)] })`. Behind the last message of the user the model reads what was found for it:
 * quoted, with the sources, and not part of the conversation, whose log and history stay as they are. It is looked up once
 * for each message, so that all requests of a run begin alike. A memory that fails leaves the request as it is.
 * @throws DefinitionError for a wrong limit
 */
export function recalling(memory: Memory, { embed, limit = 8 }: RecallOptions = {}): Middleware {
  checkRecallLimit('recalling', limit)
  const known = new WeakMap<Message, Promise<UserMessage | undefined>>()

  async function quotedFor(message: Message, signal: AbortSignal): Promise<UserMessage | undefined> {
    const text = textOf(message.content)
    if (text.trim() === '') return undefined
    try {
      const { found } = await find(memory, embed, { text, limit }, signal)
      return found.length === 0 ? undefined : { role: 'user', content: quote(found, limit) }
    } catch {
      return undefined
    }
  }

  return {
    name: 'recalling',
    async *model(request: ModelRequest, next) {
      const at = request.messages.findLastIndex(({ role }) => role === 'user')
      const message = request.messages[at]
      if (!message) return yield* next(request)
      const quoted = known.get(message) ?? quotedFor(message, request.signal)
      known.set(message, quoted)
      const found = await quoted
      if (!found) return yield* next(request)
      return yield* next({ ...request, messages: request.messages.toSpliced(at + 1, 0, found) })
    },
  }
}
