/** What a plugin's process may touch: the flags of Node's permission model, nodejs.org/api/permissions.html. */
import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Capabilities } from '@clew/core'

/** It reads code (its own, ours, and packages beside them) and its folders, writes its folders, and starts nothing. */
export function permissionFlags(entry: URL, child: URL, { folders = [] }: Capabilities): string[] {
  const code = new Set([...codeOf(fileURLToPath(entry)), ...codeOf(fileURLToPath(child))])
  const owned = folders.flatMap((folder) => (existsSync(folder) ? [folder, realpathSync(folder)] : [folder]))
  return [
    '--permission',
    ...[...code, ...owned].map((path) => `--allow-fs-read=${path}`),
    ...owned.map((path) => `--allow-fs-write=${path}`),
  ]
}

/** The package that a file belongs to, the folders of packages that it can import from, and core as it finds it. */
function codeOf(file: string, withCore = true): string[] {
  const real = realpathSync(file)
  const found: string[] = []
  let hasPackage = false
  for (let folder = dirname(real); folder !== dirname(folder); folder = dirname(folder)) {
    if (!hasPackage && existsSync(join(folder, 'package.json'))) {
      found.push(folder)
      hasPackage = true
    }
    // What stands in node_modules is code that somebody published; a folder of packages is no secret.
    if (folder.endsWith(`${sep}node_modules`)) found.push(folder)
    else if (existsSync(join(folder, 'node_modules'))) found.push(join(folder, 'node_modules'))
  }
  if (!hasPackage) found.push(real)
  if (!withCore) return found
  const core = coreOf(real)
  return core === undefined ? found : [...found, ...codeOf(core, false)]
}

function coreOf(file: string): string | undefined {
  try {
    return createRequire(file).resolve('@clew/core')
  } catch {
    return undefined
  }
}
