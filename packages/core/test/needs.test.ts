/** Who answers a need: a pattern that was agreed on, or a person who saw what they answer, in time. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import {
  Agent,
  type Answer,
  approve,
  deny,
  fold,
  isClewError,
  type Json,
  type LoggedEvent,
  memorySession,
  respond,
  type Tool,
  tool,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import { call, clerk, told } from './clerk.ts'

describe('a pattern that is approved for always', () => {
  const cases: [Json, Json, boolean][] = [
    [{ to: 'ann' }, { to: 'ann', euros: 5 }, true],
    [{ to: 'ann' }, { to: 'anne', euros: 5 }, false],
    [{ to: 'an*' }, { to: 'anne', euros: 5 }, true],
    [{ to: '*e' }, { to: 'anne', euros: 5 }, true],
    [{ to: 'a*a' }, { to: 'a', euros: 5 }, false],
    [{ to: 'a*b*c' }, { to: 'a-b-c', euros: 5 }, true],
    [{ to: 'a*b*c' }, { to: 'ac', euros: 5 }, false],
    [{ to: 'a*bc*c' }, { to: 'abc', euros: 5 }, false],
    [{ to: '*' }, { to: '', euros: 5 }, true],
    [{ to: '.*' }, { to: 'ann', euros: 5 }, false],
    [{ euros: 5 }, { to: 'x', euros: 5 }, true],
    [{ euros: 5 }, { to: 'x', euros: 6 }, false],
    [{ euros: '*' }, { to: 'x', euros: 6 }, false],
    [{ to: 'x', other: 1 }, { to: 'x', euros: 6 }, false],
    [{ toString: 'x' }, { to: 'x', euros: 6 }, false],
  ]
  it.each(cases)('%j and %j: %s', async (pattern, input, fits) => {
    const { agent, paid } = clerk([{ calls: [call('first')] }, { calls: [{ name: 'pay', arguments: input }] }, 'Done.'])
    const session = memorySession()
    const { needs } = await agent.run('go', { session })
    const result = await agent.resume(session, { [needs![0]!.id]: approve({ always: { pattern: pattern as never } }) })
    expect([result.status, paid.length]).toEqual(fits ? ['done', 2] : ['waiting', 1])
  })

  it('holds inside objects, and lists have to be the same', async () => {
    const runs: unknown[] = []
    const shell = tool({
      name: 'shell',
      input: z.object({ command: z.object({ name: z.string(), flags: z.array(z.string()) }) }),
      needsApproval: true,
      execute: (input) => runs.push(input),
    }) as Tool
    const of = (name: string, flags: string[]) => ({
      calls: [{ name: 'shell', arguments: { command: { name, flags } } }],
    })
    const model = scriptedModel([of('git status', ['-s']), of('git log', ['-s']), of('git push', ['-s', '--force'])])
    const agent = new Agent({ name: 'a', model, tools: [shell] })
    const { state, needs } = await agent.run('go')
    const pattern = { command: { name: 'git *', flags: ['-s'] } }
    const result = await agent.resume(state, { [needs![0]!.id]: approve({ always: { pattern } }) })
    expect([result.status, runs.length]).toEqual(['waiting', 2])
  })

  it('with a key that every object inherits does not fit', async () => {
    const { agent, paid } = clerk([{ calls: [call('ann')] }, { calls: [call('ann')] }])
    const { state, needs } = await agent.run('go')
    const pattern = JSON.parse('{"__proto__":{}}')
    const result = await agent.resume(state, { [needs![0]!.id]: approve({ always: { pattern } }) })
    expect([result.status, paid]).toEqual(['waiting', ['ann']])
  })

  it.each([[{ pattern: {} }], [{ pattern: 'a*' }], [{ pattern: ['a'] }], [{}], [true], [{ pattern: null }]])(
    '%j is refused',
    async (always) => {
      const { agent, paid } = clerk([{ calls: [call('ann')] }])
      const { state, needs } = await agent.run('go')
      await expect(agent.resume(state, { [needs![0]!.id]: approve({ always: always as never }) })).rejects.toThrow(
        /it is "tool", "input", or \{ pattern/,
      )
      expect(paid).toEqual([])
    },
  )
})

describe('an answer', () => {
  it('P069: that was given to another call than the log holds is refused before anything runs', async () => {
    const { agent, paid } = clerk([{ calls: [call('ann')] }, 'Done.'])
    const session = memorySession()
    const { needs } = await agent.run('go', { session })
    const { id, tool: name, input } = needs![0]!
    const { at } = await session.read()
    for (const seen of [
      { tool: 'pay', input: { to: 'bob', euros: 5 } },
      { tool: 'pay', input: { to: 'ann' } },
      { tool: 'look', input },
      'pay',
      null,
    ]) {
      for (const answer of [approve(), deny('no'), respond('ok')]) {
        const error = await agent
          .resume(session, { [id]: { ...answer, seen: seen as never } })
          .result()
          .catch((thrown) => thrown)
        expect(isClewError(error, 'session')).toBe(true)
        expect(error.message).toMatch(/but the call is \{"tool":"pay","input":\{"to":"ann","euros":5\}\}/)
      }
    }
    expect([paid, (await session.read()).at]).toEqual([[], at])
    // The order of keys makes no difference, and what was seen is not kept.
    await agent.resume(session, { [id]: approve({ seen: { tool: name, input: { euros: 5, to: 'ann' } } }) })
    expect(paid).toEqual(['ann'])
    expect(JSON.stringify((await session.read()).events)).not.toContain('seen')
  })

  it.each<[string, unknown, RegExp]>([
    ['null', null, /The answers are null; give them by the ids of the needs/],
    ['a text', 'yes', /The answers are "yes"/],
    ['a list', [approve()], /The answers are \[/],
    ['a number', 5, /The answers are 5/],
  ])('that is %s instead of an object of answers is refused', async (_, answers, problem) => {
    const { agent } = clerk([{ calls: [call('ann')] }])
    const session = memorySession()
    await agent.run('go', { session })
    const error = await agent
      .resume(session, answers as never)
      .result()
      .catch((thrown) => thrown)
    expect(isClewError(error, 'input')).toBe(true)
    expect(error.message).toMatch(problem)
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /waits for approval; answer with approve/],
    ['a BigInt for always', approve({ always: 1n as never }), /approve\(\{ always \}\) is "1"; it is "tool"/],
    ['a BigInt in what was seen', approve({ seen: { tool: 'pay', input: 1n as never } }), /given to .*"input":"1"/],
  ])('that is %s is refused in words', async (_, answer, problem) => {
    const { agent, paid } = clerk([{ calls: [call('ann')] }])
    const { state, needs } = await agent.run('go')
    const error = await agent
      .resume(state, { [needs![0]!.id]: answer as Answer })
      .result()
      .catch((thrown) => thrown)
    expect([isClewError(error), paid]).toEqual([true, []])
    expect(error.message).toMatch(problem)
  })

  it.each<[string, (reason: unknown) => Answer]>([
    ['a denial', (reason) => ({ type: 'deny', reason: reason as string })],
    ['a failure', (reason) => ({ type: 'failed', reason: reason as string })],
  ])('%s without a reason, or with one that is no text, says so', async (_, make) => {
    for (const reason of [undefined, '', { why: 'no' }, 5, Symbol('no'), Object.create(null)]) {
      const place = tool({ name: 'place' }) as Tool
      const pay = tool({ name: 'pay', needsApproval: true, execute: () => 'paid' }) as Tool
      const answer = make(reason)
      const model = scriptedModel([{ calls: [{ name: answer.type === 'deny' ? 'pay' : 'place' }] }, 'Ok.'])
      const agent = new Agent({ name: 'a', model, tools: [place, pay] })
      const { state, needs } = await agent.run('go')
      await agent.resume(state, { [needs![0]!.id]: answer })
      expect(told(model)).toEqual([expect.stringMatching(/^(Denied|Failed): no reason was given$/)])
    }
  })

  it('to a bare state leaves that state as it was', async () => {
    const { agent } = clerk([{ calls: [call('ann')] }, 'Done.'])
    const { state, needs } = await agent.run('go')
    const before = JSON.stringify(state)
    await agent.resume(state, { [needs![0]!.id]: approve({ always: 'tool' }) })
    expect(JSON.stringify(state)).toBe(before)
  })

  it('of a kind that only Clew gives is refused', async () => {
    const { agent } = clerk([{ calls: [call('ann')] }])
    const { state, needs } = await agent.run('go')
    await expect(agent.resume(state, { [needs![0]!.id]: { type: 'expire' } as never })).rejects.toThrow(
      /answer with approve/,
    )
  })
})

describe('a need that expires', () => {
  const hour = 3_600_000
  const at = Date.UTC(2026, 10, 23, 9)
  /** The calendar alone stands still; timers go on. */
  const setClock = (time: number) => vi.useFakeTimers({ now: time, toFake: ['Date'] })
  afterEach(() => void vi.useRealTimers())

  async function waiting() {
    setClock(at)
    const made = clerk([{ calls: [call('ann')] }, 'I could not.'], {}, hour)
    const session = memorySession()
    const paused = await made.agent.run('go', { session })
    return { ...made, session, paused, id: paused.needs![0]!.id }
  }

  it('says when, and can be answered until then', async () => {
    const { agent, session, paused, paid, id } = await waiting()
    expect(paused.needs).toMatchObject([{ expiresAt: at + hour }])
    setClock(at + hour - 1)
    await agent.resume(session, { [id]: approve() })
    expect(paid).toEqual(['ann'])
  })

  it('is refused an answer afterwards, whatever it says; resumed without one, the model is told', async () => {
    const { agent, session, model, paid, id } = await waiting()
    setClock(at + hour + 4_500)
    for (const answer of [approve(), deny('no'), respond('ok')]) {
      await expect(agent.resume(session, { [id]: answer })).rejects.toThrow(
        /can no longer be answered: its time was over 5 seconds ago/,
      )
    }
    const result = await agent.resume(session)
    expect([result.status, paid]).toEqual(['done', []])
    expect(told(model)).toEqual(['Not run: nobody approved it in time.'])
    await expect(agent.resume(session, { [id]: approve() })).rejects.toThrow(/unknown or was answered before/)
    expect(fold((await session.read()).events)).toEqual(result.state)
  })

  it('stays open when the clock was set back, also by years', async () => {
    const { agent, session, paid, id } = await waiting()
    setClock(at - 365 * 24 * hour)
    await agent.resume(session, { [id]: approve() })
    expect(paid).toEqual(['ann'])
  })

  it('below a sub-agent closes there; verdicts never expire', async () => {
    const made = clerk([{ calls: [call('ann')] }, 'I could not.'], {}, hour)
    const desk = new Agent({
      name: 'desk',
      model: scriptedModel([{ calls: [{ name: 'clerk', arguments: { task: 'pay' } }] }, 'Sorry.']),
      tools: [made.agent.asTool()],
    })
    setClock(at)
    const session = memorySession()
    await desk.run('go', { session })
    setClock(at + hour)
    expect((await desk.resume(session)).text).toBe('Sorry.')

    const { agent } = clerk(['Done.'], {}, hour)
    const log: LoggedEvent[] = []
    for (const event of (await session.read()).events) if (event.type === 'child') log.push(event.event as LoggedEvent)
    const cut = log.slice(
      0,
      log.findIndex(({ type }) => type === 'tool-wait'),
    )
    const { id } = log.find(({ type }) => type === 'tool-wait') as { id: string }
    const crashed = memorySession('c', [...cut, { type: 'tool-start', id, name: 'pay', input: {} }])
    const paused = await agent.resume(crashed)
    expect(paused.needs).toMatchObject([{ for: 'verdict' }])
    expect(paused.needs![0]).not.toHaveProperty('expiresAt')
  })

  it('may be one of a result that somebody else gives, for more days than a timer counts', async () => {
    setClock(at)
    const place = tool({ name: 'place', expiresMs: 30 * 24 * hour }) as Tool
    const model = scriptedModel([{ calls: [{ name: 'place' }] }])
    const { needs } = await new Agent({ name: 'a', model, tools: [place] }).run('go')
    expect(needs).toMatchObject([{ for: 'result', expiresAt: at + 30 * 24 * hour }])
  })

  it.each([0, -1, Number.NaN, 2 ** 52, '1h'])('expiresMs %s is refused', (expiresMs) => {
    expect(() => tool({ name: 'x', expiresMs: expiresMs as number })).toThrow(/expiresMs is .* give a number above 0/)
  })
})
