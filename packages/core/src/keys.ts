/** An option that nobody reads is a mistake: a typo, or the word that another framework has for it. */
import type { InputError } from './errors.ts'
import { DefinitionError } from './errors.ts'

export function checkKeys(
  given: object,
  known: readonly string[],
  where: string,
  otherWords: { [name: string]: string } = {},
  Kind: typeof DefinitionError | typeof InputError = DefinitionError,
): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const ours = Object.hasOwn(otherWords, name) ? `Write ${otherWords[name]}.` : `Known: ${known.join(', ')}.`
    throw new Kind(`${where}: there is no option "${name}". ${ours}`)
  }
}
