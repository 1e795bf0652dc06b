/**
 * Without a key: a model on this machine with a context of 2,000 tokens, which refuses what is longer, as providers do. It knows
 * how to look up a timetable, how to keep what sounds like a fact, and how to find one again. It is no neural network.
 */
import type { ChatRequest, Respond } from '@clew/testing'
import { contextTokens } from './guide.ts'

/** How many requests were refused as too long, and the longest that was not. */
export const seen = { refused: 0, longest: 0 }

export const practice: Respond = (request) => {
  const tokens = tokensOf(request)
  if (tokens > contextTokens) {
    seen.refused += 1
    const message = `This endpoint's maximum context length is ${contextTokens} tokens. However, you requested about ${tokens} tokens.`
    return { status: 400, error: { message, code: 400 } }
  }
  seen.longest = Math.max(seen.longest, tokens)
  const usage = { prompt_tokens: tokens, completion_tokens: 40, total_tokens: tokens + 40, cost: 0 }
  const last = wordsOf(request.messages.at(-1))
  if (last.startsWith('<transcript>')) return { text: summaryOf(last), usage }
  const day = /trains on day (\d+)/.exec(last)?.[1]
  if (request.messages.at(-1)?.role === 'user' && day) {
    return { calls: [{ name: 'timetable', arguments: { day: Number(day) } }], usage }
  }
  if (/Who .*\?$/.test(last)) return { text: recalled(request), usage }
  return { text: `Noted. ${'One could say a lot about this. '.repeat(8)}`, usage }
}

/** About one token for four characters. */
const tokensOf = ({ messages, tools }: ChatRequest) => Math.ceil(JSON.stringify([messages, tools]).length / 4)

function wordsOf(message: ChatRequest['messages'][number] | undefined): string {
  return typeof message?.content === 'string' ? message.content : JSON.stringify(message?.content ?? '')
}

const facts = /My [a-z ]+ is called [A-Z]\w+\./g

function summaryOf(transcript: string): string {
  const kept = [...new Set(transcript.match(facts) ?? [])]
  return `The user plans a journey by train and looks at timetables. ${kept.join(' ')}`
}

function recalled({ messages }: ChatRequest): string {
  const found = messages.map(wordsOf).join('\n').match(facts)
  return found ? `You said: "${found[0]}"` : 'You have not told me.'
}
