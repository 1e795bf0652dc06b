/** `commit` makes changes of files: all of them, or none. A reader sees a file as it was or as it is, never half. */
import { randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { lstat, open, rename, rmdir, unlink } from 'node:fs/promises'
import { InputError } from '@clew/core'
import { codeOf, failure } from './failure.ts'
import { shown } from './names.ts'
import { inFolder, type OpenFolder, openFolder, type Root } from './open-folder.ts'
import { checkPlain, readPlain } from './read-plain.ts'

/** What a file is to become: `bytes`, or nothing. `was` is what stood there when the change was worked out. With the same object as both it counts as read. */
export type Change = { path: string; names: readonly string[]; was?: Uint8Array; bytes?: Uint8Array }

type Staged = { change: Change; folder: OpenFolder; name: string; temp?: string; old?: Stats }

/** @throws InputError when a file is not any more what it `was`, or cannot be written; then nothing is changed */
export async function commit(root: Root, changes: readonly Change[], signal?: AbortSignal): Promise<void> {
  const staged: Staged[] = []
  const made: (readonly string[])[] = []
  const done: Staged[] = []
  let change: Change | undefined
  try {
    for (change of changes) await stage(root, change, staged, made)
    signal?.throwIfAborted()
    for (const each of staged) await checkStill(root, each)
    for (const each of staged) {
      change = each.change
      await each.folder.check()
      // From here on it may have happened, whatever is thrown.
      done.push(each)
      if (each.temp === undefined) await unlink(each.folder.at(each.name))
      else await rename(each.folder.at(each.temp), each.folder.at(each.name))
      await each.folder.check()
    }
  } catch (error) {
    for (const each of done.reverse()) await undo(each)
    for (const each of staged) if (each.temp !== undefined) await quietly(unlink(each.folder.at(each.temp)))
    for (const names of made.reverse()) {
      await quietly(inFolder(root, names.slice(0, -1), (folder) => rmdir(folder.at(names.at(-1)!))))
    }
    throw failure(error, change?.path ?? '')
  } finally {
    for (const { folder } of staged) await folder.close()
  }
}

/** What can fail is tried now: the room on the disk, the permission, the folders above. */
async function stage(root: Root, change: Change, staged: Staged[], made: (readonly string[])[]): Promise<void> {
  const { names, path, bytes } = change
  const name = names.at(-1)
  if (name === undefined) throw new InputError(`${shown(path)} is the folder itself. Name a file.`)
  const isRemoval = bytes === undefined
  const folder = await openFolder(root, names.slice(0, -1), isRemoval ? {} : { create: (each) => made.push(each) })
  const each: Staged = { change, folder, name }
  staged.push(each)
  await folder.check()
  const stats = await lstat(folder.at(name)).catch((error) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (stats) {
    checkPlain(stats, { refusesHardLinks: false }, path)
    await checkWritable(folder.at(name))
    each.old = stats
  }
  if (isRemoval) return
  each.temp = `.clew-${randomUUID()}.tmp`
  await writeNew(folder.at(each.temp), bytes, stats)
}

/** A file that is put in place of another needs no right to that one; yet who took the right away meant something by it. */
async function checkWritable(at: string): Promise<void> {
  const flags = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
  const file = await open(at, flags).catch((error) => {
    // A program that runs: it keeps the old file.
    if (codeOf(error) !== 'ETXTBSY') throw error
    return undefined
  })
  await file?.close()
}

/** A new file with the mode and owner of the old one; without an old one, as the system makes files. */
async function writeNew(at: string, bytes: Uint8Array, old?: Stats): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
  const file = await open(at, flags, old ? 0o600 : 0o666)
  try {
    await file.writeFile(bytes)
    if (old) {
      const { uid, gid } = await file.stat()
      if (uid !== old.uid || gid !== old.gid) await quietly(file.chown(old.uid, old.gid))
      await file.chmod(old.mode & 0o777)
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

async function checkStill(root: Root, { change, folder, name }: Staged): Promise<void> {
  const { path, was } = change
  const options = { path, maxBytes: (was?.length ?? 0) + 1 }
  const now = await readPlain({ ...root, refusesHardLinks: false }, folder, name, options).catch((error) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw codeOf(error) === undefined ? changed(path) : error
  })
  if (!(now && was ? Buffer.compare(now, was) === 0 : now === was)) throw changed(path)
}

export function changed(path: string): InputError {
  return new InputError(`${shown(path)} was changed since it was read. Nothing was done. Read it again with read_file.`)
}

async function undo({ change, folder, name, old }: Staged): Promise<void> {
  const { was } = change
  if (was === undefined) return quietly(unlink(folder.at(name)))
  await quietly(
    (async () => {
      const back = `.clew-${randomUUID()}.tmp`
      await writeNew(folder.at(back), was, old)
      await rename(folder.at(back), folder.at(name))
    })(),
  )
}

async function quietly(work: Promise<unknown>): Promise<void> {
  await work.catch(() => {})
}
