/** `inJail` answers one request in a process that can reach nothing of this machine, and ends that process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DefinitionError } from '@clew/core'
import { enter } from './gate.ts'
import { residentMbOf, watchEveryMs } from './resident.ts'

export type JailOptions = {
  /** Module beside this one that calls `serve`, as a path from `src` without its ending: `run-python/python-runner`. */
  runner: string
  request: object
  /** Raw bytes that go with the request. */
  attachment?: Uint8Array
  /** Folders and files that the library inside has to read. */
  reads: string[]
  /** Milliseconds for the work. Loading the library is not counted; it has a minute. */
  timeoutMs: number
  /** Megabytes that the process may hold in sum. Watched on Linux. */
  residentMb: number
  /** Megabytes of its JavaScript heap. */
  heapMb: number
  /** Bytes of the answer, at most. */
  answerBytes: number
  signal?: AbortSignal
}

/** `ended`: it died, or was ended for what it held. */
export type JailOutcome =
  | { status: 'answered'; answer: unknown; attachment: Buffer }
  | { status: 'timeout' }
  | { status: 'ended'; reason: string }

const loadMs = 60_000
const here = realpathSync(fileURLToPath(import.meta.url))
/** `.ts` in the sources, `.js` where it is published. */
const ending = extname(here)
const source = join(here, '../..')

/**
 * The process runs Node's permission model (no files but `reads`, no processes, no threads, no addons), turns no text into
 * JavaScript, has an empty environment and no network.
 * @throws the signal's reason when it fires; the process is ended then
 */
export async function inJail(options: JailOptions): Promise<JailOutcome> {
  const { signal } = options
  signal?.throwIfAborted()
  const leave = await enter(signal)
  try {
    return await answerOf(start(options), options)
  } finally {
    leave()
  }
}

function start({ runner, reads, heapMb, timeoutMs }: JailOptions): ChildProcess {
  const readable = [join(source, '../package.json'), `${source}/`, ...reads]
  const flags = [
    '--permission',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings',
    `--max-old-space-size=${heapMb}`,
    '--no-warnings',
  ]
  // Windows cannot start Node without SystemRoot.
  const { SystemRoot } = process.env
  const command = [process.execPath, ...flags, join(source, runner + ending)]
  // Should this process die, the kernel ends what still computes; elsewhere a program's own deadline does.
  const cpuSeconds = 120 + Math.ceil(timeoutMs / 500)
  const [file, ...args] =
    process.platform === 'win32' ? command : ['/bin/sh', '-c', 'ulimit -t "$0"; exec "$@"', `${cpuSeconds}`, ...command]
  return spawn(file as string, args, {
    env: SystemRoot === undefined ? {} : { SystemRoot },
    cwd: source,
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  })
}

function answerOf(child: ChildProcess, options: JailOptions): Promise<JailOutcome> {
  const { signal, timeoutMs, request, attachment, residentMb, answerBytes } = options
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    let ending: JailOutcome | undefined
    const end = (outcome: JailOutcome) => {
      ending ??= outcome
      child.kill('SIGKILL')
    }
    let timer = setTimeout(() => end({ status: 'ended', reason: 'it could not be loaded within a minute' }), loadMs)
    const watch = setInterval(() => {
      if (residentMbOf(child.pid) > residentMb) end({ status: 'ended', reason: 'it held too much memory' })
    }, watchEveryMs)
    const abort = () => child.kill('SIGKILL')
    signal?.addEventListener('abort', abort, { once: true })

    child.stdout?.on('data', (chunk: Buffer) => {
      // The first byte says that the library is loaded and the work begins.
      if (length === 0) {
        clearTimeout(timer)
        timer = setTimeout(() => end({ status: 'timeout' }), timeoutMs)
      }
      length += chunk.length
      if (length > answerBytes + 1) end({ status: 'ended', reason: 'its answer was too long' })
      else chunks.push(chunk)
    })
    // A process that dies early does not read its request.
    child.stdin?.on('error', () => {})
    child.stdin?.write(`${JSON.stringify(request)}\n`)
    child.stdin?.end(attachment)

    const settle = (outcome: () => JailOutcome) => {
      clearTimeout(timer)
      clearInterval(watch)
      signal?.removeEventListener('abort', abort)
      try {
        signal?.throwIfAborted()
        resolve(ending ?? outcome())
      } catch (error) {
        reject(error)
      }
    }
    child.on('error', (cause) => settle(() => refuse(`could not be started: ${cause.message}`)))
    child.on('close', (code, by) => settle(() => read(Buffer.concat(chunks), by ?? `code ${code}`)))
  })
}

function read(bytes: Buffer, ending: string): JailOutcome {
  const line = bytes.indexOf('\n')
  if (line < 0) return { status: 'ended', reason: `its process ended early (${ending})` }
  let answer: { answer?: unknown; refused?: string }
  try {
    answer = JSON.parse(bytes.toString('utf8', 1, line))
  } catch {
    return { status: 'ended', reason: 'its answer could not be read' }
  }
  if (answer.refused !== undefined) return refuse(answer.refused)
  return { status: 'answered', answer: answer.answer, attachment: bytes.subarray(line + 1) }
}

function refuse(reason: string): never {
  throw new DefinitionError(
    `The sandbox ${reason}. It needs Node 22.13 or newer as process.execPath, for its permission model, and its package in a version that @clew/tools names.`,
  )
}
