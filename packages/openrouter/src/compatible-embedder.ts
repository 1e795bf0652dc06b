/** `compatibleEmbedder({ profile, baseURL })`: embedders of any other server that has OpenAI's `/embeddings`. */
import { profileOf } from './compatible.ts'
import { checkSettings, type Embedder, type EmbedderSettings, embedder } from './embedder.ts'
import type { Profile, ProfileName } from './profile.ts'

export type CompatibleEmbedderOptions = EmbedderSettings & {
  /** A server that is known by name, or its peculiarities as data; as for `compatible()`. */
  profile: ProfileName | Profile
}

/**
 * A function that makes embedders of one server: `compatibleEmbedder({ profile: 'ollama' })('nomic-embed-text')`.
 * Settings given here hold for all of them.
 * @throws DefinitionError for a profile that is not known, and for a setting that cannot be sent
 */
export function compatibleEmbedder({
  profile: given,
  ...shared
}: CompatibleEmbedderOptions): (model: string, settings?: EmbedderSettings) => Embedder {
  const profile = profileOf(given, shared.baseURL, 'compatibleEmbedder()')
  checkSettings(shared, 'compatibleEmbedder()')
  return (model, settings = {}) =>
    embedder(model, profile, { ...shared, ...settings }, `${profile.name}(${JSON.stringify(model)})`)
}
