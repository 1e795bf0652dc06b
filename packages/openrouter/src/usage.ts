/** Usage as OpenRouter and its like report it (section 11 of the wire contract), as Clew counts it. */
import type { Usage } from '@clew/core'
import { fieldsOf } from './json.ts'

/** `undefined` when it tells no tokens; missing details count as 0. */
export function readUsage(usage: unknown): Usage | undefined {
  const { prompt_tokens, completion_tokens, cost, prompt_tokens_details, completion_tokens_details } = fieldsOf(usage)
  if (numberIn(prompt_tokens) === undefined && numberIn(completion_tokens) === undefined) return undefined
  const usd = numberIn(cost)
  return {
    requests: 1,
    inputTokens: count(prompt_tokens),
    outputTokens: count(completion_tokens),
    cachedTokens: count(fieldsOf(prompt_tokens_details).cached_tokens),
    cacheWriteTokens: count(fieldsOf(prompt_tokens_details).cache_write_tokens),
    reasoningTokens: count(fieldsOf(completion_tokens_details).reasoning_tokens),
    ...(usd !== undefined && usd >= 0 && { usd }),
  }
}

function count(value: unknown): number {
  return Math.max(0, numberIn(value) ?? 0)
}

/** Some servers write their numbers as texts. */
function numberIn(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}
