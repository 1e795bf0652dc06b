/** `locate` finds what a path means, links followed, and refuses what is outside or denied. */
import { lstat, readdir, realpath } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { InputError } from '@clew/core'
import { codeOf, failure } from './failure.ts'
import { namesOf, shown } from './names.ts'
import { inFolder, isInside, type Root } from './open-folder.ts'

/** Real names below the root. Where nothing stands yet, the last of them are not there. */
export type Spot = { names: string[]; exists: boolean }

/** @throws InputError when the path leads out of the root, or to what is denied */
export async function locate(root: Root, path: string): Promise<Spot> {
  const asked = namesOf(path, root.path)
  if (root.isDenied(asked)) throw denied(path)
  for (let depth = asked.length; depth >= 0; depth--) {
    const full = join(root.path, ...asked.slice(0, depth))
    const found = await realpath(full).then((real) => ({ real }), codeOf)
    if (typeof found === 'object') {
      if (!isInside(root.path, found.real)) throw leadsOut(path)
      const names = relative(root.path, found.real).split(sep).filter(Boolean).concat(asked.slice(depth))
      if (root.isDenied(names)) throw denied(path)
      return { names, exists: depth === asked.length }
    }
    // A link that cannot be followed: a loop, or to nowhere. Where it leads is not told, nor made.
    const isLink = await lstat(full).then(
      (stats) => stats.isSymbolicLink(),
      () => false,
    )
    if (isLink) throw leadsOut(path)
    if (found === 'EACCES') throw failure(Object.assign(new Error(), { code: found, syscall: 'realpath' }), path)
  }
  throw new InputError('The folder itself is gone. Tell the user.')
}

/** The same for what has to be there. */
export async function locateExisting(root: Root, path: string, tellsNames: boolean): Promise<string[]> {
  const { names, exists } = await locate(root, path)
  if (!exists) throw await missing(root, path, names, tellsNames)
  return names
}

async function missing(root: Root, path: string, names: readonly string[], tellsNames: boolean): Promise<InputError> {
  const above = names.slice(0, -1)
  const said = `There is no file ${shown(path)}.`
  const there = tellsNames ? await namesIn(root, above) : undefined
  if (!there?.length) return new InputError(`${said} Look with list_files or glob what there is.`)
  const place = above.length === 0 ? 'The folder' : shown(above.join('/'))
  const list = there.slice(0, 20).map(shown).join(', ')
  return new InputError(`${said} ${place} has: ${list}${there.length > 20 ? ', and more; see list_files' : ''}.`)
}

async function namesIn(root: Root, names: readonly string[]): Promise<string[] | undefined> {
  try {
    const all = await inFolder(root, names, (folder) => readdir(folder.place))
    return all.filter((name) => !root.isDenied([...names, name])).sort()
  } catch {
    return undefined
  }
}

function leadsOut(path: string): InputError {
  return new InputError(
    `The path ${shown(path)} cannot be used: a link in it leads out of the folder, or nowhere. Only what is inside can be used.`,
  )
}

function denied(path: string): InputError {
  return new InputError(
    `The path ${shown(path)} cannot be used: such files hold secrets or settings and are closed to tools. Go on without it.`,
  )
}
