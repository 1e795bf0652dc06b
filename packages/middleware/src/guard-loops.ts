/** `guardLoops` notices a model that makes the same call again and again: it tells the model first, then ends the run. */
import type { AssistantMessage, Message, Middleware, ToolCall, ToolMessage } from '@clew/core'
import { DefinitionError } from '@clew/core'
import { canonicalJson } from './canonical-json.ts'

export type GuardLoopsOptions = {
  /** From this many times on the model reads beside the result that it repeats itself. Default 3. */
  tell?: number
  /** After this many times the model is asked once more, with no tool to call, and the run is `stopped` by `loop`. Default 5. */
  stop?: number
}

/**
 * Counts how often a call came to the same result, since the last user message. A call is the same when tool and
 * arguments are, whatever the order of their keys; other calls in between change nothing, another result begins anew
 * (polling is no loop). Calls of one turn count once: the model made them before it saw a result.
 *
 * It counts in the history that is sent, and keeps no state: what waited, crashed or was loaded elsewhere counts, and so
 * does a call that never ran, because its arguments were wrong. The notes are in the requests, not in the log.
 * @throws DefinitionError when a number is no whole number, `tell` is below 2, or `stop` is not above `tell`.
 */
export function guardLoops({ tell = 3, stop = 5 }: GuardLoopsOptions = {}): Middleware {
  if (!Number.isInteger(tell) || !(Number.isInteger(stop) || stop === Number.POSITIVE_INFINITY)) {
    throw new DefinitionError(`guardLoops: tell is ${tell} and stop is ${stop}; give whole numbers.`)
  }
  if (tell < 2 || stop <= tell) {
    throw new DefinitionError(`guardLoops: tell is ${tell} and stop is ${stop}; it needs 2 <= tell < stop.`)
  }
  return {
    name: 'guard-loops',
    async *model(request, next) {
      const repeats = findRepeats(request.messages)
      const messages = request.messages.map((message) => {
        const count = repeats.get(message) ?? 0
        return count >= tell ? withNote(message as ToolMessage, count >= stop ? lastNote(count) : note(count)) : message
      })
      const worst = newResults(request.messages)
        .map((message) => ({ name: message.name, count: repeats.get(message) ?? 0 }))
        .find(({ count }) => count >= stop)
      if (!worst) return yield* next({ ...request, messages })
      const reply = yield* next({ ...request, messages, ...(request.tools.length > 0 && { toolChoice: 'none' }) })
      const reason = `the same call of "${worst.name}" had the same result ${worst.count} times`
      return { ...reply, stop: reply.stop ?? { by: 'loop', reason } }
    },
  }
}

const note = (count: number) =>
  `[You have made this call ${count} times with the same result. Try something else or answer.]`
const lastNote = (count: number) =>
  `[You have made this call ${count} times with the same result. Answer with what you have.]`

/** How many times in a row each result repeats the last one of the same call. */
function findRepeats(messages: readonly Message[]): Map<Message, number> {
  const repeats = new Map<Message, number>()
  let seen = new Map<string, { result: string; count: number; turn: AssistantMessage }>()
  let turn: AssistantMessage | undefined
  for (const message of messages) {
    if (message.role === 'user') seen = new Map()
    if (message.role === 'assistant') turn = message
    if (message.role !== 'tool') continue
    const call = turn?.toolCalls?.find(({ id }) => id === message.callId)
    if (!turn || !call) continue
    const key = textOfCall(call)
    const result = textOfResult(message)
    const last = seen.get(key)
    const count = last?.result !== result ? 1 : last.turn === turn ? last.count : last.count + 1
    seen.set(key, { result, count, turn })
    repeats.set(message, count)
  }
  return repeats
}

/** The results that the model has not seen yet. */
function newResults(messages: readonly Message[]): ToolMessage[] {
  return messages.slice(messages.findLastIndex((message) => message.role !== 'tool') + 1) as ToolMessage[]
}

/** Messages never change, and every request of a run compares them again. */
const resultTexts = new WeakMap<Message, string>()

function textOfResult(message: ToolMessage): string {
  let text = resultTexts.get(message)
  if (text === undefined) {
    const { content } = message
    text = `${message.isError ? 'error' : 'ok'} ${typeof content === 'string' ? canonical(content) : JSON.stringify(content)}`
    resultTexts.set(message, text)
  }
  return text
}

/** By what the model wrote: two calls that could not be read both stand as `{}` in the history. */
function textOfCall({ name, arguments: given, raw }: ToolCall): string {
  return `${raw?.name ?? name}\n${canonical(raw?.arguments ?? given)}`
}

/** The canonical form of a JSON text; what is none, or has none, is compared as it stands. */
function canonical(text: string): string {
  try {
    return canonicalJson(JSON.parse(text))
  } catch {
    return text
  }
}

/** The same object for the same result and note, so that its encoded form can be kept. */
const noted = new WeakMap<Message, { text: string; message: ToolMessage }>()

function withNote(message: ToolMessage, text: string): ToolMessage {
  const known = noted.get(message)
  if (known?.text === text) return known.message
  const { content } = message
  const told: ToolMessage = {
    ...message,
    content: typeof content === 'string' ? `${content}\n\n${text}` : [...content, { type: 'text', text }],
  }
  noted.set(message, { text, message: told })
  return told
}
