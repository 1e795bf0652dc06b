/** Runs Python of strangers in Pyodide, which is CPython as WebAssembly. Started by `inJail`. */
import { constants } from 'node:fs'
import type { loadPyodide } from 'pyodide'
import { type Answer, serve } from '../jail/inside.ts'
import { Kept, kept } from '../jail/kept.ts'

export type PythonRequest = { url: string; memoryMb: number } & (
  | { type: 'snapshot' }
  | { type: 'program'; code: string; timeoutMs: number; chars: number }
)

type Pyodide = Awaited<ReturnType<typeof loadPyodide>>
type Drive = (code: string) => Promise<string>

/**
 * Gives a program names of its own, shows the value of its last expression as Python would, and tells of an error with the
 * program's own lines. JSON, because objects of Python that reach JavaScript would bring more than they say.
 */
const driver = `
import json, linecache, random, traceback
from pyodide.code import eval_code_async
async def drive(code):
    random.seed()  # interpreters that start from one snapshot would throw the same dice
    linecache.cache['script.py'] = (len(code), None, code.splitlines(True), 'script.py')
    try:
        value = await eval_code_async(code, {'__name__': '__main__'}, filename='script.py')
        return json.dumps({} if value is None else {'result': value if type(value) is str else repr(value)})
    except SystemExit as error:
        return json.dumps({} if error.code in (None, 0) else {'error': f'SystemExit: {error.code}'})
    except BaseException as error:
        try:
            told = traceback.TracebackException.from_exception(error, limit=-20)
            told.stack[:] = [frame for frame in told.stack if frame.filename == 'script.py'][-5:]
            text = ''.join(told.format())
        except BaseException:
            text = type(error).__name__
        return json.dumps({'error': text})
drive
`

await serve<PythonRequest>(async (request, snapshot) => {
  const { url, memoryMb } = request
  limitMemory(memoryMb)
  // Pyodide asks for the numbers of open flags this way, which the permission model refuses.
  Object.assign(process, { binding: (name: string) => (name === 'constants' ? { fs: constants } : undefined) })
  // Python would see it in its environment.
  process.argv = ['python', 'python']
  const pyodide = (await import(url)) as { loadPyodide: typeof loadPyodide }
  const python = await pyodide.loadPyodide({
    // What `import js` shows.
    jsglobals: Object.create(null),
    env: { HOME: '/home/user' },
    // Not public: an interpreter starts from its memory after start-up, in a sixth of the time.
    ...(request.type === 'snapshot' && { _makeSnapshot: true }),
    // Copied, because it is read in words of four bytes.
    ...(snapshot.length > 0 && { _loadSnapshot: new Uint8Array(snapshot) }),
  })
  if (request.type === 'snapshot') return () => ({ answer: {}, attachment: python.makeMemorySnapshot() })
  const { code, timeoutMs, chars } = request
  const printed = new Kept(chars)
  captureOutput(python, printed)
  limitFiles(python, memoryMb)
  python.FS.mkdirTree('/home/user')
  python.FS.chdir('/home/user')
  const drive = (await python.runPythonAsync(driver)) as unknown as Drive
  // What breaks Pyodide itself is thrown where nobody waits for it.
  const broken = new Promise<Error>((resolve) => process.on('uncaughtException', resolve))
  // Python reaches objects of JavaScript through pyodide.ffi whatever is taken away here; the process has nothing to give.
  for (const name of ['pyodide_js', 'pyodide_js._api'])
    python.runPython(`import sys; sys.modules.pop(${JSON.stringify(name)}, None)`)
  python.unregisterJsModule('pyodide_js')
  for (const name of ['process', 'require', 'navigator', 'Worker', 'MessageChannel', 'BroadcastChannel']) {
    Reflect.deleteProperty(globalThis, name)
  }
  return () => run(drive, code, printed, () => interruptAfter(python, timeoutMs), chars, broken)
})

async function run(
  drive: Drive,
  code: string,
  printed: Kept,
  arm: () => () => boolean,
  chars: number,
  broken: Promise<Error>,
): Promise<Answer> {
  const isLate = arm()
  let told: { result?: unknown; error?: unknown } = {}
  try {
    told = JSON.parse(String(await Promise.race([drive(code), broken.then((error) => Promise.reject(error))])))
  } catch {
    // Pyodide calls it fatal: its stack overflowed, or its memory is spoilt. The process ends after this answer.
    told = {
      error:
        'The interpreter broke down: nested too deeply, out of memory, or asked for what is not here (processes, network).',
    }
  }
  const texts = Object.entries(told).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, kept(value, chars)]] : [],
  )
  return { answer: { ...Object.fromEntries(texts), ...(isLate() && { isTimeout: true }), printed: printed.toString() } }
}

/** Python looks into this "buffer" every few instructions, and ends the program with KeyboardInterrupt where it holds 2. */
function interruptAfter(python: Pyodide, timeoutMs: number): () => boolean {
  const { now } = Date
  const deadline = now() + timeoutMs
  let isLate = false
  const buffer = {
    get 0() {
      // Once: what the program's end needs of Python is not interrupted too.
      if (isLate || now() <= deadline) return 0
      isLate = true
      return 2
    },
    set 0(_) {},
  }
  python.setInterruptBuffer(buffer as unknown as Uint8Array)
  return () => isLate
}

/** Python then raises MemoryError. WebAssembly asks JavaScript for more memory, so nothing inside goes around this. */
function limitMemory(memoryMb: number): void {
  const { prototype } = WebAssembly.Memory
  const { grow } = prototype
  const most = memoryMb * 1024 * 1024
  prototype.grow = function (this: WebAssembly.Memory, pages: number) {
    if (this.buffer.byteLength + pages * 65_536 > most) throw new RangeError('The limit of memory is reached.')
    return grow.call(this, pages)
  }
}

/** The ways in which Pyodide's files grow. */
type Files = {
  isFile(mode: number): boolean
  write(stream: { node: { mode: number } }, from: unknown, offset: number, length: number, ...rest: unknown[]): number
  truncate(file: unknown, length: number): void
  ftruncate(fd: number, length: number): void
}

/** Files stand in memory of JavaScript, which the limit of WebAssembly does not count. */
function limitFiles(python: Pyodide, memoryMb: number): void {
  let left = memoryMb * 1024 * 1024
  const spend = (bytes: number) => {
    left -= bytes
    // 51: no space left on the device.
    if (left < 0) throw new python.FS.ErrnoError(51)
  }
  const files: Files = python.FS
  const { write, truncate, ftruncate } = files
  files.write = (stream, from, offset, length, ...rest) => {
    if (files.isFile(stream.node.mode)) spend(length)
    return write.call(files, stream, from, offset, length, ...rest)
  }
  files.truncate = (file, length) => {
    spend(length)
    truncate.call(files, file, length)
  }
  files.ftruncate = (fd, length) => {
    spend(length)
    ftruncate.call(files, fd, length)
  }
}

function captureOutput(python: Pyodide, printed: Kept): void {
  for (const set of ['setStdout', 'setStderr'] as const) {
    const decoder = new TextDecoder()
    python[set]({
      write(bytes) {
        printed.add(decoder.decode(bytes, { stream: true }))
        return bytes.length
      },
    })
  }
  python.setStdin({ error: true })
}
