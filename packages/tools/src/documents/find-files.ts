/** The files of documents in files and folders that a person named. */
import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { InputError } from '@clew/core'
import { isDocument } from './read-source.ts'

/** Made by machines, or not meant to be read. */
const skipped = new Set(['node_modules', '.git', 'dist', '.turbo'])

/** Whole paths, in order. @throws InputError for a path where nothing is */
export async function findFiles(source: string, signal?: AbortSignal): Promise<string[]> {
  const found = await stat(source).catch(() => undefined)
  if (!found) throw new InputError(`There is no file or folder ${JSON.stringify(source)}.`)
  if (found.isFile()) return [resolve(source)]
  const files: string[] = []
  const open = [resolve(source)]
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    signal?.throwIfAborted()
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      // A link may lead anywhere, and in circles.
      if (entry.isDirectory() && !skipped.has(entry.name)) open.push(join(folder, entry.name))
      else if (entry.isFile() && isDocument(entry.name)) files.push(join(folder, entry.name))
    }
  }
  return files.sort()
}
