/** The front door: everything of `@clew/core` and `@clew/openrouter`. */
export * from '@clew/core'
export * from '@clew/openrouter'
