/** The commands that show traces, for the `clew` command. */
export type { Command, Terminal } from './command.ts'
export { cost } from './cost.ts'
export { runs } from './runs.ts'
export { show } from './show.ts'
export { tail } from './tail.ts'
