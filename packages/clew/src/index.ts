/** The front door: everything of `@clew/core` and `@clew/openrouter`. */
export * from '@clew/core'
export {
  defaultModel,
  image,
  type ModelParameters,
  type OpenRouterSettings,
  openrouter,
  type Reasoning,
  type ResponseFormat,
} from '@clew/openrouter'
