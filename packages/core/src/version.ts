/** The version of `@clew/core`, as its manifest has it. */
export const coreVersion = '0.1.0'
