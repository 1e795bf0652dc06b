/** Token counts of the local server: four characters a token, priced as the default model. */
import type { LocalAnswer, WireCallOut } from './reply.ts'

const usdPerInputToken = 0.1e-6
const usdPerOutputToken = 0.15e-6

/** Cached is what the request shares with the one before, byte for byte from its beginning. */
export function countUsage(body: string, bodyBefore: string, answer: LocalAnswer, calls: WireCallOut[]): object {
  const reasoning = tokens(JSON.stringify(answer.reasoningDetails ?? '').length - 2)
  const completion =
    reasoning +
    tokens((answer.text ?? '').length) +
    calls.reduce((sum, call) => sum + tokens(call.function.arguments.length + call.function.name.length), 0)
  const prompt = tokens(body.length)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    cost: prompt * usdPerInputToken + completion * usdPerOutputToken,
    is_byok: false,
    prompt_tokens_details: {
      cached_tokens: Math.min(prompt, Math.floor(sharedLength(body, bodyBefore) / 4)),
      cache_write_tokens: 0,
    },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
}

function tokens(characters: number): number {
  return Math.ceil(Math.max(characters, 0) / 4)
}

function sharedLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}
