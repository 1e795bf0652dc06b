/** The public face of `@clew/tools`. */
export {}
