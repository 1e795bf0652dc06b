/** The public face of `@clew/openrouter`. */
export { image } from './image.ts'
export { defaultModel, openrouter } from './openrouter.ts'
export type { ModelParameters, OpenRouterSettings, Reasoning, ResponseFormat } from './settings.ts'
