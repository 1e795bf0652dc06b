/** Where a request has to go, because of the reasoning that it carries (section 6.4.6 of the wire contract). */
import type { AssistantMessage, Json, Message } from '@clew/core'
import { isObject, isText } from './json.ts'

function isSigned(detail: Json): boolean {
  return isObject(detail) && (detail.type === 'reasoning.encrypted' || isText(detail.signature))
}

/**
 * The provider that the requests of the tool loop under way must go to: the one that signed or encrypted reasoning in it.
 * Another one answers "Corrupted thought signature" or "Item with id rs_… not found". Ends with the next user message.
 */
export function pinnedProvider(
  messages: readonly Message[],
  sentDetails: (message: AssistantMessage) => readonly Json[] | undefined,
): string | undefined {
  for (let at = messages.length - 1; at >= 0; at--) {
    const message = messages[at]!
    if (message.role === 'user') return undefined
    if (message.role !== 'assistant' || !message.toolCalls?.length || !message.source?.provider) continue
    if (sentDetails(message)?.some(isSigned)) return slugOf(message.source.provider)
  }
  return undefined
}

/** Answers carry display names, the lists take slugs, and display names as well: those who sign are known by both. */
const slugs: { [displayName: string]: string } = {
  Anthropic: 'anthropic',
  'Amazon Bedrock': 'amazon-bedrock',
  Azure: 'azure',
  Google: 'google-vertex',
  'Google Vertex': 'google-vertex',
  'Google AI Studio': 'google-ai-studio',
  OpenAI: 'openai',
  xAI: 'xai',
}

function slugOf(displayName: string): string {
  return slugs[displayName] ?? displayName
}

/** `preferences` as on the wire (section 4.1), held to one provider. What filters stays; what orders has nothing left to order. */
export function pinTo(provider: string, preferences: unknown): object {
  const { order, sort: _, only, ...filters } = (preferences ?? {}) as { [field: string]: unknown }
  const allowed = only ?? (filters.allow_fallbacks === false ? order : undefined)
  // Who allows a region of it only must not get another one.
  const own = Array.isArray(allowed) ? allowed.filter((slug) => String(slug).startsWith(`${provider}/`)) : []
  return { ...filters, only: own.length > 0 && !(allowed as unknown[]).includes(provider) ? own : [provider] }
}
