/** The public face of `@clew/openrouter`. */
export type { StreamLimits } from './bounded-reader.ts'
export type { Catalogue, Endpoint, ModelCard, Prices } from './card.ts'
export { type CatalogueOptions, catalogue } from './catalogue.ts'
export { type CompatibleOptions, compatible } from './compatible.ts'
export { type CompatibleEmbedderOptions, compatibleEmbedder } from './compatible-embedder.ts'
export type { Embedder, EmbedderSettings } from './embedder.ts'
export { image } from './image.ts'
export { defaultModel, openrouter } from './openrouter.ts'
export { openrouterEmbedder } from './openrouter-embedder.ts'
export { type OutputStrategy, type Profile, type ProfileName, profiles } from './profile.ts'
export { type Recorder, record } from './recorder/recorder.ts'
export { type Replayer, replay } from './recorder/replayer.ts'
export type {
  CompatibleSettings,
  ConnectionSettings,
  ModelParameters,
  OpenRouterParameters,
  OpenRouterPlugin,
  OpenRouterSettings,
  ProviderPreferences,
  Reasoning,
  ResponseFormat,
  ServerTool,
} from './settings.ts'
