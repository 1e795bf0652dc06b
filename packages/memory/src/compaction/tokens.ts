/**
 * `estimateTokens()`: about how many tokens a request has, by its characters; no tokenizer, the same on every machine.
 *
 * Each figure leans to the high side, since a request that is too long is refused and one that is a little short costs
 * nothing. What providers write around tools is not counted: 500 to 600 tokens with Claude and 100 to 300 with Qwen and
 * DeepSeek in recorded answers, once a request. Where the provider has told the size of an earlier request,
 * `estimateNextTokens()` builds on that, and so has all of it.
 */
import type { Content, ContentPart, Message, ToolSpec } from '@clew/core'

/**
 * ASCII: the tokenizers in use need one token for about four characters of English prose and for about three of JSON
 * and code. 3.5 stands between them.
 */
const asciiPerToken = 3.5
/** Accented Latin, Greek, Cyrillic, Hebrew, Arabic (below U+0900): about two characters a token. */
const alphabetPerToken = 2
/**
 * Everything above: Chinese, Japanese, Korean, the scripts of India and South-East Asia, symbols: one token a UTF-16 unit,
 * so two for an emoji. Newer tokenizers need less for common words, none needs much more.
 */
const firstOfWholeTokens = 0x0900

/** Role and separators: chat templates spend three to five tokens on a message, the ids and brackets of a call about ten. */
const perMessage = 4
const perCall = 10
/** The brackets around a tool's name, description and schema. */
const perTool = 10

/**
 * Flat figures, since the size of what stands behind a URL is not known. They are stated, not measured: a picture of a
 * million pixels is 750 to 1,600 tokens in the sizing rules that providers publish; a file is counted as a text of a few
 * pages, audio as about a minute, video as about twenty seconds. What a long one costs shows in the next reported usage.
 */
const perPart: { [type in Exclude<ContentPart['type'], 'text'>]: number } = {
  image: 1_500,
  file: 3_000,
  audio: 1_500,
  video: 5_000,
}

/** What a model request is made of, as far as it has a size. */
export type RequestParts = {
  messages: readonly Message[]
  instructions?: string
  tools: readonly ToolSpec[]
}

/** About how many tokens the whole request has: instructions, tools and messages. A whole number. */
export function estimateTokens({ messages, instructions, tools }: RequestParts): number {
  return (
    estimateInstructions(instructions) + estimateTools(tools) + sum(messages.map((message) => estimateMessage(message)))
  )
}

/**
 * About how many tokens the next request has, when the provider told the size of an earlier one: what it told
 * (`inputTokens`) for the first `messages` messages, and the estimate of those that came after. Instructions and tools
 * are part of what was told. Holds only while those first messages are the same: after a compaction, estimate anew.
 */
export function estimateNextTokens(
  known: { inputTokens: number; messages: number },
  messages: readonly Message[],
): number {
  return known.inputTokens + sum(messages.slice(known.messages).map((message) => estimateMessage(message)))
}

/** A message with its calls and reasoning. Reasoning details count with their JSON text, or else the reasoning's text. */
export function estimateMessage(message: Message): number {
  const tokens = perMessage + estimateContent(message.content)
  if (message.role !== 'assistant') return tokens
  const { toolCalls = [], reasoningDetails, reasoning = '' } = message
  const calls = toolCalls.map((call) => perCall + estimateText(call.name) + estimateText(call.arguments))
  const thoughts = reasoningDetails ? reasoningDetails.map((detail) => JSON.stringify(detail)) : [reasoning]
  return tokens + sum(calls) + sum(thoughts.map(estimateText))
}

export function estimateInstructions(instructions = ''): number {
  return instructions === '' ? 0 : perMessage + estimateText(instructions)
}

/** Name, description and JSON parameters of each. */
export function estimateTools(tools: readonly ToolSpec[]): number {
  return sum(
    tools.map(
      ({ name, description = '', parameters }) =>
        perTool + estimateText(name) + estimateText(description) + estimateText(JSON.stringify(parameters)),
    ),
  )
}

/** Text alone, rounded up. */
export function estimateText(text: string): number {
  let ascii = 0
  let alphabet = 0
  let whole = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) ascii++
    else if (unit < firstOfWholeTokens) alphabet++
    else whole++
  }
  return Math.ceil(ascii / asciiPerToken + alphabet / alphabetPerToken + whole)
}

function estimateContent(content: Content): number {
  if (typeof content === 'string') return estimateText(content)
  return sum(content.map((part) => (part.type === 'text' ? estimateText(part.text) : perPart[part.type])))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
