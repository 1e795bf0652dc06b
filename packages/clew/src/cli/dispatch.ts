/** `dispatch()`: finds the command that is named, runs it, and tells its failure in words. */
import { ClewError, isClewError } from '@clew/core'

export type Terminal = {
  out(text: string): void
  /** For what went wrong. */
  err(text: string): void
  isColoured: boolean
  /** How wide it is. */
  columns: number
  /** Aborted when the person has seen enough. */
  signal: AbortSignal
}

/** Gives the exit code. Errors of Clew are for the person: `InputError` for what was typed. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>

/** `needs`: the package that it comes with, which may not be installed. */
export type Commands = { [name: string]: { about: string; needs: string; load(): Promise<Command> } }

/** 0: done. 1: it could not be done. 2: it was not understood. */
export async function dispatch(commands: Commands, args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    terminal.out(helpOf(commands))
    return 0
  }
  const found = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!found) {
    terminal.err(`There is no command ${JSON.stringify(name)}. There are: ${Object.keys(commands).join(', ')}.\n`)
    return 2
  }
  try {
    const command = await load(found)
    return await command(rest, terminal)
  } catch (error) {
    if (!isClewError(error)) throw error
    terminal.err(`${error.message}\n`)
    return isClewError(error, 'input') ? 2 : 1
  }
}

async function load({ needs, load: get }: Commands[string]): Promise<Command> {
  try {
    return await get()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const install = `npm install ${needs} @opentelemetry/api`
    throw new ClewError('trace', `This command comes with ${needs}, which is not all installed here: ${install}`, {
      cause,
    })
  }
}

function helpOf(commands: Commands): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`)
  return `clew COMMAND [options]\n\n${lines.join('\n')}\n\nMore of each: clew COMMAND --help\n`
}
