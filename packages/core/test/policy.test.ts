/** A policy answers needs before a person is asked. */
import { describe, expect, it } from 'vitest'
import {
  Agent,
  type AgentOptions,
  type Answer,
  approve,
  deny,
  failed,
  fold,
  type Json,
  memorySession,
  type Need,
  type RunEvent,
  respond,
  retry,
  type Tool,
  tool,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import { call, clerk, told, upTo } from './clerk.ts'

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
    const cut = upTo(events, 'tool-start')
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

  it('sees until when its need can be answered', async () => {
    const seen: unknown[] = []
    const policy = (need: Need) => void seen.push(need.expiresAt)
    const { agent } = clerk([{ calls: [call('ann')] }], { policy }, 1000)
    const { needs } = await agent.run('go')
    expect(seen).toEqual([needs![0]!.expiresAt])
    expect(seen[0]).toBeGreaterThan(0)
  })

  it('that changes the need is still compared with what the call is', async () => {
    const policy = (need: Need) => {
      need.tool = 'other'
      return approve({ seen: { tool: 'pay', input: { to: 'ann', euros: 5 } } })
    }
    const { agent, paid } = clerk([{ calls: [call('ann')] }, 'Done.'], { policy })
    expect([(await agent.run('go')).status, paid]).toEqual(['done', ['ann']])
  })

  it('has what it responds cut as the tool says', async () => {
    const place = tool({ name: 'place', maxResultChars: 100 }) as Tool
    const model = scriptedModel([{ calls: [{ name: 'place' }] }, 'Ok.'])
    await new Agent({ name: 'a', model, tools: [place], policy: () => respond('x'.repeat(1000)) }).run('go')
    expect(told(model)).toEqual([expect.stringMatching(/^x{100}\n\[Cut: the first 100 of 1,000/)])
  })

  it('that says retry() to the call of an agent whose tool is gone is asked once; the need says why', async () => {
    const script = () =>
      scriptedModel((request) =>
        request.messages.length > 1 ? 'Done.' : { calls: [{ name: 'clerk', arguments: { task: 'pay' } }] },
      )
    const whole = memorySession()
    const { agent: below } = clerk([{ calls: [call('ann')] }, 'Paid.'])
    const policy = () => approve()
    await new Agent({ name: 'desk', model: script(), tools: [below.asTool()], policy }).run('go', { session: whole })
    const { events } = await whole.read()
    const cut = events.findIndex((event) => event.type === 'child' && event.event.type === 'tool-start')
    const session = memorySession('s', events.slice(0, cut + 1))
    const asked: string[] = []
    const renamed = new Agent({
      name: 'desk',
      model: script(),
      tools: [below.asTool({ name: 'helper' })],
      policy: (need) => {
        // Asked for ever, it would hang.
        if (asked.push(need.for) > 9) throw new Error('asked again and again')
        return retry()
      },
    })
    const problem = 'There is no tool "clerk" any more: respond(…) or failed(…) closes its call.'
    const paused = await renamed.resume(session)
    expect(paused.needs).toMatchObject([{ for: 'verdict', tool: 'clerk', problem }])
    expect(asked).toEqual(['verdict'])
    const { policy: _, ...options } = renamed.options
    const person = new Agent(options)
    const { id } = paused.needs![0]!
    const again = await person.resume(session, { [id]: retry() })
    expect(again.needs).toMatchObject([{ id, for: 'verdict', problem }])
    expect(await person.resume(session, { [id]: respond('she was paid') })).toMatchObject({ status: 'done' })
    expect(fold((await session.read()).events).messages.at(-2)).toMatchObject({ content: 'she was paid' })
  })
})
