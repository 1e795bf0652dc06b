/** The settings of a model in TypeScript spelling, their checks, and their names on the wire. */
import type { Json } from '@clew/core'
import { DefinitionError } from '@clew/core'
import type OpenAI from 'openai'

export type Reasoning = {
  /** Think or do not. Some models cannot be switched off and answer 400. */
  enabled?: boolean
  /** A share of the output budget. Not together with `maxTokens`. */
  effort?: 'max' | 'xhigh' | 'high' | 'medium' | 'low' | 'minimal' | 'none'
  /** A budget of thinking tokens. */
  maxTokens?: number
  /** Think, but do not return it. Then nothing can be sent back either: not for tool loops. */
  exclude?: boolean
  summary?: 'auto' | 'concise' | 'detailed'
}

export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema'
      json_schema: { name: string; schema: { [key: string]: unknown }; strict?: boolean; description?: string }
    }

/** What is sampled and how. What is left out is not sent: the provider's own default applies. */
export type ModelParameters = {
  reasoning?: Reasoning
  /** At least 1. */
  maxTokens?: number
  /** 0 to 2. */
  temperature?: number
  /** Above 0, at most 1. */
  topP?: number
  /** Up to four texts. */
  stop?: string | string[]
  /** -2 to 2. */
  frequencyPenalty?: number
  /** -2 to 2. */
  presencePenalty?: number
  /** Above 0, at most 2. */
  repetitionPenalty?: number
  /** 0 (off) or more. */
  topK?: number
  seed?: number
  /** 0 to 1. */
  minP?: number
  /** Instead of what the agent's `output` asks for. */
  responseFormat?: ResponseFormat
  /** Token ids to -100 … 100. */
  logitBias?: { [token: string]: number }
  parallelToolCalls?: boolean
}

export type OpenRouterSettings = ModelParameters & {
  /**
   * Default: `OPENROUTER_API_KEY`, which is sent to OpenRouter and to this machine only. Another host gets the key that
   * is given here, or none.
   */
  apiKey?: string
  /** Default `https://openrouter.ai/api/v1`. Any server with Chat Completions will do. */
  baseURL?: string
  /** Your app, for OpenRouter's rankings: sent as `HTTP-Referer`, `X-OpenRouter-Title` and `X-Title`. */
  app?: { url?: string; title?: string }
  headers?: { [name: string]: string }
  /** Milliseconds until an answer must begin. Default: the `openai` client's (10 minutes). */
  timeoutMs?: number
  fetch?: typeof fetch
  /** A client of your own, for proxies and the like. Then all of the settings above are the client's own. */
  client?: OpenAI
  /** Any other field of the request, as it stands on the wire. */
  extraBody?: { [field: string]: Json }
}

type Rule = { wire: string; test: (value: never) => boolean; says: string }
const range = (wire: string, min: number, max: number, above = false): Rule => ({
  wire,
  test: (value: unknown) => typeof value === 'number' && (above ? value > min : value >= min) && value <= max,
  says: `a number ${above ? 'above' : 'from'} ${min} ${above ? 'and at most' : 'to'} ${max}`,
})
const whole = (wire: string, min: number): Rule => ({
  wire,
  test: (value: unknown) => Number.isInteger(value) && (value as number) >= min,
  says: `a whole number${min === Number.NEGATIVE_INFINITY ? '' : ` of at least ${min}`}`,
})
const ofType = (wire: string, type: 'boolean' | 'object'): Rule => ({
  wire,
  test: (value: unknown) => typeof value === type && value !== null && !Array.isArray(value),
  says: type === 'boolean' ? 'true or false' : 'an object',
})

const parameters: { [Name in keyof Required<ModelParameters>]: Rule } = {
  reasoning: ofType('reasoning', 'object'),
  maxTokens: whole('max_tokens', 1),
  temperature: range('temperature', 0, 2),
  topP: range('top_p', 0, 1, true),
  stop: {
    wire: 'stop',
    test: (value: unknown) =>
      typeof value === 'string' ||
      (Array.isArray(value) && value.length <= 4 && value.every((text) => typeof text === 'string')),
    says: 'a text or up to four texts',
  },
  frequencyPenalty: range('frequency_penalty', -2, 2),
  presencePenalty: range('presence_penalty', -2, 2),
  repetitionPenalty: range('repetition_penalty', 0, 2, true),
  topK: whole('top_k', 0),
  seed: whole('seed', Number.NEGATIVE_INFINITY),
  minP: range('min_p', 0, 1),
  responseFormat: ofType('response_format', 'object'),
  logitBias: ofType('logit_bias', 'object'),
  parallelToolCalls: ofType('parallel_tool_calls', 'boolean'),
}
const reasoningNames = {
  enabled: 'enabled',
  effort: 'effort',
  maxTokens: 'max_tokens',
  exclude: 'exclude',
  summary: 'summary',
}
const otherSettings = ['apiKey', 'baseURL', 'app', 'headers', 'timeoutMs', 'fetch', 'client', 'extraBody']
/** Fields that Clew writes; in `extraBody` they would fight with it. */
const ownFields = ['model', 'messages', 'tools', 'tool_choice', 'stream']

/**
 * The fields of the request that the settings ask for.
 * @throws DefinitionError naming the setting, its value, and what it may be.
 */
export function toWireParameters(settings: OpenRouterSettings, where: string): { [field: string]: unknown } {
  checkClientSettings(settings, where)
  const wire: { [field: string]: unknown } = {}
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || otherSettings.includes(name)) continue
    const rule = Object.hasOwn(parameters, name) ? parameters[name as keyof ModelParameters] : undefined
    if (!rule) throw new DefinitionError(`${where}: there is no setting "${name}". ${suggestion(name)}`)
    if (!rule.test(value as never))
      throw new DefinitionError(`${where}: ${name} is ${JSON.stringify(value)}; it must be ${rule.says}.`)
    wire[rule.wire] = name === 'reasoning' ? toWireReasoning(value as Reasoning, where) : value
  }
  for (const [field, value] of Object.entries(settings.extraBody ?? {})) {
    if (ownFields.includes(field))
      throw new DefinitionError(`${where}: extraBody.${field} would replace what Clew sends; leave it out.`)
    if (field in wire)
      throw new DefinitionError(`${where}: extraBody.${field} is also set by the setting of that name; keep one.`)
    wire[field] = value
  }
  return wire
}

function toWireReasoning(reasoning: Reasoning, where: string): { [field: string]: unknown } {
  if (reasoning.effort !== undefined && reasoning.maxTokens !== undefined) {
    throw new DefinitionError(`${where}: reasoning has effort and maxTokens; a provider takes one of them.`)
  }
  if (reasoning.effort !== undefined && !efforts.includes(reasoning.effort)) {
    throw new DefinitionError(
      `${where}: reasoning.effort is ${JSON.stringify(reasoning.effort)}; it must be one of ${efforts.join(', ')}.`,
    )
  }
  const wire: { [field: string]: unknown } = {}
  for (const [name, value] of Object.entries(reasoning)) {
    const field = Object.hasOwn(reasoningNames, name) ? reasoningNames[name as keyof Reasoning] : undefined
    if (!field)
      throw new DefinitionError(
        `${where}: there is no setting reasoning.${name}. Known: ${Object.keys(reasoningNames).join(', ')}.`,
      )
    if (value !== undefined) wire[field] = value
  }
  return wire
}

const efforts = ['max', 'xhigh', 'high', 'medium', 'low', 'minimal', 'none']

/** What concerns the client, not the request. */
function checkClientSettings({ app, timeoutMs }: OpenRouterSettings, where: string): void {
  if (timeoutMs !== undefined && !(timeoutMs > 0))
    throw new DefinitionError(`${where}: timeoutMs is ${timeoutMs}; it must be a number above 0.`)
  const unknown = Object.keys(app ?? {}).find((name) => name !== 'url' && name !== 'title')
  if (unknown) throw new DefinitionError(`${where}: there is no setting app.${unknown}. Known: url, title.`)
}

function suggestion(name: string): string {
  const byWireName = Object.entries(parameters).find(([, rule]) => rule.wire === name)?.[0]
  if (byWireName) return `Write ${byWireName}.`
  return `Known: ${[...Object.keys(parameters), ...otherSettings].join(', ')}. Any other field of the request goes into extraBody.`
}
