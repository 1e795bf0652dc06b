/** `checkLimits` looks over the numbers that a factory of this package was given. */
import { DefinitionError } from '@clew/core'

/** @throws DefinitionError naming tool, option, value and what would do */
export function checkLimits(where: string, limits: Record<string, readonly [number, number, number]>): void {
  for (const [name, [value, least, most]] of Object.entries(limits)) {
    if (typeof value === 'number' && value >= least && value <= most) continue
    throw new DefinitionError(`${where}: ${name} is ${String(value)}; give a number from ${least} to ${most}.`)
  }
}

/** @throws DefinitionError for an option that there is not: a limit with a typo limits nothing */
export function checkNames(where: string, options: object, known: readonly string[]): void {
  const odd = Object.keys(options).find((key) => !known.includes(key))
  if (odd !== undefined) {
    throw new DefinitionError(`${where}: there is no option "${odd}". Known: ${known.join(', ')}.`)
  }
}
