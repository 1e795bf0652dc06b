/** `clew studio`: the page that shows runs, served until Ctrl-C. */
import { once } from 'node:events'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Agent, describeError, InputError } from '@clew/core'
import { startStudio } from '@clew/studio'
import { openTraces } from '@clew/tracing'
import type { Command } from './dispatch.ts'

const help = `clew studio [FILE] [options]

Runs as they go on, what was said in them, what they cost: a page in the browser, for this computer alone.
FILE exports agents, to be talked to there.

  --file PATH  the store of traces; default .clew/traces.db
  --port PORT  default: a free one
  --help       this
`

export const studio: Command = async (args, terminal) => {
  const { help: isHelp, file, port, agents: path } = read(args)
  if (isHelp) {
    terminal.out(help)
    return 0
  }
  const agents = path === undefined ? [] : await load(path)
  // Made when it is not there: the page waits for the first run, and says how to have one traced.
  const traces = openTraces(file, { create: true })
  try {
    await using served = await startStudio({ traces, agents, ...(port !== undefined && { port }) })
    terminal.out(
      `${served.url}\n\nOpen the link in a browser of this computer. Whoever has it reads all that was said. Ctrl-C ends it.\n`,
    )
    if (!terminal.signal.aborted) await once(terminal.signal, 'abort')
    return 0
  } finally {
    traces.close()
  }
}

/** All that the file exports. @throws InputError when it exports none, or cannot be loaded. */
async function load(path: string): Promise<Agent[]> {
  const exported = await import(pathToFileURL(resolve(path)).href).catch((cause: unknown) => {
    throw new InputError(`${path} could not be loaded: ${describeError(cause)}`, { cause })
  })
  const agents = Object.values(exported as object).filter((value): value is Agent => value instanceof Agent)
  if (agents.length === 0)
    throw new InputError(`${path} exports no agent. Write: export const guide = new Agent({ … })`)
  return agents
}

/** @throws InputError */
function read(args: readonly string[]): { help?: boolean; file?: string; port?: number; agents?: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { file: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean' } },
    })
    const { port, ...given } = values
    const [agents, more] = positionals
    if (more !== undefined) throw new Error(`${JSON.stringify(more)} is one file too many.`)
    const rest = { ...given, ...(agents !== undefined && { agents }) }
    if (port === undefined) return rest
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`--port ${JSON.stringify(port)} is no port.`)
    return { ...rest, port: Number(port) }
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\.?$/, '.')
    throw new InputError(`${reason} It goes like this: clew studio [FILE] [--file PATH] [--port PORT]`, { cause })
  }
}
