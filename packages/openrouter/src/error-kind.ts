/** What a program can act on in an error: a history that is too long, or too many requests (section 10.2 of the wire contract). */
import type { ModelErrorDetails } from '@clew/core'

/** The words that providers have for it. Each is about the whole prompt: a single image or `max_tokens` is another matter. */
const overflowWords = [
  /maximum (context|prompt) length/,
  /context[ _-]?(length|window|size)[ _](exceed|is too|overflow)|exceeds?( the| your| this model's| the model's)?( available| maximum)? context/,
  /exceed\w* (the |its |max(imum)? )*(context|model token) (length|window|size|limit)/,
  /reduce the length of the (messages|prompt|input)/,
  /(prompt|input|request|messages?)( is| are|:)? too (long|large for)/,
  /(prompt|input) token count.*exceeds/,
  /too large for model with \d+ maximum context/,
  /greater than the context length/,
  /longer than the (model's )?context/,
  /token limit (reached|exceeded)|exceeded model token limit|too many (input |prompt |total )?tokens(?! per)/,
  /(maximum|max) (allowed )?(input|model) length|(prompt|input)( \(.*\))? (is too long|exceeds max(imum)? length)/,
  /context size has been exceeded|context limit of \d|range of input length should be/,
  /\d+ output tokens and your prompt contains|loaded with (a )?context length of/,
  /inputs?`? (tokens \+ `?max_new_tokens`? must be|must have less than \d+ tokens)/,
  // Cerebras says nothing at all.
  /^4(00|13) status code \(no body\)/,
]
const overflowTypes = [
  'context_length_exceeded',
  'token_limit_exceeded',
  'model_context_window_exceeded',
  'exceed_context_size_error',
  'request_too_large',
]
/** Statuses under which a provider says that the request itself is wrong. */
const mayOverflow = [undefined, 400, 413, 422, 500]

/** `text` is the message and the upstream's own words. */
export function errorKind(error: {
  status: number | undefined
  code: unknown
  types: unknown[]
  text: string
}): ModelErrorDetails['kind'] {
  const { status, code, types, text } = error
  if (status === 429 || types.includes('rate_limit_exceeded')) return 'rate-limit'
  if (!mayOverflow.includes(status)) return undefined
  const words = text.toLowerCase()
  if (/rate limit|too many requests|throttling|requests per|tokens per (min|day)/.test(words)) return undefined
  const isOverflow =
    [code, ...types].some((type) => typeof type === 'string' && overflowTypes.includes(type)) ||
    overflowTypes.some((type) => words.includes(type)) ||
    overflowWords.some((pattern) => pattern.test(words))
  return isOverflow ? 'context-overflow' : undefined
}
