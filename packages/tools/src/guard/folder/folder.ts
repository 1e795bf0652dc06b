/** `folder` is the one place that an agent's file tools share: what they may see and change, and what was read. */
import { createHash } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { parse, sep } from 'node:path'
import { DefinitionError, InputError } from '@clew/core'
import { type Change, commit } from './commit.ts'
import { denier, secretNames } from './deny.ts'
import { codeOf, failure } from './failure.ts'
import { locate, locateExisting } from './locate.ts'
import { shown } from './names.ts'
import { hasHandles, inFolder, isInside, type Root } from './open-folder.ts'
import { readPlain } from './read-plain.ts'
import { type Entry, walk } from './walk.ts'

export type FolderOptions = {
  /**
   * `ask` (the default): a person approves each change. `allowed`: tools write without asking. `never`: only reading tools
   * can be made.
   */
  write?: 'ask' | 'allowed' | 'never'
  /**
   * Names and paths that no tool reads, writes or shows, as glob patterns: without `/` a name at any depth, with `/` a path
   * from the folder. Default `secretNames`; a list of yours stands in its place.
   */
  deny?: readonly string[]
  /** Names of folders that are shown, and can be read by name, but not searched. Default `['node_modules']`. */
  skip?: readonly string[]
  /** The files come from strangers: what is read of them stands between marks, and files with several names are refused. */
  untrusted?: boolean
  /** Bytes of a file that is read or written, at most. Default 10,000,000. */
  maxBytes?: number
}

/** A file as it is now. Without `bytes` there is none yet. */
export type CurrentFile = {
  path: string
  names: readonly string[]
  bytes?: Uint8Array
  /** It was read or written through this folder, and is as it was then. */
  isFresh: boolean
  wasRead: boolean
}

/** What `folder()` gives: for the file tools, and for tools of your own. All paths are the model's, from the folder. */
export type Folder = {
  readonly write: 'ask' | 'allowed' | 'never'
  readonly untrusted: boolean
  readonly maxBytes: number
  /** @throws InputError that the model can act on. What was read counts as read: it may be overwritten and edited. */
  read(path: string, signal?: AbortSignal): Promise<{ path: string; bytes: Uint8Array }>
  /** What is below the folder `path`, in the order of names. `budget` is counted down by each entry. */
  walk(
    path: string,
    options: { depth: number; budget: { left: number }; signal: AbortSignal },
  ): AsyncGenerator<Entry, void>
  /**
   * Changes files, all or none, one call after another. `plan` gets what stands there and says what is to become of it.
   * @throws InputError that the model can act on
   */
  change(plan: (now: (path: string) => Promise<CurrentFile>) => Promise<Change[]>, signal?: AbortSignal): Promise<void>
}

/** Files whose last content is remembered. */
const maxSeen = 10_000

/**
 * @throws DefinitionError when the folder is not there, or holds the whole machine
 */
export function folder(path: string, options: FolderOptions = {}): Folder {
  return openJail(path, options, hasHandles)
}

/** @internal With `byHandle: false` as on systems without `/proc/self/fd`. */
export function openJail(path: string, options: FolderOptions, byHandle: boolean): Folder {
  const { write, deny, skip, untrusted, maxBytes } = checked(options)
  const root: Root = { path: realFolder(path), isDenied: denier(deny), refusesHardLinks: untrusted, byHandle }
  const seen = new Map<string, string>()
  let last: Promise<unknown> = Promise.resolve()

  const remember = (names: readonly string[], bytes?: Uint8Array) => {
    const key = names.join('/')
    seen.delete(key)
    if (bytes) seen.set(key, digest(bytes))
    if (seen.size > maxSeen) seen.delete(seen.keys().next().value!)
  }
  const readNames = async (names: readonly string[], told: string, signal?: AbortSignal) => {
    const name = names.at(-1)
    if (name === undefined) throw new InputError(`${shown(told)} is a folder. Look into it with list_files.`)
    const options = { path: told, maxBytes, ...(signal && { signal }) }
    return await inFolder(root, names.slice(0, -1), (open) => readPlain(root, open, name, options))
  }

  async function now(told: string): Promise<CurrentFile> {
    try {
      const { names, exists } = await locate(root, told)
      const known = seen.get(names.join('/'))
      const file = { path: told, names, wasRead: known !== undefined }
      if (!exists) return { ...file, isFresh: false }
      const bytes = await readNames(names, told)
      return { ...file, bytes, isFresh: known === digest(bytes) }
    } catch (error) {
      throw failure(error, told)
    }
  }

  return {
    write,
    untrusted,
    maxBytes,
    async read(told, signal) {
      try {
        const names = await locateExisting(root, told, !untrusted)
        const bytes = await readNames(names, told, signal)
        remember(names, bytes)
        return { path: names.join('/'), bytes }
      } catch (error) {
        throw failure(error, told)
      }
    },
    async *walk(told, walkOptions) {
      try {
        const names = await locateExisting(root, told, !untrusted)
        yield* walk(root, names, { ...walkOptions, isSkipped: (name) => skip.includes(name) })
      } catch (error) {
        if (codeOf(error) === 'ENOTDIR') throw new InputError(`${shown(told)} is a file. Read it with read_file.`)
        throw failure(error, told)
      }
    },
    change(plan, signal) {
      const work = last.then(async () => {
        signal?.throwIfAborted()
        const changes = await plan(now)
        await commit(
          root,
          changes.filter(({ was, bytes }) => was === undefined || was !== bytes),
          signal,
        )
        for (const { names, bytes } of changes) remember(names, bytes)
      })
      last = work.catch(() => {})
      return work
    },
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64')
}

function checked(options: FolderOptions): Required<FolderOptions> {
  const {
    write = 'ask',
    deny = secretNames,
    skip = ['node_modules'],
    untrusted = false,
    maxBytes = 10_000_000,
  } = options
  const known = ['write', 'deny', 'skip', 'untrusted', 'maxBytes']
  const stranger = Object.keys(options).find((key) => !known.includes(key))
  if (stranger !== undefined) {
    throw new DefinitionError(`folder: there is no option "${stranger}". Known: ${known.join(', ')}.`)
  }
  if (!['ask', 'allowed', 'never'].includes(write)) {
    throw new DefinitionError(`folder: write is ${JSON.stringify(write)}; it is "ask", "allowed" or "never".`)
  }
  for (const [name, list] of Object.entries({ deny, skip })) {
    if (Array.isArray(list) && list.every((each) => typeof each === 'string' && each !== '')) continue
    throw new DefinitionError(`folder: ${name} is no list of names. Write for example ${name}: ['private'].`)
  }
  if (!(Number.isInteger(maxBytes) && maxBytes > 0 && maxBytes <= 2 ** 30)) {
    throw new DefinitionError(`folder: maxBytes is ${String(maxBytes)}; give a whole number from 1 to 2^30.`)
  }
  return { write, deny, skip, untrusted: untrusted === true, maxBytes }
}

function realFolder(path: string): string {
  if (typeof path !== 'string' || path === '') {
    throw new DefinitionError(`folder: the path is ${JSON.stringify(path)}. Name the folder that tools may use.`)
  }
  let real: string
  try {
    real = realpathSync.native(path)
    if (!statSync(real).isDirectory()) throw new DefinitionError(`folder: ${path} is a file. Name the folder it is in.`)
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined) throw error
    throw new DefinitionError(`folder: ${path} cannot be used (${code}). Make the folder first.`, { cause: error })
  }
  if (real === parse(real).root) throw new DefinitionError(`folder: ${path} is the whole machine. Name a folder in it.`)
  if (sep === '/' && ['/proc', '/sys', '/dev'].some((place) => isInside(place, real) && !isInside('/dev/shm', real))) {
    throw new DefinitionError(`folder: ${path} holds no plain files, but doors to the system. Name another folder.`)
  }
  return real
}
