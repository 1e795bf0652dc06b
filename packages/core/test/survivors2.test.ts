import { afterEach, describe, expect, it, vi } from 'vitest'
import { Agent, type Middleware, memorySession, type RunState, type Session, type Tool, tool } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

const T = { name: 'transfer_to_clerk' }
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms))
const settle = async () => {
  for (let round = 0; round < 30; round++) await new Promise((resolve) => setImmediate(resolve))
}
afterEach(() => void vi.useRealTimers())
const through: Middleware = {
  name: 'through',
  async *run(_, next) {
    yield* next()
  },
}

it('#43 the instructions of the agent that takes over are made of the context', async () => {
  const model = scriptedModel(['Here.'])
  const clerk = new Agent({ name: 'clerk', model, instructions: ({ user }: { user: string }) => `For ${user}.` })
  await new Agent({ name: 'desk', model: scriptedModel([{ calls: [T] }]), handoffs: [clerk] }).run('go', {
    context: { user: 'ada' },
  })
  expect(model.requests[0]?.instructions).toBe('For ada.')
})

it('#40 tools that a function made are a list', async () => {
  const agent = new Agent({ name: 'a', model: scriptedModel(['x']), tools: () => ({ look: 1 }) as never })
  await expect(agent.run('go')).rejects.toThrow(/tools is no list/)
})

it('#62 a run that failed gives its lease back in the store’s own time', async () => {
  let released = false
  const session: Session = {
    ...memorySession(),
    acquire: async () => ({
      release: async () => {
        await sleep(700)
        released = true
      },
    }),
  }
  await expect(
    new Agent({ name: 'a', model: scriptedModel([new Error('down')]) }).run('go', { session }),
  ).rejects.toThrow(/down/)
  expect(released).toBe(true)
})

describe('a layer around the run', () => {
  it('#86 #88 does not cut short what the engine waits for after an abort, each with its own grace', async () => {
    const slow = tool({ name: 'slow', effect: 'pure', execute: () => new Promise(() => {}) }) as Tool
    const log = memorySession()
    const session: Session = {
      ...log,
      append: async (at, batch) => {
        if (batch.events.some(({ type }) => type === 'tool-end')) await sleep(300)
        return log.append(at, batch)
      },
    }
    const run = new Agent({
      name: 'a',
      model: scriptedModel([{ calls: [{ name: 'slow' }] }]),
      tools: [slow],
      use: [through],
    }).run('go', { session })
    const ended = run.result().catch((error) => error)
    setTimeout(() => run.abort(), 20)
    expect((await ended).name).toBe('AbortError')
    expect((await log.read()).events.slice(-2).map(({ type }) => type)).toEqual(['tool-end', 'run-end'])
  })

  it('#84 that hangs when the log has the end of an aborted run: the run rejects with AbortError', async () => {
    const layer: Middleware = {
      name: 'hangs',
      async *run(_, next) {
        for await (const events of next()) {
          yield events
          if (events.some(({ type }) => type === 'run-end')) await new Promise(() => {})
        }
      },
    }
    const hang = tool({
      name: 'hang',
      effect: 'pure',
      execute: (_, { signal }) =>
        new Promise((_r, reject) => signal.addEventListener('abort', () => reject(new Error('left')))),
    }) as Tool
    const run = new Agent({
      name: 'a',
      model: scriptedModel([{ calls: [{ name: 'hang' }] }]),
      tools: [hang],
      use: [layer],
    }).run('go')
    const ended = run.result().then(
      (r) => r.status,
      (error) => error.name,
    )
    setTimeout(() => run.abort(), 20)
    expect(await ended).toBe('AbortError')
  })

  it('#85 leaves no timer when the run is over at once', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const controller = new AbortController()
    const obedient = tool({
      name: 'work',
      execute: () => new Promise((_, reject) => controller.signal.addEventListener('abort', reject)),
    }) as Tool
    const ended = new Agent({
      name: 'a',
      model: scriptedModel([{ calls: [{ name: 'work' }] }]),
      tools: [obedient],
      use: [through],
    })
      .run('go', { signal: controller.signal })
      .result()
      .catch((error) => error)
    await settle()
    controller.abort()
    await settle()
    expect((await ended).name).toBe('AbortError')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('#87 that ends early closes the engine', async () => {
    let closed = false
    const model = {
      ...scriptedModel([]),
      async *generate() {
        try {
          for (;;) {
            yield [{ type: 'text-delta' as const, text: 'x' }]
            await sleep(1)
          }
        } finally {
          closed = true
        }
      },
    }
    const layer: Middleware = {
      name: 'early',
      async *run(_, next) {
        for await (const events of next()) {
          yield events
          if (events.some(({ type }) => type === 'text-delta')) return
        }
      },
    }
    await expect(new Agent({ name: 'a', model: model as never, use: [layer] }).run('go')).rejects.toThrow(
      /did not come to its end/,
    )
    await sleep(20)
    expect(closed).toBe(true)
  })

  it('#D that hangs while a slow reader does not pull is left all the same', async () => {
    let hangs = false
    const layer: Middleware = {
      name: 'hangs',
      async *run(_, next) {
        for await (const events of next()) {
          yield events
          if (hangs) await new Promise(() => {})
        }
      },
    }
    const run = new Agent({ name: 'a', model: scriptedModel(['x']), use: [layer] }).run('go')
    const read = async () => {
      for await (const event of run)
        if (event.type === 'turn-start') {
          hangs = true
          run.abort()
          await sleep(700)
        }
    }
    await expect(Promise.race([read(), sleep(2000)])).rejects.toThrow(/aborted/)
  })
})

it('#65 #v a state that version 1 saved is of this version, at every depth', async () => {
  const saved = (await import('./saved/v1.json', { with: { type: 'json' } })).default as unknown as {
    [name: string]: { state: RunState }
  }
  const { state } = saved['an approval is waited for, two agents deep']!
  const agent = new Agent({ name: state.agent, model: scriptedModel([]) })
  const depths: number[] = []
  const look = (s: RunState) => {
    depths.push(s.v)
    for (const p of s.pending) if ('child' in p && p.child) look(p.child)
  }
  look(
    (
      await agent
        .resume(state)
        .result()
        .catch((e) => e)
    ).state,
  )
  expect(new Set(depths)).toEqual(new Set([2]))
  expect(depths.length).toBeGreaterThan(1)
})
