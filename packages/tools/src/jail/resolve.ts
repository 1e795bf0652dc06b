/** Where an optional package is installed: what a process in the jail imports, and what it may read for that. */
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { optional } from '../load.ts'

const require = createRequire(import.meta.url)

export type Installed = { url: string; folder: string; modules: string }

/**
 * `entry` is its module, for example `pyodide/pyodide.mjs`; `folder` the one that holds it, `modules` the outermost
 * `node_modules` around it, where its own dependencies are.
 * @throws DefinitionError with the line that installs the package
 */
export async function installed(name: string, entry: string, user: string): Promise<Installed> {
  const path = await optional(name, user, async () => realpathSync(require.resolve(entry)))
  const mark = `${sep}node_modules${sep}`
  const at = path.indexOf(mark)
  const folder = `${dirname(path)}${sep}`
  return {
    url: pathToFileURL(path).href,
    folder,
    modules: at < 0 ? folder : path.slice(0, at + mark.length),
  }
}
