/** Events that happened and could not be appended: none is lost, none is asked again. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  Agent,
  fatal,
  isClewError,
  memorySession,
  respond,
  type Session,
  SessionError,
  type Tool,
  tool,
  type Unsaved,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

/** A session whose appends fail as told: before or after the log took them. */
function failing(
  session: Session,
  when: (events: string[]) => 'before' | 'after' | undefined,
  times = Number.POSITIVE_INFINITY,
): Session {
  let failures = 0
  return {
    ...session,
    async append(at, batch) {
      const where = failures < times ? when(batch.events.map(({ type }) => type)) : undefined
      if (where) failures++
      if (where === 'before') throw new Error('connection lost')
      const end = await session.append(at, batch)
      if (where === 'after') throw new Error('reply lost')
      return end
    },
  }
}

afterEach(() => void vi.useRealTimers())

describe('an outcome that could not be appended', () => {
  const onEnd = (types: string[]) => types.includes('tool-end')
  const once = (paid: object[]) => {
    const pay = tool({ name: 'pay', execute: () => void paid.push({}) })
    const model = scriptedModel((request) =>
      request.messages.length > 1 ? 'Done.' : { calls: [{ name: 'pay', arguments: {} }] },
    )
    return new Agent({ name: 'a', model, tools: [pay] })
  }

  it.each(['before', 'after'] as const)('is tried again: a failure %s the write, once, is not seen', async (where) => {
    const paid: object[] = []
    const session = memorySession()
    const result = await once(paid).run('Go.', {
      session: failing(session, (types) => (onEnd(types) ? where : undefined), 1),
    })
    expect(result.status).toBe('done')
    expect(paid).toHaveLength(1)
    expect((await session.read()).events.filter(({ type }) => type === 'tool-end')).toHaveLength(1)
  })

  it.each(['before', 'after'] as const)(
    'is carried by the error and taken by resume: lost %s the write',
    async (where) => {
      const paid: object[] = []
      const session = memorySession()
      const error = await once(paid)
        .run('Go.', { session: failing(session, (types) => (onEnd(types) ? where : undefined)) })
        .result()
        .catch((caught) => caught)
      if (!isClewError(error, 'run')) throw error
      const unsaved = JSON.parse(JSON.stringify(error.unsaved)) as Unsaved
      expect(unsaved).toMatchObject({ at: 4, events: [{ type: 'tool-end' }] })
      const result = await once(paid).resume(session, {}, { unsaved })
      expect(result).toMatchObject({ status: 'done', text: 'Done.' })
      expect(paid).toHaveLength(1)
      expect((await session.read()).events.filter(({ type }) => type === 'tool-end')).toHaveLength(1)
    },
  )

  it('that the store refused is not tried again: a SessionError is its last word', async () => {
    let tries = 0
    const memory = memorySession()
    const refusing: Session = {
      ...memory,
      append: async () => {
        tries++
        throw new SessionError('The disk is full.')
      },
    }
    await expect(once([]).run('Go.', { session: refusing })).rejects.toThrow(/The disk is full/)
    expect(tries).toBe(1)
  })

  it('without it, what became of the call is asked; after somebody else went on, it is refused', async () => {
    const paid: object[] = []
    const session = memorySession()
    const error = await once(paid)
      .run('Go.', { session: failing(session, (types) => (onEnd(types) ? 'before' : undefined)) })
      .result()
      .catch((caught) => caught)
    const asked = await once(paid).resume(session)
    expect(asked.needs).toMatchObject([{ for: 'verdict', tool: 'pay' }])
    expect(await once(paid).resume(session, { [asked.needs![0]!.id]: respond('it was paid') })).toMatchObject({
      status: 'done',
    })
    await expect(once(paid).resume(session, {}, { unsaved: error.unsaved })).rejects.toThrow(/another run appended/)
    expect(paid).toHaveLength(1)
  })

  it.each<[string, unknown, RegExp]>([
    [
      'of another session',
      { id: 'b', at: 4, events: [{ type: 'tool-end', id: 'call of another', name: 't', content: 'ok' }] },
      /event 4 \(tool-end\) is of call "call of another", which is not open there/,
    ],
    ['of no known event', { id: 'b', at: 4, events: [{ type: 'wish' }] }, /event 4 \(wish\) is no event/],
    ['without events', { id: 'b', at: 4 }, /unsaved is not what a RunError carried/],
    ['with a text for events', { id: 'b', at: 4, events: 'x' }, /unsaved is not what a RunError carried/],
    ['without a position', { id: 'b', events: [] }, /unsaved is not what a RunError carried/],
    ['with a position in front of the log', { id: 'b', at: -1, events: [] }, /unsaved is not what a RunError carried/],
    ['without an id', { at: 4, events: [] }, /unsaved is not what a RunError carried/],
    ['that is a number', 5, /unsaved is not what a RunError carried/],
  ])('%s is refused before anything is written', async (_, unsaved, problem) => {
    const session = memorySession()
    await new Agent({ name: 'a', model: scriptedModel(['Hi.']) }).run('Go.', { session })
    const { at } = await session.read()
    const agent = new Agent({ name: 'a', model: scriptedModel(['Still here.']) })
    await expect(agent.resume(session, {}, { unsaved: unsaved as Unsaved })).rejects.toThrow(problem)
    expect((await session.read()).at).toBe(at)
    expect((await agent.run('And now?', { session })).text).toBe('Still here.')
  })

  describe('while another call works', () => {
    /** A quick call's outcome cannot be appended; `work` is under way. */
    async function failed(work: (signal: AbortSignal) => Promise<unknown>) {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const quick = tool({ name: 'quick', effect: 'pure', execute: () => 'ok' })
      let runs = 0
      const pay = tool({
        name: 'pay',
        execute: (_, { signal }) => {
          runs++
          return work(signal)
        },
      })
      const model = scriptedModel((request) =>
        request.messages.length > 1 ? 'Done.' : { calls: [{ name: 'quick' }, { name: 'pay' }] },
      )
      const agent = new Agent({ name: 'a', model, tools: [quick, pay] })
      const session = memorySession()
      let tries = 0
      const disk = failing(session, (types) => {
        if (!onEnd(types)) return undefined
        tries++
        return 'before'
      })
      const ended: { with?: unknown } = {}
      agent
        .run('Go.', { session: disk })
        .result()
        .catch((error) => {
          ended.with = error
        })
      // The store is asked three times.
      while (tries < 3) await vi.advanceTimersByTimeAsync(20)
      await vi.advanceTimersByTimeAsync(0)
      return { agent, session, ended, runs: () => runs }
    }

    const carried = (error: unknown) => {
      if (!isClewError(error, 'run')) throw new Error('No RunError came.')
      return error.unsaved!
    }

    it('that one is waited for within the grace, its outcome is carried, too, and nothing is repeated or asked', async () => {
      const paid = Promise.withResolvers<string>()
      const { agent, session, ended, runs } = await failed(() => paid.promise)
      await vi.advanceTimersByTimeAsync(200)
      expect(ended).toEqual({})
      paid.resolve('paid')
      await vi.advanceTimersByTimeAsync(0)
      const unsaved = carried(ended.with)
      expect(unsaved.events).toMatchObject([{ name: 'quick' }, { type: 'tool-end', name: 'pay', content: 'paid' }])
      vi.useRealTimers()
      const result = await agent.resume(session, {}, { unsaved })
      expect([result.status, runs()]).toEqual(['done', 1])
      expect(result.state.messages.slice(2, 4)).toMatchObject([{ content: 'ok' }, { content: 'paid' }])
    })

    it('that one is told, and one that does not end in the grace may have taken effect', async () => {
      let isTold = false
      const { ended } = await failed((signal) => {
        signal.addEventListener('abort', () => {
          isTold = true
        })
        return new Promise(() => {})
      })
      expect(isTold).toBe(true)
      await vi.advanceTimersByTimeAsync(500)
      expect(carried(ended.with).events).toMatchObject([
        { name: 'quick' },
        { name: 'pay', isError: true, content: expect.stringMatching(/may have taken effect/) },
      ])
    })
  })
})

it('a tool that ends the run while the log fails takes nothing from the error', async () => {
  const bad = tool({
    name: 'bad',
    execute: () => {
      throw fatal('stop all')
    },
  }) as Tool
  const slow = tool({
    name: 'slow',
    execute: (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('sent'))),
  }) as Tool
  const log = memorySession()
  const append: Session['append'] = (at, batch) =>
    batch.events.some((event) => event.type === 'tool-end' && event.name === 'bad')
      ? Promise.reject(new SessionError('full'))
      : log.append(at, batch)
  const model = scriptedModel([{ calls: [{ name: 'slow' }, { name: 'bad' }] }])
  const agent = new Agent({ name: 'a', model, tools: [slow, bad] })
  const error = await agent
    .run('go', { session: { ...log, append } })
    .result()
    .catch((thrown) => thrown)
  if (!isClewError(error, 'run')) throw error
  expect(error.unsaved?.events.flatMap((event) => (event.type === 'tool-end' ? [event.name] : [])).toSorted()).toEqual([
    'bad',
    'slow',
  ])
})
