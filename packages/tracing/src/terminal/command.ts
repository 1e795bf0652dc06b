/** What a command of `clew` is: a function of its arguments and the terminal. */

export type Terminal = {
  out(text: string): void
  /** Whether colours are wanted. */
  isColoured: boolean
  /** How wide it is. */
  columns: number
  /** Aborted when the person has seen enough. */
  signal: AbortSignal
}

/**
 * Gives the exit code: 0 for done, 1 for what could not be done. Throws `InputError` for arguments that it does not take,
 * and other errors of Clew with a message for the person.
 */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 }
export type Colour = keyof typeof codes
export type Paint = (colour: Colour, text: string) => string

export function painter({ isColoured }: Terminal): Paint {
  return (colour, text) => (isColoured && text !== '' ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text)
}

export function colourOf(status: string): Colour {
  if (status === 'done' || status === 'resumed') return 'green'
  if (status === 'failed' || status === 'lost') return 'red'
  return status === 'running' ? 'cyan' : 'yellow'
}
