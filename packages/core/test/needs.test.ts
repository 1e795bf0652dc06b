/** Who answers a need: a policy, a pattern that was agreed on, or a person who saw what they answer, in time. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import {
  Agent,
  type AgentOptions,
  type Answer,
  approve,
  deny,
  failed,
  fold,
  isClewError,
  type Json,
  type LoggedEvent,
  memorySession,
  type Need,
  type RunEvent,
  respond,
  retry,
  type Tool,
  tool,
} from '../src/index.ts'
import { type ScriptedModel, type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

const call = (to: string, euros = 5) => ({ name: 'pay', arguments: { to, euros } })

function clerk(replies: ScriptedReply[], options: Partial<AgentOptions<unknown, string>> = {}, expiresMs?: number) {
  const paid: string[] = []
  const pay = tool({
    name: 'pay',
    input: z.object({ to: z.string(), euros: z.number().max(100) }),
    needsApproval: true,
    ...(expiresMs !== undefined && { expiresMs }),
    execute: ({ to }) => {
      paid.push(to)
      return `paid ${to}`
    },
  }) as Tool
  const model = scriptedModel(replies)
  return { paid, model, agent: new Agent({ name: 'clerk', model, tools: [pay], ...options }) }
}

/** The results that the model read last. */
const told = ({ requests }: Pick<ScriptedModel, 'requests'>) =>
  requests.at(-1)?.messages.flatMap(({ role, content }) => (role === 'tool' ? [content] : []))

describe('a policy', () => {
  it('answers before a person is asked; what it leaves open waits; its answers are in the log before anything runs', async () => {
    const seen: [Need, unknown][] = []
    const policy = (need: Need, context: unknown): Answer | undefined => {
      seen.push([need, context])
      const { euros } = need.input as { euros: number }
      if (euros <= 10) return approve()
      return euros > 90 ? deny('too dear') : undefined
    }
    const calls = [call('ann', 5), call('bob', 99), call('cat', 50)]
    const { agent, paid, model } = clerk([{ calls }, 'Done.'], { policy })
    const session = memorySession()
    const events: RunEvent[] = []
    const run = agent.run('go', { session, context: { user: 'eve' } })
    for await (const event of run) events.push(event)
    const paused = await run
    expect(paused.needs).toMatchObject([{ input: { to: 'cat' } }])
    expect(paid).toEqual(['ann'])
    expect(seen[0]).toEqual([
      { id: expect.any(String), for: 'approval', path: ['clerk'], tool: 'pay', input: { to: 'ann', euros: 5 } },
      { user: 'eve' },
    ])
    const ofAnn = events.filter(
      (event) => 'id' in event && event.id === seen[0]![0].id && !event.type.startsWith('tool-input'),
    )
    expect(ofAnn).toMatchObject([
      { type: 'answer', by: 'policy', answer: { type: 'approve' } },
      { type: 'tool-start' },
      { type: 'tool-end' },
    ])
    expect(fold((await session.read()).events)).toEqual(paused.state)
    await agent.resume(session, { [paused.needs![0]!.id]: approve() })
    expect(told(model)).toEqual(['paid ann', 'Denied: too dear', 'paid cat'])
  })

  it('may answer later, with another input, with the result itself, and for always', async () => {
    const policy = async ({ input }: Need): Promise<Answer> => {
      const { to } = input as { to: string }
      if (to === 'ann') return approve({ input: { to: 'eve', euros: 1 } })
      return to === 'bob' ? respond('bob was paid in cash') : approve({ always: 'tool' })
    }
    const { agent, paid, model } = clerk([{ calls: [call('ann'), call('bob'), call('cat')] }, 'Done.'], { policy })
    const result = await agent.run('go')
    expect(paid.toSorted()).toEqual(['cat', 'eve'])
    expect(told(model)).toEqual([
      '[This call was approved with another input: {"to":"eve","euros":1}.]\npaid eve',
      'bob was paid in cash',
      'paid cat',
    ])
    expect(result.state.standing).toEqual([{ path: ['clerk'], tool: 'pay' }])
  })

  it.each<[string, AgentOptions['policy'], RegExp]>([
    [
      'throws',
      () => {
        throw new Error('no rules today')
      },
      /The policy could not answer: no rules today/,
    ],
    ['rejects', () => Promise.reject(new Error('no rules')), /The policy could not answer: no rules/],
    [
      'answers another question',
      () => retry(),
      /The policy could not answer: .*waits for approval; answer with approve/,
    ],
    ['answers nonsense', () => 'yes' as never, /The policy could not answer: .*answer with approve/],
  ])('that %s answers nothing: the run waits, and the need says why', async (_, policy, problem) => {
    const { agent, paid } = clerk([{ calls: [call('ann')] }, 'Done.'], { policy: policy! })
    const session = memorySession()
    const paused = await agent.run('go', { session })
    expect(paused.needs).toMatchObject([{ tool: 'pay', problem: expect.stringMatching(problem) }])
    expect(paid).toEqual([])
    expect((await agent.resume(session, { [paused.needs![0]!.id]: approve() })).status).toBe('done')
    expect(paid).toEqual(['ann'])
  })

  it('gives a verdict on a call that a crash interrupted, and the result of a call that somebody else makes', async () => {
    const whole = memorySession()
    const first = clerk([{ calls: [call('ann')] }, 'Done.'], { policy: () => approve() })
    await first.agent.run('go', { session: whole })
    const { events } = await whole.read()
    const cut = events.slice(0, events.findIndex(({ type }) => type === 'tool-start') + 1)
    const asked: string[] = []
    const policy = (need: Need) => {
      asked.push(need.for)
      return respond('the bank says: paid')
    }
    const second = clerk(['Done.'], { policy })
    expect((await second.agent.resume(memorySession('s', cut))).status).toBe('done')
    expect([asked, second.paid, told(second.model)]).toEqual([['verdict'], [], ['the bank says: paid']])
    const again = clerk(['Done.'], { policy: () => retry() })
    await again.agent.resume(memorySession('s', cut))
    expect([again.paid, told(again.model)]).toEqual([['ann'], ['paid ann']])

    const place = tool({ name: 'place' }) as Tool
    const model = scriptedModel([{ calls: [{ name: 'place' }] }, 'Oslo.'])
    await new Agent({ name: 'a', model, tools: [place], policy }).run('Where?')
    expect(asked.at(-1)).toBe('result')
  })

  it('is that of the run’s agent, at any depth, and behind a handoff', async () => {
    const paths: string[] = []
    const never = () => failed('not mine to say')
    const policy = ({ path }: Need) => {
      paths.push(path.join('>'))
      return approve()
    }
    const below = clerk([{ calls: [call('ann')] }, 'Paid.'], { policy: never })
    const after = clerk([{ calls: [call('bob')] }, 'Paid, too.'], { name: 'cashier', policy: never })
    const desk = new Agent({
      name: 'desk',
      policy,
      model: scriptedModel([
        { calls: [{ name: 'clerk', arguments: { task: 'pay' } }] },
        { calls: [{ name: 'transfer_to_cashier' }] },
      ]),
      tools: [below.agent.asTool()],
      handoffs: [after.agent],
    })
    const session = memorySession()
    const result = await desk.run('go', { session })
    expect([result.text, below.paid, after.paid, paths]).toEqual([
      'Paid, too.',
      ['ann'],
      ['bob'],
      ['desk>clerk', 'cashier'],
    ])
    expect(fold((await session.read()).events)).toEqual(result.state)
  })

  it('cannot change the call through the need, and is left when the run is', async () => {
    const controller = new AbortController()
    const policy = (need: Need) => {
      ;(need.input as { [key: string]: Json }).to = 'mallory'
      return approve()
    }
    const { agent, paid } = clerk([{ calls: [call('ann')] }, 'Done.'], { policy })
    await agent.run('go')
    expect(paid).toEqual(['ann'])
    const hangs = clerk([{ calls: [call('ann')] }], {
      policy: () => {
        controller.abort()
        return new Promise(() => {})
      },
    })
    await expect(hangs.agent.run('go', { signal: controller.signal })).rejects.toThrow(/aborted/)
    expect(hangs.paid).toEqual([])
  })

  it('that is no function is refused', () => {
    expect(() => clerk([], { policy: 'yes' as never })).toThrow(/policy is no function/)
  })
})

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
    expect(told(model)).toEqual(['Not run: nobody answered in time whether it may, or what its result is.'])
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

  it.each([0, -1, Number.NaN, 2 ** 52, '1h'])('expiresMs %s is refused', (expiresMs) => {
    expect(() => tool({ name: 'x', expiresMs: expiresMs as number })).toThrow(/expiresMs is .* give a number above 0/)
  })
})
