/** The folder of recordings: writes a file, reads them all. */
import { DefinitionError, InputError } from '@clew/core'
import { fieldsOf } from '../json.ts'
import { parseRecording, type Recording } from './recording.ts'

export type Shelved = { file: string; recording: Recording }

/**
 * The recordings of a folder by number and name. Read in one go, so that a replayer can list them before its first request.
 * @throws InputError when it is missing or holds none, and for a file that is no recording.
 */
export function readFolder(folder: string): Shelved[] {
  const fs = files('replay() reads')
  let names: string[]
  try {
    names = fs.readdirSync(folder).filter((name) => name.endsWith('.json'))
  } catch (cause) {
    const message = `The recordings in ${folder} cannot be read: ${(cause as Error).message}.`
    throw new InputError(`${message} ${howToRecord(folder)}`, { cause })
  }
  if (names.length === 0) throw new InputError(`There are no recordings in ${folder}. ${howToRecord(folder)}`)
  const inOrder = new Intl.Collator('en', { numeric: true }).compare
  return names.sort(inOrder).map((file) => {
    const path = `${folder}/${file}`
    return { file, recording: parseRecording(fs.readFileSync(path, 'utf8'), path) }
  })
}

/** @throws DefinitionError for what cannot be a folder, and for an option that does not exist. */
export function checkFolder(folder: unknown, options: object, known: string[], who: string): void {
  if (typeof folder !== 'string' || folder === '')
    throw new DefinitionError(`${who}(): the folder is ${JSON.stringify(folder)}; give its path.`)
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown) throw new DefinitionError(`${who}(): there is no option "${unknown}". Known: ${known.join(', ')}.`)
}

export function howToRecord(folder: string): string {
  return `Record with openrouter(model, { fetch: record(${JSON.stringify(folder)}) }).`
}

/** The highest number that a file begins with; 0 for a folder that is empty or not there yet. */
export async function lastNumber(folder: string): Promise<number> {
  const { promises } = files('record() writes')
  // What is wrong with the folder is told when a file is written.
  const names = await promises.readdir(folder).catch(() => [])
  return Math.max(0, ...names.map((name) => Number(/^(\d+)--.*\.json$/.exec(name)?.[1] ?? 0)))
}

/** Whole or not at all: a draft beside it, then renamed. */
export async function writeRecording(folder: string, number: number, recording: Recording): Promise<void> {
  const { mkdir, rename, rm, writeFile } = files('record() writes').promises
  let file = `${folder}/${fileName(number, recording)}`
  const draft = `${folder}/.${crypto.randomUUID()}.tmp`
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(draft, `${JSON.stringify(recording, null, 1)}\n`)
    // Another recorder may write into the folder meanwhile: the name is taken first, then filled.
    for (;;) {
      const isOurs = await writeFile(file, '', { flag: 'wx' }).then(() => true, isTaken)
      if (isOurs) break
      file = `${folder}/${fileName(++number, recording)}`
    }
    await rename(draft, file)
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {})
    const message = `The recording ${file} could not be written: ${(cause as Error).message}.`
    throw new InputError(`${message} Give record() a folder that can be written, on a disk with room.`, { cause })
  }
}

/** Not imported: the package also runs in browsers, whose bundlers follow every import, and replay() cannot wait for one. */
function files(who: string): typeof import('node:fs') {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs')
  if (!fs) throw new InputError(`${who} files: it needs Node, Bun or Deno. Elsewhere give a fetch of your own.`)
  return fs
}

function isTaken(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false
  throw error
}

/** `0001--qwen-qwen3.5-9b.json`; without a model, the end of the path. */
function fileName(number: number, { request: { path, body } }: Recording): string {
  const { model } = fieldsOf(body)
  const name = typeof model === 'string' ? model : path.replace(/\?.*$/, '').split('/').slice(-2).join('-')
  const slug = name.replace(/[^\w.-]+/g, '-').slice(0, 60)
  return `${String(number).padStart(4, '0')}--${slug}.json`
}
