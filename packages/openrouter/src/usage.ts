/** Usage as OpenRouter and its like report it (section 11 of the wire contract), as Clew counts it. */
import type { Usage } from '@clew/core'
import { fieldsOf } from './json.ts'

/** `undefined` when it tells no tokens; missing details count as 0. */
export function readUsage(usage: unknown): Usage | undefined {
  const { prompt_tokens, completion_tokens, cost, prompt_tokens_details, completion_tokens_details } = fieldsOf(usage)
  if (typeof prompt_tokens !== 'number' && typeof completion_tokens !== 'number') return undefined
  return {
    requests: 1,
    inputTokens: count(prompt_tokens),
    outputTokens: count(completion_tokens),
    cachedTokens: count(fieldsOf(prompt_tokens_details).cached_tokens),
    cacheWriteTokens: count(fieldsOf(prompt_tokens_details).cache_write_tokens),
    reasoningTokens: count(fieldsOf(completion_tokens_details).reasoning_tokens),
    ...(typeof cost === 'number' && Number.isFinite(cost) && cost >= 0 && { usd: cost }),
  }
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}
