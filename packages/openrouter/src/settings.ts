/** The settings of a model, in TypeScript spelling. Their checks and wire names are in `rules.ts`. */
import type { Json } from '@clew/core'
import type OpenAI from 'openai'
import type { StreamLimits } from './bounded-reader.ts'
import type { Catalogue } from './card.ts'

export type Reasoning = {
  /** Think or do not. Some models cannot be switched off and answer 400. */
  enabled?: boolean
  /** A share of the output budget. Not together with `maxTokens`. */
  effort?: 'max' | 'xhigh' | 'high' | 'medium' | 'low' | 'minimal' | 'none'
  /** A budget of thinking tokens. */
  maxTokens?: number
  /** Think, but do not return it. Then nothing can be sent back either: not for tool loops. */
  exclude?: boolean
  /** How long the summaries are that some models give instead of their reasoning. */
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
  /** Tokens of the answer, reasoning included; at least 1. */
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
  /** 0 to 1. */
  topA?: number
  /** Instead of what the agent's `output` asks for. */
  responseFormat?: ResponseFormat
  /** Token ids to -100 … 100. */
  logitBias?: { [token: string]: number }
  /** The answer's `logprobs` then come with the event `model-end`. */
  logprobs?: boolean
  /** 0 to 20. */
  topLogprobs?: number
  parallelToolCalls?: boolean
  verbosity?: 'low' | 'medium' | 'high' | 'xhigh' | 'max'
  serviceTier?: 'auto' | 'default' | 'fast' | 'flex' | 'priority' | 'scale'
  /** What the answer may hold: `text`, `image`, `audio`. */
  modalities?: string[]
  /** A stable id of your end user. */
  user?: string
  /** Up to 16 pairs; keys up to 64 characters, values up to 512. */
  metadata?: { [key: string]: string }
}

/** Which providers OpenRouter may choose, and how (section 4.1 of the wire contract). */
export type ProviderPreferences = {
  /** Slugs to try first, in this order. */
  order?: string[]
  /** Default true. */
  allowFallbacks?: boolean
  /** Slugs of the only ones to use. */
  only?: string[]
  /** Slugs of those not to use. */
  ignore?: string[]
  /** Only endpoints that know every parameter of the request. Default false. */
  requireParameters?: boolean
  dataCollection?: 'allow' | 'deny'
  /** Only endpoints that keep nothing. */
  zdr?: boolean
  enforceDistillableText?: boolean
  /** For example `fp8`, `bf16`. */
  quantizations?: string[]
  sort?: ProviderSort | { by: ProviderSort; partition?: 'model' | 'none' }
  /** US dollars a million tokens (`prompt`, `completion`), or one `request`, `image`, `audio`. */
  maxPrice?: { prompt?: number; completion?: number; request?: number; image?: number; audio?: number }
  /** Tokens a second. */
  preferredMinThroughput?: number | Percentiles
  /** Seconds. */
  preferredMaxLatency?: number | Percentiles
}
type ProviderSort = 'price' | 'throughput' | 'latency' | 'exacto'
type Percentiles = { p50?: number; p75?: number; p90?: number; p99?: number }

/** For example `{ id: 'web', max_results: 3 }`; options as they stand on the wire (section 4.3 of the wire contract). */
export type OpenRouterPlugin = { id: string; enabled?: boolean; [option: string]: Json | undefined }

/** A tool that OpenRouter runs: its name such as `web_search`, or with its parameters (section 4.4 of the wire contract). */
export type ServerTool = string | { type: string; parameters?: { [name: string]: Json } }

/** What OpenRouter alone has. */
export type OpenRouterParameters = {
  /** Models to fall back to, in this order. */
  models?: string[]
  /** While a tool loop carries signed or encrypted reasoning, it stays with the provider that made it, whatever stands here. */
  provider?: ProviderPreferences
  /** `context-compression`, which silently shortens a history, is switched off unless it stands here. */
  plugins?: OpenRouterPlugin[]
  /** Tools that OpenRouter runs by itself, beside the agent's. */
  serverTools?: ServerTool[]
  /** Marks the stable end of the instructions and of the history for providers that cache only what is marked. */
  cacheControl?: boolean | { ttl: '5m' | '1h' }
  /** For observability targets: `trace_id`, `trace_name`, `span_name`, `parent_span_id`, … */
  trace?: { [field: string]: Json }
}

/** How the server is reached. */
export type ConnectionSettings = {
  /**
   * Default: the environment's key (`OPENROUTER_API_KEY`), which goes to the server that it belongs to and, for tests, to
   * this machine. Another host gets the key that is given here, or none.
   */
  apiKey?: string
  /** Default `https://openrouter.ai/api/v1`. For servers that are not OpenRouter, see `compatible()`. */
  baseURL?: string
  /** Your app, for OpenRouter's rankings: sent as `HTTP-Referer`, `X-OpenRouter-Title` and `X-Title`. */
  app?: { url?: string; title?: string }
  /** Sent with every request, beside Clew's own. */
  headers?: { [name: string]: string }
  /** Milliseconds until an answer must begin. Default: the `openai` client's (10 minutes). */
  timeoutMs?: number
  /** Tries after the first, for failures that may pass and before anything was shown. Default 2; 0 for none. */
  retries?: number
  /** What one answer may take before it is cut off as an error. */
  streamLimits?: StreamLimits
  /** Makes the requests instead of the global one; see `record()` and `replay()`. */
  fetch?: typeof fetch
  /** A client of your own, for proxies and the like. Then key, address, app, headers, timeout and fetch are the client's own. */
  client?: OpenAI
  /** What is known of models: limits, abilities, prices. See `catalogue()`. Default: the default model's card only. */
  catalogue?: Catalogue
  /** Any other field of the request, as it stands on the wire. */
  extraBody?: { [field: string]: Json }
}

export type OpenRouterSettings = ModelParameters & OpenRouterParameters & ConnectionSettings
/** The settings of a model on another server. */
export type CompatibleSettings = ModelParameters & Omit<ConnectionSettings, 'catalogue'>
