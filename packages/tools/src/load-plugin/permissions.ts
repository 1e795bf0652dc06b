/** What a plugin's process may touch: the flags of Node's permission model, nodejs.org/api/permissions.html. */
import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Capabilities } from '@clew/core'

/** It reads code (its own, ours, and packages beside them) and its folders, writes its folders, and starts nothing. */
export function permissionFlags(entry: URL, child: URL, { folders = [] }: Capabilities): string[] {
  const plugin = realpathSync(fileURLToPath(entry))
  const ours = realpathSync(fileURLToPath(child))
  const core = coreOf(plugin)
  const code = new Set([
    ...codeOf(plugin, dirname(plugin)),
    ...codeOf(ours, dirname(dirname(ours))),
    ...(core === undefined ? [] : codeOf(core, dirname(core))),
  ])
  const owned = folders.flatMap((folder) => (existsSync(folder) ? [folder, realpathSync(folder)] : [folder]))
  return [
    '--permission',
    ...[...code, ...owned].map((path) => `--allow-fs-read=${path}`),
    ...owned.map((path) => `--allow-fs-write=${path}`),
  ]
}

/**
 * What a file needs to be imported: `folder`, which it stands in, its package's manifest, and the packages that it can
 * import from. What stands in node_modules is code that somebody published; what stands around a file outside of it may be
 * the program's own, keys included.
 */
function codeOf(file: string, folder: string): string[] {
  const found = [folder]
  let manifest: string | undefined
  for (let at = dirname(file); at !== dirname(at); at = dirname(at)) {
    if (!manifest && existsSync(join(at, 'package.json'))) manifest = join(at, 'package.json')
    if (at.endsWith(`${sep}node_modules`)) found.push(at)
    else if (existsSync(join(at, 'node_modules'))) found.push(join(at, 'node_modules'))
  }
  return manifest === undefined ? found : [...found, manifest]
}

function coreOf(file: string): string | undefined {
  try {
    return realpathSync(createRequire(file).resolve('@clew/core'))
  } catch {
    return undefined
  }
}
