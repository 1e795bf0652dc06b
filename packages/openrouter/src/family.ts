/** Whose reasoning is whose (section 6.2 of the wire contract). */

export type Family = 'claude' | 'openai' | 'gemini' | 'grok' | 'open'

/** Signed and encrypted reasoning is of one family; open models think in plain text. Unknown: a router that may choose any. */
export function familyOf(model: string): Family | undefined {
  if (/^openrouter\/|@preset\//.test(model)) return undefined
  if (/claude|^~?anthropic\//i.test(model)) return 'claude'
  if (/gpt-oss/i.test(model)) return 'open'
  if (/^~?openai\/|^(gpt|o[1-9]|chatgpt|codex)\b/i.test(model)) return 'openai'
  if (/gemini/i.test(model)) return 'gemini'
  if (/grok|^~?x-ai\//i.test(model)) return 'grok'
  return 'open'
}

/** Of the formats that name a family; all others are plain text. */
export function familyOfFormat(format: unknown): Family | undefined {
  if (typeof format !== 'string') return undefined
  if (/anthropic/.test(format)) return 'claude'
  if (/openai/.test(format)) return 'openai'
  if (/gemini/.test(format)) return 'gemini'
  if (/xai/.test(format)) return 'grok'
  return undefined
}
