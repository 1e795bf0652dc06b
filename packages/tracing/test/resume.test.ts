/** Runs that stop in one process and go on in another: each has a span of its own, and the later one a link to the first. */
import {
  Agent,
  approve,
  deny,
  type LoggedEvent,
  memorySession,
  type RunState,
  respond,
  type Session,
  tool,
} from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { type TraceOptions, trace } from '../src/index.ts'
import { exported } from './exported.ts'

const refund = tool({ name: 'refund', needsApproval: true, execute: () => 'refunded' })
const calls = (name: string) => ({ calls: [{ name, arguments: { task: 'help' } }] })

const pick = ({ tracerProvider }: Pick<TraceOptions, 'tracerProvider'>): TraceOptions => ({ tracerProvider })

/** Another process: nothing but the log comes along, and this call waits since a minute ago. */
async function moved(session: Session): Promise<Session> {
  const { events } = await session.read()
  const text = JSON.stringify(events, (key, value) => (key === 'since' ? Date.now() - 60_000 : value))
  return memorySession('moved', JSON.parse(text) as LoggedEvent[])
}

describe('a run that waits', () => {
  it('ends its span; resumed elsewhere it has a new one with a link to the first, and the call its wait', async () => {
    const first = exported()
    const desk = (
      replies: Parameters<typeof scriptedModel>[0],
      { tracerProvider }: Pick<TraceOptions, 'tracerProvider'>,
    ) => new Agent({ name: 'desk', model: scriptedModel(replies), tools: [refund], use: [trace({ tracerProvider })] })
    const session = memorySession()
    const { needs = [] } = await desk([calls('refund')], first).run('go', { session })
    expect(first.tree()).toBe('invoke_agent desk\n  chat scripted')
    const waiting = first.one('invoke_agent desk')
    expect(waiting.attributes['clew.status']).toBe('waiting')
    expect(waiting.events).toMatchObject([
      {
        name: 'clew.wait',
        attributes: { 'gen_ai.tool.name': 'refund', 'gen_ai.tool.call.id': needs[0]!.id, 'clew.wait.for': 'approval' },
      },
    ])

    const second = exported()
    const { status } = await desk(['Done.'], second).resume(await moved(session), { [needs[0]!.id]: approve() })
    expect(status).toBe('done')
    expect(second.tree()).toBe('invoke_agent desk\n  execute_tool refund\n  chat scripted')
    const resumed = second.one('invoke_agent desk')
    const { traceId, spanId } = waiting.spanContext()
    expect(resumed.links.map((link) => link.context)).toEqual([{ traceId, spanId, traceFlags: 1, isRemote: true }])
    expect(resumed.spanContext().traceId).not.toBe(traceId)
    for (const key of ['clew.run.id', 'gen_ai.conversation.id'])
      expect(resumed.attributes[key]).toBe(waiting.attributes[key])
    // Spent here, not what the run spent in all.
    expect(resumed.attributes['clew.usage.requests']).toBe(1)
    const wait = second.one('execute_tool refund').attributes['clew.approval.wait'] as number
    expect(wait).toBeGreaterThanOrEqual(60)
    expect(wait).toBeLessThan(3600)
    expect(resumed.events).toMatchObject([
      { name: 'clew.answer', attributes: { 'clew.answer': 'approve', 'clew.approval.wait': wait } },
    ])
  })

  it('for a result tells no wait for an approval', async () => {
    const all = exported()
    const given = tool({ name: 'given' })
    const make = (replies: Parameters<typeof scriptedModel>[0]) =>
      new Agent({ name: 'a', model: scriptedModel(replies), tools: [given], use: [trace(pick(all))] })
    const session = memorySession()
    const { needs = [] } = await make([calls('given')]).run('go', { session })
    all.reset()
    await make(['Done.']).resume(await moved(session), { [needs[0]!.id]: respond('here') })
    expect(all.one('invoke_agent a').events.map(({ attributes }) => attributes)).toEqual([
      { 'gen_ai.tool.call.id': needs[0]!.id, 'clew.answer': 'respond' },
    ])
  })

  it('does not wait where the policy answers: who did is told', async () => {
    const all = exported()
    const model = scriptedModel([calls('refund'), 'Done.'])
    const agent = new Agent({ name: 'a', model, tools: [refund], policy: () => approve(), use: [trace(pick(all))] })
    await agent.run('go')
    expect(all.tree()).toBe('invoke_agent a\n  chat scripted\n  execute_tool refund\n  chat scripted')
    expect(all.one('invoke_agent a').events.map(({ attributes }) => attributes)).toMatchObject([
      { 'clew.answer': 'approve', 'clew.answer.by': 'policy' },
    ])
  })

  it('is gone on with by an agent of another name, in one span of its', async () => {
    const all = exported()
    const make = (name: string, replies: Parameters<typeof scriptedModel>[0]) =>
      new Agent({ name, model: scriptedModel(replies), tools: [refund], use: [trace(pick(all))] })
    const session = memorySession()
    const { needs = [] } = await make('desk', [calls('refund')]).run('go', { session })
    all.reset()
    await make('counter', ['Done.']).resume(session, { [needs[0]!.id]: approve() })
    expect(all.tree()).toBe('invoke_agent counter\n  execute_tool refund\n  chat scripted')
  })

  it('three levels down stands there again when the root alone has trace()', async () => {
    const make = (all: Pick<TraceOptions, 'tracerProvider'>, replies: Parameters<typeof scriptedModel>[0][]) => {
      const clerk = new Agent({ name: 'clerk', model: scriptedModel(replies[2]!), tools: [refund] })
      const writer = new Agent({ name: 'writer', model: scriptedModel(replies[1]!), tools: [clerk.asTool()] })
      const model = scriptedModel(replies[0]!)
      return new Agent({ name: 'desk', model, tools: [writer.asTool()], use: [trace(pick(all))] })
    }
    const session = memorySession()
    const first = make(exported(), [[calls('writer')], [calls('clerk')], [calls('refund')]])
    const { needs = [] } = await first.run('go', { session })
    const second = exported()
    await make(second, [['Done.'], ['written'], ['cleared']]).resume(session, { [needs[0]!.id]: approve() })
    expect(second.tree()).toBe(
      [
        'invoke_agent desk',
        '  execute_tool writer',
        '    invoke_agent writer',
        '      execute_tool clerk',
        '        invoke_agent clerk',
        '          execute_tool refund',
        '          chat scripted',
        '      chat scripted',
        '  chat scripted',
      ].join('\n'),
    )
  })

  it('tells an answer that closes the call', async () => {
    const { tracerProvider, reset, one, tree } = exported()
    const desk = new Agent({
      name: 'desk',
      model: scriptedModel([calls('refund'), 'Not then.']),
      tools: [refund],
      use: [trace({ tracerProvider })],
    })
    const { needs = [], state } = await desk.run('go')
    reset()
    await desk.resume(JSON.parse(JSON.stringify(state)) as RunState, { [needs[0]!.id]: deny('no') })
    expect(tree()).toBe('invoke_agent desk\n  chat scripted')
    expect(one('invoke_agent desk').events.map(({ attributes }) => attributes?.['clew.answer'])).toEqual(['deny'])
    expect(one('invoke_agent desk').links).toHaveLength(1)
  })

  it.each([
    ['the root alone', false],
    ['both', true],
  ])('below a sub-agent stands under its call again, once, when %s has trace()', async (_, both) => {
    const first = exported()
    const make = (
      use: Pick<TraceOptions, 'tracerProvider'>,
      ofChild: Parameters<typeof scriptedModel>[0],
      ofDesk: Parameters<typeof scriptedModel>[0],
    ) => {
      const layer = trace({ tracerProvider: use.tracerProvider })
      const clerk = new Agent({
        name: 'clerk',
        model: scriptedModel(ofChild),
        tools: [refund],
        use: both ? [layer] : [],
      })
      return new Agent({ name: 'desk', model: scriptedModel(ofDesk), tools: [clerk.asTool()], use: [layer] })
    }
    const session = memorySession()
    const { needs = [] } = await make(first, [calls('refund')], [calls('clerk')]).run('go', { session })
    const before =
      'invoke_agent desk\n  chat scripted\n  execute_tool clerk\n    invoke_agent clerk\n      chat scripted'
    expect(first.tree()).toBe(before)
    expect(first.one('execute_tool clerk').attributes).toMatchObject({ 'clew.status': 'waiting' })
    expect(first.one('execute_tool clerk').status.code).toBe(0)
    expect(first.one('invoke_agent clerk').attributes['clew.status']).toBe('waiting')

    const second = exported()
    await make(second, ['cleared'], ['Done.']).resume(await moved(session), { [needs[0]!.id]: approve() })
    expect(second.tree()).toBe(
      [
        'invoke_agent desk',
        '  execute_tool clerk',
        '    invoke_agent clerk',
        '      execute_tool refund',
        '      chat scripted',
        '  chat scripted',
      ].join('\n'),
    )
    expect(second.one('execute_tool refund').attributes['clew.approval.wait']).toBeGreaterThanOrEqual(60)
    expect(second.one('invoke_agent desk').attributes['clew.usage.requests']).toBe(2)
    expect(second.one('invoke_agent clerk').attributes['clew.run.id']).toBe(
      first.one('invoke_agent clerk').attributes['clew.run.id'],
    )
  })
})

describe('a run that crashed', () => {
  it('has a link from the one that goes on to the trace that was cut off', async () => {
    const first = exported()
    const make = (
      replies: Parameters<typeof scriptedModel>[0],
      { tracerProvider }: Pick<TraceOptions, 'tracerProvider'>,
    ) => new Agent({ name: 'a', model: scriptedModel(replies), use: [trace({ tracerProvider })] })
    const session = memorySession()
    await make(['one'], first).run('go', { session })
    const { events } = await session.read()
    const second = exported()
    await make(['two'], second).resume(memorySession('cut', events.slice(0, 2)))
    expect(second.one('invoke_agent a').links[0]?.context.traceId).toBe(first.spans()[0]?.spanContext().traceId)
    expect(second.tree()).toBe('invoke_agent a\n  chat scripted')
  })

  it.each([
    ['the root alone', false],
    ['both', true],
  ])('in a sub-agent is gone on with under its call, when %s has trace()', async (_, both) => {
    const make = (
      { tracerProvider }: Pick<TraceOptions, 'tracerProvider'>,
      ofChild: Parameters<typeof scriptedModel>[0],
      ofDesk: Parameters<typeof scriptedModel>[0],
    ) => {
      const layer = trace({ tracerProvider })
      const clerk = new Agent({ name: 'clerk', model: scriptedModel(ofChild), use: both ? [layer] : [] })
      return new Agent({ name: 'desk', model: scriptedModel(ofDesk), tools: [clerk.asTool()], use: [layer] })
    }
    const session = memorySession()
    await make(exported(), ['cleared'], [calls('clerk'), 'Done.']).run('go', { session })
    const { events } = await session.read()
    const cut = events.findIndex((event) => event.type === 'child' && event.event.type === 'turn-start') + 1
    const second = exported()
    const { status } = await make(second, ['cleared'], ['Done.']).resume(memorySession('cut', events.slice(0, cut)))
    expect(status).toBe('done')
    expect(second.tree()).toBe(
      [
        'invoke_agent desk',
        '  execute_tool clerk',
        '    invoke_agent clerk',
        '      chat scripted',
        '  chat scripted',
      ].join('\n'),
    )
    expect(second.one('execute_tool clerk').status.code).toBe(0)
  })

  it('is closed by the next run of its session, whose spans are its own', async () => {
    const { tracerProvider, one, tree } = exported()
    const session = memorySession('cut', [
      {
        type: 'run-start',
        v: 1,
        id: 'r',
        agent: 'a',
        input: [{ role: 'user', content: 'go' }],
        kept: { traceparent: 'none' },
      },
      { type: 'turn-start', turn: 1 },
    ])
    const agent = new Agent({ name: 'a', model: scriptedModel(['again']), use: [trace({ tracerProvider })] })
    await agent.run('again', { session })
    expect(tree()).toBe('invoke_agent a\n  chat scripted')
    expect(one('invoke_agent a').attributes['clew.status']).toBe('done')
    expect(one('invoke_agent a').links).toEqual([])
  })

  it('was of a program without tracing: there is nothing to link to', async () => {
    const { tracerProvider, one } = exported()
    const session = memorySession('cut', [
      { type: 'run-start', v: 1, id: 'r', agent: 'a', input: [{ role: 'user', content: 'go' }] },
      { type: 'turn-start', turn: 1 },
    ])
    await new Agent({ name: 'a', model: scriptedModel(['again']), use: [trace({ tracerProvider })] }).resume(session)
    expect(one('invoke_agent a').links).toEqual([])
  })
})
