/** Runs a command of this workspace. */
import { spawn } from 'node:child_process'

export type Ran = { code: number; output: string }

/** Turbo sends no telemetry and prints no advertisement. */
const env = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  DO_NOT_TRACK: '1',
  // Its output goes through a pipe; whether there is a terminal behind it is known here.
  ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
}

/** Waits for the command and gives its exit code and all of its output; `show` also prints it as it comes. */
export function run(
  command: string,
  given: readonly string[],
  options: { show?: boolean; cwd?: string } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, given, {
      env,
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    })
    let output = ''
    const take = (piece: Buffer) => {
      output += piece
      if (options.show) process.stdout.write(piece)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
