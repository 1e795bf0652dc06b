/** Runs of agents, traced into the local store by the one line. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, approve, type Middleware, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { localTraces, openTraces, trace } from '../src/index.ts'
import { temporary } from './temporary.ts'

const folder = temporary()
let files = 0
const usage = { inputTokens: 100, outputTokens: 10, usd: 0.01 }

function setUp(content = true) {
  const path = join(folder, `${++files}.db`)
  const tracerProvider = localTraces({ path })
  const read = async () => {
    await tracerProvider.forceFlush()
    return openTraces(path)
  }
  return { path, use: [trace({ tracerProvider, content })], read, close: () => tracerProvider.shutdown() }
}

const pay = tool({ name: 'pay', needsApproval: true, execute: () => 'paid' })
const callOf = (name: string, args = {}) => ({ calls: [{ name, arguments: args }], usage })

describe('a run in the local store', () => {
  it('is one row, with its cost, its agents and its tools', async () => {
    const { use, read, close } = setUp()
    const scout = new Agent({ name: 'scout', model: scriptedModel([{ text: 'Sunny.', usage }]) })
    const agent = new Agent({
      name: 'guide',
      model: scriptedModel([callOf('scout', { task: 'Look.' }), { text: 'Go.', usage }]),
      tools: [scout.asTool()],
      use,
    })
    const result = await agent.run('Oslo?')
    const traces = await read()
    const [row, ...more] = traces.runs()
    expect(more).toEqual([])
    expect(row).toMatchObject({
      status: 'done',
      agent: 'guide',
      runId: result.state.id,
      modelCalls: 3,
      toolCalls: 1,
      errors: 0,
      tokens: { input: 300, output: 30 },
      usd: expect.closeTo(0.03),
    })
    expect(traces.totals({ by: 'agent' }).map(({ key, calls }) => [key, calls])).toEqual([
      ['guide', 2],
      ['scout', 1],
    ])
    expect(traces.runs({ text: 'oslo?' })).toHaveLength(1)
    await close()
  })

  it('without content keeps none', async () => {
    const { use, read, close } = setUp(false)
    await new Agent({ name: 'guide', model: scriptedModel(['A secret.']), use }).run('Another secret')
    const traces = await read()
    expect(traces.runs()).toHaveLength(1)
    expect(traces.runs({ text: 'secret' })).toEqual([])
    expect(traces.changes(0).spans.flatMap(({ content }) => content)).toEqual([])
    await close()
  })

  it('is running while it goes on, waiting while it waits, and resumed by the next', async () => {
    const { use, read, close } = setUp()
    const seen: string[] = []
    const watch: Middleware = {
      name: 'watch',
      async *model(request, next) {
        const [row] = (await read()).runs()
        seen.push(`${row?.status} ${row?.agent}`)
        return yield* next(request)
      },
    }
    const model = scriptedModel([callOf('pay'), 'Done.'])
    const agent = new Agent({ name: 'clerk', model, tools: [pay], use: [...use, watch] })
    const paused = await agent.run('Pay.')
    if (paused.status !== 'waiting') throw new Error('It did not wait.')
    expect((await read()).runs().map(({ status }) => status)).toEqual(['waiting'])
    await agent.resume(paused.state, { [paused.needs[0]!.id]: approve() })
    const traces = await read()
    expect(traces.runs().map(({ status }) => status)).toEqual(['done', 'resumed'])
    expect(traces.find(paused.state.id)).toHaveLength(2)
    expect(seen).toEqual(['running clerk', 'running clerk'])
    await close()
  })

  it('goes as it would without, when the store cannot be written', async () => {
    const told = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const path = join(folder, 'broken.db')
    writeFileSync(path, 'no database '.repeat(500))
    const tracerProvider = localTraces({ path })
    const run = async () => {
      const agent = new Agent({ name: 'a', model: scriptedModel(['Hello.']), use: [trace({ tracerProvider })] })
      const { text } = await agent.run('Hi')
      await tracerProvider.forceFlush()
      return text
    }
    expect([await run(), await run()]).toEqual(['Hello.', 'Hello.'])
    expect(told).toHaveBeenCalledTimes(1)
    told.mockRestore()
    await tracerProvider.shutdown()
  })
})
