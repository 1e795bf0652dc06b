/** What the commands have in common: the screen, Ctrl-C, errors in words, exit codes. */
import { UsageError, usage } from './arguments.ts'
import { SourceError } from './sources.ts'
import { openScreen, type Screen } from './terminal.ts'

/** Runs `action` and sets the exit code: what it returns, 1 for an error, 2 for wrong usage, 130 when interrupted. */
export async function program(action: (screen: Screen, signal: AbortSignal) => Promise<number>): Promise<void> {
  const screen = openScreen()
  const interrupt = new AbortController()
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of a pipe went away (| head): there is nobody left to tell.
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  process.once('SIGINT', () => {
    screen.line('Interrupted: keeping what there is. (Ctrl-C again ends at once.)')
    interrupt.abort()
  })
  try {
    process.exitCode = await action(screen, interrupt.signal)
  } catch (error) {
    screen.close()
    const isUsage = error instanceof UsageError
    process.exitCode = interrupt.signal.aborted ? 130 : isUsage || error instanceof SourceError ? 2 : 1
    if (interrupt.signal.aborted) return
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${isUsage ? `\n${usage}\n` : ''}`)
  } finally {
    screen.close()
  }
}
