/**
 * `inFolder` opens a folder below a root, each name from the folder opened before it and never through a link, so that
 * nothing that is swapped meanwhile leads out. Where the system has `/proc/self/fd` (Linux) the opened folder itself is
 * used from there on; elsewhere its path is, and is checked before and after.
 */
import { constants, existsSync } from 'node:fs'
import { type FileHandle, mkdir, open, readlink, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { InputError } from '@clew/core'
import { codeOf } from './failure.ts'

export type Root = {
  /** Absolute, without links. */
  readonly path: string
  readonly isDenied: (names: readonly string[]) => boolean
  /** Files with several names are not read: one of the names may be a stranger's way to a secret. */
  readonly refusesHardLinks: boolean
  /** Opened folders can be used by `/proc/self/fd`. */
  readonly byHandle: boolean
}

export const hasHandles = process.platform === 'linux' && existsSync('/proc/self/fd')

const folderFlags = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)

/** A folder that is held open. */
export class OpenFolder {
  readonly #root: Root
  readonly #path: string
  readonly #handle: FileHandle | undefined

  constructor(root: Root, path: string, handle?: FileHandle) {
    this.#root = root
    this.#path = path
    this.#handle = handle
  }

  /** Where the system finds `name` in this very folder. */
  at(name: string): string {
    // Not joined: `/proc/self/fd/3` is a link, and the system has to go through it.
    return `${this.place}${sep}${name}`
  }

  get place(): string {
    return this.#handle ? `/proc/self/fd/${this.#handle.fd}` : this.#path
  }

  /** The folder `name` in this one, held open too. */
  async enter(name: string): Promise<OpenFolder> {
    return await openAt(this.#root, this.at(name), join(this.#path, name))
  }

  /** @throws InputError when the folder does not stand below the root any more */
  async check(): Promise<void> {
    const now = this.#handle ? await readlink(this.place) : await realpath(this.#path)
    const isHere = this.#handle ? isInside(this.#root.path, now) : now === this.#path
    if (!isHere)
      throw new InputError('The folder was moved or replaced in the middle of the work. Nothing was done there.')
  }

  async close(): Promise<void> {
    await this.#handle?.close()
  }
}

export type InFolder = {
  /** Make what is missing. The names of each new folder are told before it is entered. */
  create?: (names: readonly string[]) => void
}

/** `names` are real ones: a link among them is refused. */
export async function openFolder(root: Root, names: readonly string[], { create }: InFolder = {}): Promise<OpenFolder> {
  let folder = await openAt(root, root.path, root.path)
  for (const [index, name] of names.entries()) {
    const above = folder
    try {
      if (create) {
        const isNew = await mkdir(above.at(name)).then(
          () => true,
          (error) => {
            if (codeOf(error) !== 'EEXIST') throw error
            return false
          },
        )
        if (isNew) create(names.slice(0, index + 1))
      }
      folder = await above.enter(name)
    } finally {
      await above.close()
    }
  }
  return folder
}

export async function inFolder<Value>(
  root: Root,
  names: readonly string[],
  work: (folder: OpenFolder) => Promise<Value>,
): Promise<Value> {
  const folder = await openFolder(root, names)
  try {
    return await work(folder)
  } finally {
    await folder.close()
  }
}

async function openAt(root: Root, at: string, path: string): Promise<OpenFolder> {
  if (root.byHandle) return new OpenFolder(root, path, await open(at, folderFlags))
  const folder = new OpenFolder(root, path)
  await folder.check()
  return folder
}

export function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}
