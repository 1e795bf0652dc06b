/** `tracing()`: what a run costs more, in time of the processor, when it is traced into the local store. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, type Middleware, tool } from '@clew/core'
import { openrouter } from '@clew/openrouter'
import { type LocalTraces, localTraces, trace } from '@clew/tracing'
import type { Figure, Size } from './figure.ts'
import { collectYoung } from './garbage.ts'
import { medianRatio, pairs } from './pairs.ts'

/** `runs`: of each kind in a pair, so that what is written in batches is shared as it is in a program. */
type Amounts = { pairs: number; runs: number; warm: number }

const amounts: { [Name in Size]: Amounts } = {
  full: { pairs: 60, runs: 20, warm: 60 },
  quick: { pairs: 30, runs: 10, warm: 30 },
  tiny: { pairs: 2, runs: 1, warm: 1 },
}
const turns = 10

export async function* tracing(size: Size): AsyncGenerator<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-tracing-'))
  const { server, port } = await startServer()
  const tracerProvider = localTraces({ path: join(folder, 'traces.db') })
  try {
    for (const [name, content, goal] of [
      ['', false, 1.3],
      [', with content', true, undefined],
    ] as const) {
      const ratio = await measure(port, amounts[size], trace({ tracerProvider, content }), tracerProvider)
      yield { name: `run of ${turns} turns, streamed: traced to SQLite${name}, CPU`, ratio, ...(goal && { goal }) }
    }
  } finally {
    await tracerProvider.shutdown()
    server.disconnect()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(port: number, { pairs: count, runs, warm }: Amounts, layer: Middleware, traces: LocalTraces) {
  const [traced, bare] = [agentOf(port, [layer]), agentOf(port, [])]
  const work = async (agent: Agent, times: number) => {
    for (let at = 0; at < times; at += 1) for await (const _ of agent.run('Look at the table.'));
  }
  await work(bare, warm)
  await work(traced, warm)
  const measured = await pairs({
    count,
    // With all that was left to be written.
    one: async () => {
      await work(traced, runs)
      await traces.forceFlush()
    },
    other: () => work(bare, runs),
    meter: () => process.cpuUsage().user + process.cpuUsage().system,
    settle: collectYoung,
  })
  return medianRatio(measured)
}

function agentOf(port: number, use: Middleware[]): Agent {
  const model = openrouter('bench/model', { apiKey: 'local', baseURL: `http://127.0.0.1:${port}/api/v1` })
  const look = tool({
    name: 'look',
    input: { type: 'object', properties: { id: { type: 'number' }, query: { type: 'string' } }, required: ['id'] },
    execute: () => 'A record of the table. '.repeat(10),
  })
  return new Agent({ name: 'bench', model, tools: [look], use, instructions: 'Be brief.' })
}

async function startServer(): Promise<{ server: ChildProcess; port: number }> {
  const server = fork(join(import.meta.dirname, 'stream-server.ts'), [String(turns)])
  const port = await new Promise<number>((resolve, reject) => {
    server.once('message', (told) => resolve(told as number))
    server.once('error', reject)
  })
  return { server, port }
}
