/** `npm run research`: exits 0 with a report, 1 without, 2 for a wrong command line or source, 130 when interrupted. */
import { parseArguments, usage } from './arguments.ts'
import { program } from './program.ts'
import { research } from './research.ts'

// npm changes to the workspace's root; paths on the command line are meant from where the person stands.
if (process.env.npm_lifecycle_event === 'research' && process.env.INIT_CWD) process.chdir(process.env.INIT_CWD)

await program(async (screen, signal) => {
  const given = process.argv.slice(2)
  if (given.includes('--help')) {
    screen.line(usage)
    return 0
  }
  const { status } = await research(parseArguments(given), screen, signal)
  return { done: 0, 'no-report': 1, interrupted: 130 }[status]
})
