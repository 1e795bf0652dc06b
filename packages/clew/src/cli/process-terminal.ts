/** `processTerminal()`: the terminal that this process was started in. */
import type { Terminal } from './dispatch.ts'

/** Colours only where somebody looks, as https://no-color.org has it. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process
  const controller = new AbortController()
  // Ctrl-C ends what watches, as its way to end; who does not heed it is ended by the second one.
  process.once('SIGINT', () => controller.abort())
  // `clew runs | head`: whoever reads has seen enough.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    controller.abort()
  })
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isColoured: env.FORCE_COLOR
      ? env.FORCE_COLOR !== '0'
      : stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    columns: stdout.columns ?? (Number(env.COLUMNS) || 120),
    signal: controller.signal,
  }
}
