/** The public face of `@clew/memory`. */
export { type Atom, atomsOf } from './compaction/atoms.ts'
export { type Compaction, compact } from './compaction/compact.ts'
export type { CompactionView, CompactOptions } from './compaction/options.ts'
export { estimateMessage, estimateNextTokens, estimateTokens, type RequestParts } from './compaction/tokens.ts'
export { type FileSessionOptions, fileSession } from './file-session.ts'
export type { PostgresClient, PostgresPool } from './postgres-pool.ts'
export { type PostgresSessionOptions, postgresSession } from './postgres-session.ts'
export { type SqliteSessionOptions, sqliteSession } from './sqlite-session.ts'
