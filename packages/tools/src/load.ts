/** Loads a package that only some tools need, when it is needed first. */
import { DefinitionError } from '@clew/core'

/**
 * What `load` gives, for example `optional('unpdf', 'read_file', () => import('unpdf'))`.
 * @throws DefinitionError with the line that installs the package
 */
export async function optional<Module>(name: string, user: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    throw new DefinitionError(
      `${user} needs the package ${name}, which could not be loaded (${codeOf(cause)}). Install it: npm install ${name}`,
      { cause },
    )
  }
}

/** The message would name folders of this machine, and a model may read it. */
function codeOf(cause: unknown): string {
  const { code, name } = cause as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : String(name)
}
