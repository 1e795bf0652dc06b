/** `walk` goes through a folder in the order of names, each folder before what is in it. It follows no links. */
import { lstat, opendir } from 'node:fs/promises'
import { codeOf } from './failure.ts'
import { type OpenFolder, openFolder, type Root } from './open-folder.ts'
import { readPlain } from './read-plain.ts'

export type Entry = {
  /** From the root, with `/`. */
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  /** Of the folder that the walk began in: 1 is what stands right in it. */
  readonly depth: number
  /** A folder that is not gone into: its name is among those to skip, or it cannot be opened, or it is too deep. */
  isClosed?: true
  /** Of a file. */
  readonly bytes: number
  /** Only while the walk stands here. Nothing where it cannot be read or is too big. */
  read(maxBytes: number): Promise<Uint8Array | undefined>
}

export type WalkOptions = {
  depth: number
  isSkipped: (name: string) => boolean
  /** Counted down by each entry; at 0 the walk ends. */
  budget: { left: number }
  signal: AbortSignal
}

/** Entries of one folder, at most: they are sorted in memory. */
const maxEntries = 20_000
/** Each open folder on the way holds a handle. */
const maxDepth = 100

export async function* walk(root: Root, names: readonly string[], options: WalkOptions): AsyncGenerator<Entry> {
  const folder = await openFolder(root, names)
  try {
    yield* walkFolder(root, folder, names, { ...options, depth: Math.min(options.depth, maxDepth) }, 1)
  } finally {
    await folder.close()
  }
}

async function* walkFolder(
  root: Root,
  folder: OpenFolder,
  names: readonly string[],
  options: WalkOptions,
  depth: number,
): AsyncGenerator<Entry> {
  for (const name of await sorted(folder, options.budget)) {
    const here = [...names, name]
    if (root.isDenied(here)) continue
    options.signal.throwIfAborted()
    if (options.budget.left-- <= 0) return
    const entry = await toEntry(root, folder, here, depth)
    if (entry.kind !== 'folder') {
      yield entry
      continue
    }
    const inner = depth < options.depth && !options.isSkipped(name) ? await enterQuietly(folder, name) : undefined
    try {
      yield inner ? entry : { ...entry, isClosed: true }
      if (inner) yield* walkFolder(root, inner, here, options, depth + 1)
    } finally {
      await inner?.close()
    }
  }
}

async function sorted(folder: OpenFolder, budget: { left: number }): Promise<string[]> {
  const all: string[] = []
  for await (const { name } of await opendir(folder.place)) {
    all.push(name)
    if (all.length < maxEntries) continue
    budget.left = Math.min(budget.left, maxEntries)
    break
  }
  return all.sort()
}

async function toEntry(root: Root, folder: OpenFolder, names: readonly string[], depth: number): Promise<Entry> {
  const name = names.at(-1)!
  const path = names.join('/')
  const stats = await lstat(folder.at(name)).catch(() => undefined)
  return {
    path,
    kind: stats?.isFile() ? 'file' : stats?.isDirectory() ? 'folder' : stats?.isSymbolicLink() ? 'link' : 'other',
    depth,
    bytes: stats?.size ?? 0,
    read: (maxBytes) => readPlain(root, folder, name, { path, maxBytes }).catch(() => undefined),
  }
}

/** Nothing where there is no permission, or where it is a folder no more. */
async function enterQuietly(folder: OpenFolder, name: string): Promise<OpenFolder | undefined> {
  return await folder.enter(name).catch((error) => {
    if (codeOf(error) === 'EMFILE') throw error
    return undefined
  })
}
