/** The public face of `@clew/tracing`. */
export type { ContentOptions } from './content.ts'
export type { TraceOptions } from './lens.ts'
export { trace } from './trace.ts'
export { type MemoryLike, type TraceMemoryOptions, traceMemory } from './trace-memory.ts'
export { traceMeta } from './trace-meta.ts'
