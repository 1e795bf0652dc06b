/** `readPlain` reads a plain file of an opened folder. It never waits for a pipe and never touches a device. */
import { constants, type Stats } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { InputError } from '@clew/core'
import { shown } from './names.ts'
import type { OpenFolder, Root } from './open-folder.ts'

const fileFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const chunkBytes = 1 << 20

/** @throws InputError for what is no plain file, or has more than `maxBytes` */
export async function readPlain(
  root: Root,
  folder: OpenFolder,
  name: string,
  { path, maxBytes, signal }: { path: string; maxBytes: number; signal?: AbortSignal },
): Promise<Uint8Array> {
  // To open a device can already do something, so it is looked at first, and again when it is open.
  const before = await lstat(folder.at(name))
  checkPlain(before, root, path)
  const file = await open(folder.at(name), fileFlags)
  try {
    const stats = await file.stat()
    checkPlain(stats, root, path)
    await folder.check()
    if (!root.byHandle && stats.ino !== before.ino)
      throw new InputError(`${shown(path)} was replaced meanwhile. Try again.`)
    if (stats.size > maxBytes) throw tooBig(path, stats.size, maxBytes)
    const chunks: Uint8Array[] = []
    for (let total = 0; ; ) {
      signal?.throwIfAborted()
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(chunkBytes, stats.size + 1)), 0)
      if (bytesRead === 0) return Buffer.concat(chunks)
      total += bytesRead
      if (total > maxBytes) throw tooBig(path, total, maxBytes)
      chunks.push(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}

/** @throws InputError with what it is instead */
export function checkPlain(stats: Stats, root: Pick<Root, 'refusesHardLinks'>, path: string): void {
  if (stats.isDirectory()) throw new InputError(`${shown(path)} is a folder. Look into it with list_files.`)
  if (!stats.isFile())
    throw new InputError(`${shown(path)} is ${kindOf(stats)}, no plain file. Only plain files can be used.`)
  if (root.refusesHardLinks && stats.nlink > 1) {
    throw new InputError(`${shown(path)} has other names (hard links) that may stand outside. It is not read.`)
  }
}

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a link that was put there meanwhile'
  if (stats.isFIFO()) return 'a pipe'
  return stats.isSocket() ? 'a socket' : 'a device'
}

function tooBig(path: string, bytes: number, maxBytes: number): InputError {
  const count = (n: number) => n.toLocaleString('en-US')
  return new InputError(
    `${shown(path)} has ${count(bytes)} bytes or more, more than the ${count(maxBytes)} that tools read. Go on without it.`,
  )
}
