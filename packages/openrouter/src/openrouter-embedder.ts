/** `openrouterEmbedder(model, settings)`: texts to vectors, by an embedding model on OpenRouter. */
import { type Embedder, type EmbedderSettings, embedder } from './embedder.ts'
import { openRouterProfile } from './profile.ts'

/**
 * For `recall(memory, { embed: openrouterEmbedder('openai/text-embedding-3-small') })`. Long lists go out in several
 * requests, one behind the other; what may pass is tried again as for `openrouter()`.
 * @throws DefinitionError for a setting that cannot be sent. A missing key is told at the first request.
 */
export function openrouterEmbedder(model: string, settings: EmbedderSettings = {}): Embedder {
  return embedder(model, openRouterProfile, settings, `openrouterEmbedder(${JSON.stringify(model)})`)
}
