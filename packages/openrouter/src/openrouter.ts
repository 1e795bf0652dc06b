/** `openrouter(model, settings)`: a model on OpenRouter. */
import type { Model } from '@clew/core'
import { chatModel } from './chat-model.ts'
import { defaultCard } from './default-card.ts'
import { openRouterProfile } from './profile.ts'
import type { OpenRouterSettings } from './settings.ts'

export const defaultModel = 'qwen/qwen3.5-9b'

/**
 * A model of OpenRouter by its id, with or without a variant such as `:free`.
 * @throws DefinitionError for a setting that cannot be sent. A missing key is told at the first request.
 */
export function openrouter(model: string = defaultModel, settings: OpenRouterSettings = {}): Model {
  const isDefault = typeof model === 'string' && model.split(':')[0] === defaultModel
  return chatModel({
    id: model,
    profile: openRouterProfile,
    settings,
    where: `openrouter(${JSON.stringify(model)})`,
    // The default model thinks or not depending on who hosts it; its card asks to say it.
    ...(isDefault && { card: defaultCard, defaults: { reasoning: { enabled: true } } }),
  })
}
