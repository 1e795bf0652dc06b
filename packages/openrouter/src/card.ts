/** A model's card: what the catalogue knows of it, and what can be told from that. */
import type { Json, ModelRequest, Usage } from '@clew/core'
import { textOf } from '@clew/core'
import { fieldsOf, isObject } from './json.ts'

/** US dollars a token, but for `request` (one request) and `image` (one image). */
export type Prices = {
  input: number
  output: number
  cacheRead?: number
  cacheWrite?: number
  request?: number
  image?: number
}

export type ModelCard = {
  id: string
  name: string
  /** Tokens of prompt and answer together; absent where it is not told. */
  contextLength?: number
  maxOutputTokens?: number
  /** `text`, `image`, `file`, `audio`, `video`. */
  inputModalities: string[]
  outputModalities: string[]
  /** Of all endpoints together, under their wire names: a single provider may lack some. */
  supportedParameters: string[]
  /** Absent where they are not told, and for a router whose price depends on the model that it chooses. */
  prices?: Prices
  /** Prices of requests with at least so many prompt tokens, in rising order. */
  higherPrices?: ({ fromInputTokens: number } & Prices)[]
  /** Absent when the model does not reason. */
  reasoning?: { mandatory: boolean; efforts?: string[]; defaultEffort?: string; defaultEnabled?: boolean }
  /** When the catalogue said so, as an ISO date. */
  asOf: string
  /** The entry as received. */
  raw: Json
}

/** One provider's offer of a model. */
export type Endpoint = {
  /** The provider's name for people. */
  provider: string
  /** The slug for `provider: { order, only, ignore }`. */
  tag: string
  contextLength?: number
  maxOutputTokens?: number
  quantization?: string
  supportedParameters: string[]
  /** Percent of the last 30 minutes; absent where it is not told. */
  uptime?: number
  /** Seconds to the first token, median of the last 30 minutes. Told with a key only. */
  latency?: number
  /** Tokens a second, median of the last 30 minutes. Told with a key only. */
  throughput?: number
  raw: Json
}

export type Catalogue = {
  /** All models, from the kept list while it is fresh. Each card says how old it is (`asOf`). */
  models(): Promise<ModelCard[]>
  /** One model by its id, with or without a variant such as `:nitro`. @throws InputError when there is none */
  model(id: string): Promise<ModelCard>
  /** Who serves a model now, and how well. Never kept. */
  endpoints(id: string): Promise<Endpoint[]>
  /**
   * What one answer cost and who gave it, as on the wire; `id` is `source.generationId` of a message. Asked for again for
   * two seconds while it is not known yet.
   */
  generation(id: string): Promise<{ [field: string]: Json }>
  /** The key's limits and what it has used, as on the wire. */
  key(): Promise<{ [field: string]: Json }>
  /** The account's credits, as on the wire. Needs a management key. */
  credits(): Promise<{ [field: string]: Json }>
}

/** One entry of `GET /models` (section 12 of the wire contract). Prices there are texts. */
export function toCard(entry: unknown, asOf: string): ModelCard | undefined {
  const wire = fieldsOf(entry)
  if (typeof wire.id !== 'string') return undefined
  const { input_modalities, output_modalities } = fieldsOf(wire.architecture)
  const top = fieldsOf(wire.top_provider)
  const contextLength = amount(wire.context_length) ?? amount(top.context_length)
  const maxOutputTokens = amount(top.max_completion_tokens)
  const reasoning = toReasoning(wire.reasoning)
  const prices = toPrices(wire.pricing)
  const higherPrices = prices ? toHigherPrices(fieldsOf(wire.pricing).overrides, prices) : []
  return {
    id: wire.id,
    name: typeof wire.name === 'string' ? wire.name : wire.id,
    ...(contextLength !== undefined && { contextLength }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    inputModalities: texts(input_modalities, ['text']),
    outputModalities: texts(output_modalities, ['text']),
    supportedParameters: texts(wire.supported_parameters, []),
    ...(prices && { prices }),
    ...(higherPrices.length > 0 && { higherPrices }),
    ...(reasoning && { reasoning }),
    asOf,
    raw: entry as Json,
  }
}

/** `base`: what holds where an entry says nothing. A price of -1 is none. */
function toPrices(pricing: unknown, base?: Prices): Prices | undefined {
  const { prompt, completion, input_cache_read, input_cache_write, request, image } = fieldsOf(pricing)
  const input = amount(prompt) ?? base?.input
  const output = amount(completion) ?? base?.output
  if (input === undefined || output === undefined) return undefined
  const cacheRead = amount(input_cache_read) ?? base?.cacheRead
  const cacheWrite = amount(input_cache_write) ?? base?.cacheWrite
  const perRequest = amount(request) ?? base?.request
  const perImage = amount(image) ?? base?.image
  return {
    input,
    output,
    ...(cacheRead !== undefined && { cacheRead }),
    ...(cacheWrite !== undefined && { cacheWrite }),
    ...(perRequest !== undefined && { request: perRequest }),
    ...(perImage !== undefined && { image: perImage }),
  }
}

function toHigherPrices(overrides: unknown, base: Prices): NonNullable<ModelCard['higherPrices']> {
  if (!Array.isArray(overrides)) return []
  return overrides
    .flatMap((override) => {
      const fromInputTokens = amount(fieldsOf(override).min_prompt_tokens)
      return fromInputTokens === undefined ? [] : [{ fromInputTokens, ...base, ...toPrices(override, base) }]
    })
    .sort((a, b) => a.fromInputTokens - b.fromInputTokens)
}

function toReasoning(reasoning: unknown): ModelCard['reasoning'] {
  if (!isObject(reasoning)) return undefined
  const { mandatory, supported_efforts, default_effort, default_enabled } = reasoning
  return {
    mandatory: mandatory === true,
    ...(Array.isArray(supported_efforts) && { efforts: texts(supported_efforts, []) }),
    ...(typeof default_effort === 'string' && { defaultEffort: default_effort }),
    ...(typeof default_enabled === 'boolean' && { defaultEnabled: default_enabled }),
  }
}

/** US dollars of what was used, where the card has prices; cached tokens are part of the input tokens. */
export function costOf(card: ModelCard, usage: Usage): number | undefined {
  const prices = pricesFor(card, usage.inputTokens)
  if (!prices) return undefined
  const { input, output, cacheRead = input, cacheWrite = input, request = 0 } = prices
  const plain = Math.max(0, usage.inputTokens - usage.cachedTokens - usage.cacheWriteTokens)
  return (
    request * usage.requests +
    plain * input +
    usage.cachedTokens * cacheRead +
    usage.cacheWriteTokens * cacheWrite +
    usage.outputTokens * output
  )
}

/** US dollars of a request's input: four characters a token, nothing cached, attachments left out. */
export function estimateOf(card: ModelCard, request: ModelRequest): number | undefined {
  const { instructions = '', messages, tools } = request
  let characters = instructions.length
  for (const message of messages) {
    characters += textOf(message.content).length
    if (message.role === 'assistant') for (const call of message.toolCalls ?? []) characters += call.arguments.length
  }
  for (const tool of tools) characters += JSON.stringify(tool.parameters).length + (tool.description?.length ?? 0)
  const tokens = Math.ceil(characters / 4)
  const prices = pricesFor(card, tokens)
  return prices && (prices.request ?? 0) + tokens * prices.input
}

function pricesFor({ prices, higherPrices = [] }: ModelCard, inputTokens: number): Prices | undefined {
  return higherPrices.findLast(({ fromInputTokens }) => inputTokens >= fromInputTokens) ?? prices
}

function amount(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined
}

function texts(value: unknown, otherwise: string[]): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : otherwise
}
