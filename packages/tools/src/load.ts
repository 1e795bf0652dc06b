/** Loads a package that only some tools need, when it is needed first. */
import { DefinitionError, describeError } from '@clew/core'

/**
 * What `load` gives, for example `optional('unpdf', 'read_file', () => import('unpdf'))`.
 * @throws DefinitionError with the line that installs the package
 */
export async function optional<Module>(name: string, user: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    throw new DefinitionError(
      `${user} needs the package ${name}, which could not be loaded (${describeError(cause)}). Install it: npm install ${name}`,
      { cause },
    )
  }
}
