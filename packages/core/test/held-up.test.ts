/** Layers around a run that is left: they have their grace and are not waited for, and what the engine does has its own. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  Agent,
  isClewError,
  type Middleware,
  type Model,
  memorySession,
  type Run,
  type RunEvent,
  type RunResult,
  type Session,
  type Tool,
  tool,
} from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

const never = new Promise<never>(() => {})
const calls = [{ name: 'work' }]
const work = (execute: (signal: AbortSignal) => unknown) =>
  tool({ name: 'work', effect: 'pure', execute: (_, { signal }) => execute(signal) }) as Tool

/** A layer that does `then` behind the events that pass. */
const layer = (then: (types: string[]) => unknown = () => {}): Middleware => ({
  name: 'around',
  async *run(_, next) {
    for await (const events of next()) {
      yield events
      if ((await then(events.map(({ type }) => type))) === 'end') return
    }
  },
})

function agentOf(replies: ScriptedReply[], use: Middleware, tools: Tool[] = []) {
  return new Agent({ name: 'a', model: scriptedModel(replies), tools, use: [use] })
}

async function settle() {
  for (let round = 0; round < 30; round++) await new Promise((resolve) => setImmediate(resolve))
}

/** Until the run has told of its tool's start; how long a start takes is the machine's. */
async function begun(run: Run<RunResult>, type: RunEvent['type']) {
  for await (const event of run) if (event.type === type) break
  await settle()
}

async function pass(ms: number) {
  await settle()
  await vi.advanceTimersByTimeAsync(ms)
  await settle()
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

describe('a layer around the run', () => {
  it('does not cut short what the engine waits for after an abort, each with its own grace', async () => {
    const log = memorySession()
    const written = Promise.withResolvers<void>()
    const session: Session = {
      ...log,
      append: async (at, batch) => {
        if (batch.events.some(({ type }) => type === 'tool-end')) await written.promise
        return log.append(at, batch)
      },
    }
    const run = agentOf([{ calls }], layer(), [work(() => never)]).run('go', { session })
    const ended = run.result().catch((error) => error)
    await begun(run, 'tool-start')
    run.abort()
    await pass(500)
    await pass(300)
    written.resolve()
    await settle()
    expect(isClewError(await ended, 'abort')).toBe(true)
    expect((await log.read()).events.slice(-2).map(({ type }) => type)).toEqual(['tool-end', 'run-end'])
  })

  it('that hangs when the log has the end of an aborted run: the run rejects with AbortError', async () => {
    const hangs = layer((types) => types.includes('run-end') && never)
    const obedient = work((signal) => new Promise((_, reject) => signal.addEventListener('abort', reject)))
    const run = agentOf([{ calls }], hangs, [obedient]).run('go')
    const ended = run.result().catch((error) => error)
    await begun(run, 'tool-start')
    run.abort()
    await pass(500)
    expect(isClewError(await ended, 'abort')).toBe(true)
  })

  it('that hangs when the run is done: left, the result stands', async () => {
    const run = agentOf(
      ['Hi.'],
      layer((types) => types.includes('run-end') && never),
    ).run('go')
    const ended = run.result()
    await begun(run, 'run-end')
    run.abort()
    await pass(500)
    expect(await ended).toMatchObject({ status: 'done', text: 'Hi.' })
  })

  it('leaves no timer when the run is over at once', async () => {
    const obedient = work((signal) => new Promise((_, reject) => signal.addEventListener('abort', reject)))
    const run = agentOf([{ calls }], layer(), [obedient]).run('go')
    const ended = run.result().catch((error) => error)
    await begun(run, 'tool-start')
    run.abort()
    await settle()
    expect(isClewError(await ended, 'abort')).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('that ends early closes the engine', async () => {
    let isClosed = false
    const model: Model = {
      id: 'endless',
      async *generate() {
        try {
          for (;;) {
            yield [{ type: 'text-delta', text: 'x' }]
            await new Promise((resolve) => setImmediate(resolve))
          }
        } finally {
          isClosed = true
        }
      },
    }
    const early = layer((types) => types.includes('text-delta') && 'end')
    await expect(new Agent({ name: 'a', model, use: [early] }).run('go')).rejects.toThrow(/did not come to its end/)
    await settle()
    expect(isClosed).toBe(true)
  })

  it('that hangs while a slow reader does not pull is left all the same', async () => {
    let hangs = false
    const run = agentOf(
      ['x'],
      layer(() => hangs && never),
    ).run('go')
    const seen: RunEvent['type'][] = []
    const reading = (async () => {
      for await (const { type } of run) {
        seen.push(type)
        if (type !== 'turn-start') continue
        hangs = true
        run.abort()
        await pass(700)
      }
    })().catch((error) => error)
    while (!hangs) await settle()
    await pass(500)
    await pass(500)
    expect(isClewError(await reading, 'abort')).toBe(true)
    expect(seen.at(-1)).toBe('turn-start')
  })

  it('that held up a run which has told its end finds nothing to go on with: nothing is written any more', async () => {
    const late = Promise.withResolvers<void>()
    const session = memorySession()
    const run = agentOf(
      ['x'],
      layer((types) => types.includes('turn-start') && late.promise),
    ).run('go', { session })
    const ended = run.result().catch((error) => error)
    await begun(run, 'turn-start')
    run.abort()
    await pass(500)
    expect(isClewError(await ended, 'abort')).toBe(true)
    const { at } = await session.read()
    late.resolve()
    await pass(1000)
    expect((await session.read()).at).toBe(at)
    const next = await new Agent({ name: 'a', model: scriptedModel(['Hi.']) }).run('Still there?', { session })
    expect(next.text).toBe('Hi.')
  })
})

describe('a layer around the call of an agent', () => {
  it('that hangs when the run is left: the call may have taken effect, and the run says so', async () => {
    const stuck: Middleware = {
      name: 'stuck',
      async *tool(request, next) {
        yield* next(request)
        return await never
      },
    }
    const below = new Agent({ name: 'below', model: scriptedModel(['Paid.']) })
    const model = scriptedModel([{ calls: [{ name: 'below', arguments: { task: 'pay' } }] }])
    const session = memorySession()
    const run = new Agent({ name: 'a', model, tools: [below.asTool()], use: [stuck] }).run('go', { session })
    const ended = run.result().catch((error) => error)
    await begun(run, 'child')
    run.abort()
    await pass(500)
    expect(isClewError(await ended, 'abort')).toBe(true)
    const told = { type: 'tool-end', isError: true, content: expect.stringMatching(/may have taken effect/) }
    expect((await session.read()).events.slice(-2)).toMatchObject([told, { type: 'run-end', status: 'aborted' }])
  })
})
