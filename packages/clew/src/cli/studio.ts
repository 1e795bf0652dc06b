/** `clew studio`: the page that shows runs, served until Ctrl-C. */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { InputError } from '@clew/core'
import { startStudio } from '@clew/studio'
import { openTraces } from '@clew/tracing'
import type { Command } from './dispatch.ts'

const help = `clew studio [options]

Runs as they go on, what was said in them, what they cost: a page in the browser, for this computer alone.

  --file PATH  the store of traces; default .clew/traces.db
  --port PORT  default: a free one
  --help       this
`

export const studio: Command = async (args, terminal) => {
  const { help: isHelp, file, port } = read(args)
  if (isHelp) {
    terminal.out(help)
    return 0
  }
  // Made when it is not there: the page waits for the first run, and says how to have one traced.
  const traces = openTraces(file, { create: true })
  try {
    await using served = await startStudio({ traces, ...(port !== undefined && { port }) })
    terminal.out(
      `${served.url}\n\nOpen the link in a browser of this computer. Whoever has it reads all that was said. Ctrl-C ends it.\n`,
    )
    if (!terminal.signal.aborted) await once(terminal.signal, 'abort')
    return 0
  } finally {
    traces.close()
  }
}

/** @throws InputError */
function read(args: readonly string[]): { help?: boolean; file?: string; port?: number } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { file: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean' } },
    })
    const { port, ...rest } = values
    if (port === undefined) return rest
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`--port ${JSON.stringify(port)} is no port.`)
    return { ...rest, port: Number(port) }
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\.?$/, '.')
    throw new InputError(`${reason} It goes like this: clew studio [--file PATH] [--port PORT]`, { cause })
  }
}
