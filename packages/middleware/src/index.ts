/** The public face of `@clew/middleware`. */
export { canonicalJson } from './canonical-json.ts'
export { guard } from './guard.ts'
export { type GuardLoopsOptions, guardLoops } from './guard-loops.ts'
export type { GuardedCall, GuardedInput, GuardedOutput, GuardOptions, ToolVerdict, Verdict } from './guard-options.ts'
export { type RedactOptions, type Redactor, redact, redactor } from './redact.ts'
