/** Runs a command for a plugin: no shell, an environment of its own, bounded time and output. */
import { execFile } from 'node:child_process'
import type { PluginHost } from '@clew/core'
import { InputError } from '@clew/core'

const maxOutputBytes = 1024 * 1024
const timeoutMs = 60_000

export const declaredCommand: PluginHost['run'] = (command, args, { input, signal } = {}) =>
  new Promise((resolve, reject) => {
    const options = {
      env: { PATH: process.env.PATH },
      maxBuffer: maxOutputBytes,
      timeout: timeoutMs,
      killSignal: 'SIGKILL' as const,
      ...(signal && { signal }),
    }
    const child = execFile(command, [...args], options, (error, stdout, stderr) => {
      if (!error) resolve({ code: 0, stdout, stderr })
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
      else reject(new InputError(`The command ${JSON.stringify(command)} did not end by itself: ${reasonOf(error)}.`))
    })
    // A command that reads nothing may be gone before it was written to.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
  })

function reasonOf(error: { code?: unknown; killed?: boolean; signal?: unknown; name: string }): string {
  if (error.code === 'ENOENT') return 'it is not installed'
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `it wrote more than ${maxOutputBytes} bytes`
  if (error.name === 'AbortError') return 'the call was aborted'
  return error.killed ? `it took longer than ${timeoutMs} ms` : `signal ${String(error.signal)}`
}
