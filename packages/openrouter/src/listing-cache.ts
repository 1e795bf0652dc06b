/** The list of models on disk, with its age. A cache that cannot be read or written is none: nothing fails for it. */
import type { Json } from '@clew/core'

export type Listing = { asOf: string; models: Json[] }
type Place = { folder: string | false | undefined; baseURL: string }

export async function readListing(place: Place): Promise<Listing | undefined> {
  const file = await fileOf(place)
  if (file === undefined) return undefined
  try {
    const { readFile } = await import('node:fs/promises')
    const { asOf, models } = JSON.parse(await readFile(file, 'utf8')) as Partial<Listing>
    if (typeof asOf !== 'string' || Number.isNaN(Date.parse(asOf)) || !Array.isArray(models)) return undefined
    return { asOf, models }
  } catch {
    return undefined
  }
}

export async function writeListing(place: Place, listing: Listing): Promise<void> {
  const file = await fileOf(place)
  if (file === undefined) return
  try {
    const { mkdir, rename, writeFile } = await import('node:fs/promises')
    const { dirname } = await import('node:path')
    await mkdir(dirname(file), { recursive: true })
    // Whole or not at all: other processes read it meanwhile.
    const draft = `${file}.${crypto.randomUUID()}.tmp`
    await writeFile(draft, JSON.stringify(listing))
    await rename(draft, file)
  } catch {
    // The next process asks again.
  }
}

/** One file for each server. `undefined` where there is no disk. */
async function fileOf({ folder, baseURL }: Place): Promise<string | undefined> {
  if (folder === false) return undefined
  try {
    const { join } = await import('node:path')
    const { homedir } = await import('node:os')
    const caches = globalThis.process?.env?.XDG_CACHE_HOME || join(homedir(), '.cache')
    const name = baseURL.replace(/^https?:\/\//, '').replace(/[^\w.-]+/g, '-')
    return join(folder ?? join(caches, 'clew'), `models-${name}.json`)
  } catch {
    return undefined
  }
}
