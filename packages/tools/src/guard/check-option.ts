/** The checks of a factory's options: they are made when it is called, not when a model first calls the tool. */
import { DefinitionError } from '@clew/core'

/** @throws DefinitionError for what is no whole number from 1 to `most` */
export function checkCount(where: string, name: string, value: number, most = 2 ** 31 - 1): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new DefinitionError(`${where}: ${name} is ${String(value)}; give a whole number from 1 to ${most}.`)
}

/** An option that nobody reads is a typo. @throws DefinitionError naming it and those that there are */
export function checkNames(where: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    throw new DefinitionError(`${where}: there is no option "${name}". Known: ${known.join(', ')}.`)
  }
}

/** Each as `[value, least, most]`. @throws DefinitionError naming the option, its value and what would do */
export function checkLimits(where: string, limits: Record<string, readonly [number, number, number]>): void {
  for (const [name, [value, least, most]] of Object.entries(limits)) {
    if (typeof value === 'number' && value >= least && value <= most) continue
    throw new DefinitionError(`${where}: ${name} is ${String(value)}; give a number from ${least} to ${most}.`)
  }
}
