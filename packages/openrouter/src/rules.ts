/** The settings as a table: each with its name on the wire and its check (sections 2 to 4 of the wire contract). */
import type { StreamLimits } from './bounded-reader.ts'
import { isObject, isText } from './json.ts'
import type {
  ConnectionSettings,
  ModelParameters,
  OpenRouterParameters,
  ProviderPreferences,
  Reasoning,
} from './settings.ts'

export type Check = { test: (value: unknown) => boolean; says: string }
export type Rule = Check & { wire: string }

const range = (wire: string, min: number, max: number, above = false): Rule => ({
  wire,
  test: (value) => typeof value === 'number' && (above ? value > min : value >= min) && value <= max,
  says: `a number ${above ? 'above' : 'from'} ${min} ${above ? 'and at most' : 'to'} ${max}`,
})
export const whole = (wire: string, min: number, max = Number.POSITIVE_INFINITY): Rule => ({
  wire,
  test: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  says: `a whole number${min === Number.NEGATIVE_INFINITY ? '' : ` of at least ${min}`}${max === Number.POSITIVE_INFINITY ? '' : ` and at most ${max}`}`,
})
const flag = (wire: string): Rule => ({ wire, test: (value) => typeof value === 'boolean', says: 'true or false' })
const object = (wire: string): Rule => ({ wire, test: isObject, says: 'an object' })
const text = (wire: string): Rule => ({ wire, test: isText, says: 'a text' })
const texts = (wire: string): Rule => ({
  wire,
  test: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
  says: 'a list of texts',
})
const oneOf = (wire: string, words: readonly string[]): Rule => ({
  wire,
  test: (value) => words.includes(value as string),
  says: `one of ${words.join(', ')}`,
})

export const everywhere: { [Name in keyof Required<ModelParameters>]: Rule } = {
  reasoning: object('reasoning'),
  maxTokens: whole('max_tokens', 1),
  temperature: range('temperature', 0, 2),
  topP: range('top_p', 0, 1, true),
  stop: {
    wire: 'stop',
    test: (value) => isText(value) || (Array.isArray(value) && value.length <= 4 && value.every(isText)),
    says: 'a text or up to four texts',
  },
  frequencyPenalty: range('frequency_penalty', -2, 2),
  presencePenalty: range('presence_penalty', -2, 2),
  repetitionPenalty: range('repetition_penalty', 0, 2, true),
  topK: whole('top_k', 0),
  seed: whole('seed', Number.NEGATIVE_INFINITY),
  minP: range('min_p', 0, 1),
  topA: range('top_a', 0, 1),
  responseFormat: object('response_format'),
  logitBias: {
    wire: 'logit_bias',
    test: (value) => isObject(value) && Object.values(value).every((bias) => Number.isFinite(bias)),
    says: 'an object of numbers',
  },
  logprobs: flag('logprobs'),
  topLogprobs: whole('top_logprobs', 0, 20),
  parallelToolCalls: flag('parallel_tool_calls'),
  verbosity: oneOf('verbosity', ['low', 'medium', 'high', 'xhigh', 'max']),
  serviceTier: oneOf('service_tier', ['auto', 'default', 'fast', 'flex', 'priority', 'scale']),
  modalities: texts('modalities'),
  user: text('user'),
  metadata: {
    wire: 'metadata',
    test: (value) =>
      isObject(value) &&
      Object.keys(value).length <= 16 &&
      Object.entries(value).every(([key, each]) => key.length <= 64 && typeof each === 'string' && each.length <= 512),
    says: 'up to 16 pairs of texts, keys up to 64 characters and values up to 512',
  },
}

export const ofOpenRouter: { [Name in keyof Required<OpenRouterParameters>]: Rule } = {
  models: texts('models'),
  provider: object('provider'),
  plugins: {
    wire: 'plugins',
    test: (value) => Array.isArray(value) && value.every((plugin) => isObject(plugin) && isText(plugin.id)),
    says: "a list such as [{ id: 'web' }]",
  },
  serverTools: {
    wire: 'tools',
    test: (value) =>
      Array.isArray(value) && value.every((tool) => isText(tool) || (isObject(tool) && isText(tool.type))),
    says: "a list such as ['web_search']",
  },
  cacheControl: {
    wire: 'cache_control',
    test: (value) => typeof value === 'boolean' || (isObject(value) && (value.ttl === '5m' || value.ttl === '1h')),
    says: "true, or { ttl: '5m' } or { ttl: '1h' }",
  },
  trace: object('trace'),
}

/** Of these the request's fields are made elsewhere: `encode.ts`, `cache-control.ts`. */
export const madeElsewhere = ['serverTools', 'cacheControl']

export const reasoningRules: { [Name in keyof Required<Reasoning>]: Rule } = {
  enabled: flag('enabled'),
  effort: oneOf('effort', ['max', 'xhigh', 'high', 'medium', 'low', 'minimal', 'none']),
  maxTokens: whole('max_tokens', 1),
  exclude: flag('exclude'),
  summary: oneOf('summary', ['auto', 'concise', 'detailed']),
}
/** JSON makes null of other numbers, which is another wish. */
const isAmount = (value: unknown) => Number.isFinite(value) && (value as number) >= 0
const areAmounts = (value: unknown) =>
  isObject(value) && Object.values(value).every((each) => each === undefined || isAmount(each))
const isNumberOrObject = (value: unknown) => isAmount(value) || areAmounts(value)
const sorts = ['price', 'throughput', 'latency', 'exacto']
const priced = ['prompt', 'completion', 'request', 'image', 'audio']
const isSort = (value: unknown) => sorts.includes(value as string)
const hasOnly = (value: unknown, names: string[]) => Object.keys(value as object).every((name) => names.includes(name))
export const providerRules: { [Name in keyof Required<ProviderPreferences>]: Rule } = {
  order: texts('order'),
  allowFallbacks: flag('allow_fallbacks'),
  only: texts('only'),
  ignore: texts('ignore'),
  requireParameters: flag('require_parameters'),
  dataCollection: oneOf('data_collection', ['allow', 'deny']),
  zdr: flag('zdr'),
  enforceDistillableText: flag('enforce_distillable_text'),
  quantizations: texts('quantizations'),
  sort: {
    wire: 'sort',
    test: (value) => isSort(value) || (isObject(value) && isSort(value.by) && hasOnly(value, ['by', 'partition'])),
    says: `one of ${sorts.join(', ')}, or an object such as { by: 'price', partition: 'none' }`,
  },
  maxPrice: {
    wire: 'max_price',
    test: (value) => areAmounts(value) && hasOnly(value, priced),
    says: `an object of numbers with ${priced.join(', ')}`,
  },
  preferredMinThroughput: {
    wire: 'preferred_min_throughput',
    test: isNumberOrObject,
    says: 'a number or an object such as { p90: 50 }',
  },
  preferredMaxLatency: {
    wire: 'preferred_max_latency',
    test: isNumberOrObject,
    says: 'a number or an object such as { p90: 3 }',
  },
}

const aText: Check = { test: (value) => typeof value === 'string', says: 'a text' }
const anObject: Check = { test: isObject, says: 'an object' }
const aFunction: Check = { test: (value) => typeof value === 'function', says: 'a function' }
const above0: Check = { test: (value) => typeof value === 'number' && value > 0, says: 'a number above 0' }

/** What concerns the way to the server; nothing of it but `extraBody` stands in the request. */
export const connectionRules: { [Name in keyof Required<ConnectionSettings>]: Check } = {
  apiKey: aText,
  baseURL: {
    test: (value) => typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value),
    says: 'a whole URL such as http://localhost:11434/v1',
  },
  app: anObject,
  headers: {
    test: (value) => isObject(value) && Object.values(value).every((each) => typeof each === 'string'),
    says: 'an object of texts',
  },
  timeoutMs: above0,
  retries: { test: (value) => Number.isInteger(value) && (value as number) >= 0, says: 'a whole number of at least 0' },
  streamLimits: anObject,
  fetch: aFunction,
  client: anObject,
  catalogue: anObject,
  extraBody: anObject,
}
export const appRules: { [Name in keyof Required<NonNullable<ConnectionSettings['app']>>]: Check } = {
  url: aText,
  title: aText,
}
export const limitRules: { [Name in keyof Required<StreamLimits>]: Check } = {
  bytes: above0,
  eventChars: above0,
  idleMs: above0,
  ms: above0,
}
