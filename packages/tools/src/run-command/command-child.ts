/** `commandChild` starts one program in a process group of its own and ends the whole group when it is over. */
import { type ChildProcess, spawn } from 'node:child_process'
import { Kept } from '../jail/kept.ts'

export type CommandOptions = {
  command: string
  args: string[]
  cwd: string
  env: Record<string, string>
  timeoutMs: number
  signal: AbortSignal
}

export type CommandEnd =
  | { status: 'missing'; reason: string }
  | { status: 'exited' | 'timeout'; exitCode: number | undefined; killedBy?: string; stdout: string; stderr: string }

/** Characters of each of stdout and stderr. */
const chars = 5_000
/** Between SIGTERM and SIGKILL. */
const graceMs = 1_000

/** @throws the signal's reason when it fires; the group has ended then */
export function commandChild({ command, args, cwd, env, timeoutMs, signal }: CommandOptions): Promise<CommandEnd> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, detached: true, shell: false, stdio: ['ignore', 'pipe', 'pipe'] })
    const stdout = collect(child.stdout)
    const stderr = collect(child.stderr)
    let status: 'exited' | 'timeout' = 'exited'
    let grace: NodeJS.Timeout | undefined
    const end = () => {
      killGroup(child, 'SIGTERM')
      grace ??= setTimeout(() => killGroup(child, 'SIGKILL'), graceMs)
    }
    const timer = setTimeout(() => {
      status = 'timeout'
      end()
    }, timeoutMs)
    signal.addEventListener('abort', end, { once: true })
    const release = () => {
      clearTimeout(timer)
      clearTimeout(grace)
      signal.removeEventListener('abort', end)
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return
      release()
      resolve({ status: 'missing', reason: error.code ?? 'unknown error' })
    })
    // What it left in the background would live on, and keep its output open.
    child.on('exit', () => {
      killGroup(child, 'SIGKILL')
      // Only what left the group is still there; it is not waited for.
      clearTimeout(grace)
      grace = setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, graceMs)
    })
    child.on('close', (code, by) => {
      release()
      if (signal.aborted) reject(signal.reason)
      else {
        resolve({
          status,
          exitCode: code ?? undefined,
          ...(by !== null && { killedBy: by }),
          stdout: stdout.toString(),
          stderr: stderr.toString(),
        })
      }
    })
  })
}

function killGroup({ pid }: ChildProcess, by: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, by)
  } catch {
    // Nobody of it is left.
  }
}

function collect(stream: NodeJS.ReadableStream): Kept {
  const kept = new Kept(chars)
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => kept.add(text))
  return kept
}
