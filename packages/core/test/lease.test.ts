/** One live run on a session at a time: the lease is held from before the log is read until the run is over, however it ends. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Agent, fold, isClewError, memorySession, type Session, tool } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

/** A session that tells what happens to its lease. */
function watched() {
  const session = memorySession('s')
  const told: string[] = []
  const seen: Session = {
    ...session,
    read: () => {
      told.push('read')
      return session.read()
    },
    async acquire() {
      const lease = await session.acquire!()
      told.push('acquired')
      return {
        release: async () => {
          told.push('released')
          await lease.release()
        },
      }
    },
  }
  return { session: seen, told }
}

const agentOf = (...replies: Parameters<typeof scriptedModel>[0] & readonly unknown[]) =>
  new Agent({ name: 'a', model: scriptedModel(replies as never) })

afterEach(() => void vi.useRealTimers())

describe('the lease of a session', () => {
  it('P139: two runs at once on one session: one is refused before it does anything, nothing is interleaved or lost', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const model = scriptedModel([{ text: 'one', after: promise }, 'two'])
    const agent = new Agent({ name: 'a', model })
    const session = memorySession('s')
    const first = agent.run('First', { session }).result()
    await expect(agent.run('Second', { session })).rejects.toThrow(
      /Session "s" is in use by another run of this process/,
    )
    resolve()
    expect((await first).text).toBe('one')
    expect((await agent.run('Second', { session })).text).toBe('two')
    const { events } = await session.read()
    expect(events.map(({ type }) => type)).toEqual([
      'run-start',
      'turn-start',
      'model-end',
      'run-end',
      'run-start',
      'turn-start',
      'model-end',
      'run-end',
    ])
    expect(fold(events).messages).toHaveLength(4)
    expect(model.requests).toHaveLength(2)
  })

  it('is acquired before the log is read, and released at the end', async () => {
    const { session, told } = watched()
    await agentOf('ok').run('Hi', { session })
    expect(told).toEqual(['acquired', 'read', 'released'])
  })

  it.each<[string, (session: Session) => Promise<unknown>]>([
    ['fails', (session) => agentOf(new Error('down')).run('Hi', { session }).result()],
    ['is given no input', (session) => agentOf('ok').run('', { session }).result()],
    ['has nothing to resume', (session) => agentOf('ok').resume(session).result()],
    [
      'is left',
      async (session) => {
        for await (const event of agentOf({ text: 'a long answer', chunks: 5 }).run('Hi', { session }))
          if (event.type === 'text-delta') break
      },
    ],
    [
      'waits',
      (session) => {
        const ask = tool({ name: 'ask' })
        const model = scriptedModel([{ calls: [{ name: 'ask', arguments: {} }] }])
        return new Agent({ name: 'a', model, tools: [ask] }).run('Hi', { session }).result()
      },
    ],
  ])('is released by a run that %s', async (_, run) => {
    const { session, told } = watched()
    await run(session).catch(() => {})
    expect(told.filter((word) => word === 'acquired')).toHaveLength(1)
    expect(told.at(-1)).toBe('released')
    await (await session.acquire!()).release()
  })

  it('is released by a start that hangs and was left, and one that comes later is given back', async () => {
    for (const hangs of ['read', 'acquire'] as const) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const { session, told } = watched()
      const slow: Session = {
        ...session,
        [hangs]: async () => {
          await promise
          return session[hangs]!()
        },
      }
      const controller = new AbortController()
      const run = agentOf('ok').run('Hi', { session: slow, signal: controller.signal })
      const ended = run.result().catch((error) => error)
      controller.abort()
      expect(isClewError(await ended, 'abort')).toBe(true)
      expect(told).toEqual(hangs === 'read' ? ['acquired', 'released'] : [])
      resolve()
      await expect.poll(() => told.filter((word) => word === 'released')).toHaveLength(1)
      await (await session.acquire!()).release()
    }
  })

  it('is given back in the store’s own time by a run that failed', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const session: Session = { ...memorySession(), acquire: async () => ({ release: () => promise }) }
    let isOver = false
    const ended = agentOf(new Error('down'))
      .run('Hi', { session })
      .result()
      .catch((error) => error)
      .finally(() => {
        isOver = true
      })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(isOver).toBe(false)
    resolve()
    expect((await ended).message).toBe('down')
  })

  it('that hangs when it is given back by a run that failed is left with the run', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const asked = Promise.withResolvers<void>()
    const release = () => {
      asked.resolve()
      return new Promise<void>(() => {})
    }
    const hung: Session = { ...memorySession(), acquire: async () => ({ release }) }
    const run = agentOf(new Error('down')).run('Hi', { session: hung })
    const ended = run.result().catch((error) => error)
    await asked.promise
    await vi.advanceTimersByTimeAsync(60_000)
    run.abort()
    await vi.advanceTimersByTimeAsync(500)
    expect((await ended).message).toBe('down')
    expect(vi.getTimerCount()).toBe(0)
  })
})
