/** What servers of the dialect want differently, as data (section 14 of the wire contract). */
import type { Reasoning } from './settings.ts'

export type Profile = {
  name: string
  /** Where it listens, unless told otherwise. */
  baseURL?: string
  /** The environment variable of its key. Read for `baseURL` of the profile only; none: the server needs no key. */
  keyEnv?: string
  /**
   * Fields that OpenRouter alone has (`provider`, `plugins`, `models`, `session_id`, …) may be sent. For `openrouter()`;
   * `compatible()` never sends them.
   */
  openRouterFields?: boolean
  /** The field in which an assistant message takes its reasoning back. */
  reasoningOut: 'reasoning_details' | 'reasoning' | 'reasoning_content' | 'none'
  /** How the `reasoning` setting goes out. `none`: it cannot be set. */
  reasoningSwitch: 'reasoning' | 'reasoning_effort' | 'enable_thinking' | 'chat_template_kwargs' | 'thinking' | 'none'
  /** It tells usage in streams only when `stream_options` asks for it. */
  includeUsage: boolean
  /** It takes `{ type: 'function', function: { name } }` as `tool_choice`; otherwise `required` is sent. */
  namedToolChoice: boolean
  /** How it can be held to a JSON schema: by the schema, by "some JSON object", or by words alone. */
  output: OutputStrategy
  /** It may leave reasoning in the content, as `<think>…</think>` before the answer. */
  thinkTags?: boolean
  /** The field of `maxTokens`. */
  maxTokens: 'max_tokens' | 'max_completion_tokens'
}

export type OutputStrategy = 'json_schema' | 'json_object' | 'words'

/** What most servers want. */
export const base = {
  includeUsage: true,
  namedToolChoice: true,
  output: 'json_schema',
  maxTokens: 'max_tokens',
} as const satisfies Partial<Profile>

export const openRouterProfile: Profile = {
  ...base,
  name: 'openrouter',
  baseURL: 'https://openrouter.ai/api/v1',
  keyEnv: 'OPENROUTER_API_KEY',
  openRouterFields: true,
  reasoningOut: 'reasoning_details',
  reasoningSwitch: 'reasoning',
  includeUsage: false,
}

/** The servers that `compatible()` knows by name. */
export const profiles = {
  ollama: {
    ...base,
    name: 'ollama',
    baseURL: 'http://localhost:11434/v1',
    reasoningOut: 'reasoning',
    reasoningSwitch: 'reasoning_effort',
  },
  'llama.cpp': {
    ...base,
    name: 'llama.cpp',
    baseURL: 'http://localhost:8080/v1',
    reasoningOut: 'reasoning_content',
    reasoningSwitch: 'chat_template_kwargs',
    namedToolChoice: false,
  },
  vllm: {
    ...base,
    name: 'vllm',
    baseURL: 'http://localhost:8000/v1',
    reasoningOut: 'reasoning',
    reasoningSwitch: 'chat_template_kwargs',
  },
  lmstudio: {
    ...base,
    name: 'lmstudio',
    baseURL: 'http://localhost:1234/v1',
    reasoningOut: 'reasoning_content',
    reasoningSwitch: 'none',
    namedToolChoice: false,
    thinkTags: true,
  },
  groq: {
    ...base,
    name: 'groq',
    baseURL: 'https://api.groq.com/openai/v1',
    keyEnv: 'GROQ_API_KEY',
    reasoningOut: 'reasoning',
    reasoningSwitch: 'reasoning_effort',
  },
  cerebras: {
    ...base,
    name: 'cerebras',
    baseURL: 'https://api.cerebras.ai/v1',
    keyEnv: 'CEREBRAS_API_KEY',
    reasoningOut: 'reasoning',
    reasoningSwitch: 'reasoning_effort',
  },
  deepseek: {
    ...base,
    name: 'deepseek',
    baseURL: 'https://api.deepseek.com',
    keyEnv: 'DEEPSEEK_API_KEY',
    reasoningOut: 'reasoning_content',
    reasoningSwitch: 'thinking',
    output: 'json_object',
  },
  alibaba: {
    ...base,
    name: 'alibaba',
    baseURL: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    keyEnv: 'DASHSCOPE_API_KEY',
    reasoningOut: 'reasoning_content',
    reasoningSwitch: 'enable_thinking',
  },
  zai: {
    ...base,
    name: 'zai',
    baseURL: 'https://api.z.ai/api/paas/v4',
    keyEnv: 'ZAI_API_KEY',
    reasoningOut: 'reasoning_content',
    reasoningSwitch: 'thinking',
    output: 'json_object',
  },
  xai: {
    ...base,
    name: 'xai',
    baseURL: 'https://api.x.ai/v1',
    keyEnv: 'XAI_API_KEY',
    reasoningOut: 'reasoning_content',
    reasoningSwitch: 'reasoning_effort',
  },
  openai: {
    ...base,
    name: 'openai',
    baseURL: 'https://api.openai.com/v1',
    keyEnv: 'OPENAI_API_KEY',
    reasoningOut: 'none',
    reasoningSwitch: 'reasoning_effort',
    maxTokens: 'max_completion_tokens',
  },
} as const satisfies { [name: string]: Profile }

export type ProfileName = keyof typeof profiles

/** The fields of the `reasoning` setting for a server other than OpenRouter, or undefined where it has no such switch. */
export function switchReasoning(
  kind: Profile['reasoningSwitch'],
  { enabled, effort }: Reasoning,
): { [field: string]: unknown } | undefined {
  const isOn = enabled ?? effort !== 'none'
  switch (kind) {
    case 'reasoning_effort':
      if (!isOn) return { reasoning_effort: 'none' }
      return effort === undefined ? {} : { reasoning_effort: effort }
    case 'enable_thinking':
      return { enable_thinking: isOn }
    case 'chat_template_kwargs':
      return { chat_template_kwargs: { enable_thinking: isOn } }
    case 'thinking':
      return { thinking: { type: isOn ? 'enabled' : 'disabled' } }
    default:
      return undefined
  }
}
