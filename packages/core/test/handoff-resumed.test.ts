/** A handoff and a crash: who goes on, also when agents were renamed or are gone meanwhile. */
import { describe, expect, it } from 'vitest'
import { Agent, checkHistory, type LoggedEvent, memorySession, retry, type Tool, tool } from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'
import { before, desk, look, transfer } from './desk.ts'

describe('agents that hand over to each other', () => {
  /** A and B hand over to each other. */
  function pair(ofA: ScriptedReply[], ofB: ScriptedReply[]) {
    const a: Agent = new Agent({ name: 'a', model: scriptedModel(ofA), instructions: 'A.', handoffs: () => [b] })
    const b: Agent = new Agent({ name: 'b', model: scriptedModel(ofB), instructions: 'B.', handoffs: () => [a] })
    return { a, b }
  }

  it('are gone on with by the one that is active, after a crash behind every event', async () => {
    const whole = memorySession()
    const replies = (): Parameters<typeof pair> => [
      [{ calls: [transfer('b')] }, 'A ends.'],
      [{ calls: [transfer('a')] }],
    ]
    await pair(...replies()).a.run('go', { session: whole })
    const { events } = await whole.read()
    for (let cut = 1; cut <= events.length; cut++) {
      const session = memorySession('s', events.slice(0, cut))
      const done = events
        .slice(0, cut)
        .filter(({ type }) => type === 'model-end')
        .map(({ path }) => path?.[0])
      const [ofA, ofB] = replies()
      const left = (name: string, all: ScriptedReply[]) => all.slice(done.filter((each) => each === name).length)
      const { a } = pair(left('a', ofA), left('b', ofB))
      const result = await a.resume(session)
      expect([cut, result.status, result.text, result.state.agent, result.state.instructions]).toEqual([
        cut,
        'done',
        'A ends.',
        'a',
        'A.',
      ])
      expect(checkHistory(result.state.messages)).toBeUndefined()
      expect((await session.read()).events.filter(({ type }) => type === 'handoff')).toHaveLength(2)
    }
  })

  it('when the one that was called is gone at its turn, the active one stays active', async () => {
    const { agent } = desk([{ calls: [transfer('clerk')] }], ['Hm.'])
    const whole = memorySession()
    await agent.run('go', { session: whole })
    const { events } = await whole.read()
    const session = memorySession(
      's',
      events.slice(
        0,
        events.findIndex(({ type }) => type === 'handoff'),
      ),
    )
    const alone = new Agent({ ...agent.options, model: scriptedModel(['I do it.']), handoffs: [] })
    const result = await alone.resume(session)
    expect([result.text, result.state.agent, result.state.instructions]).toEqual([
      'I do it.',
      'desk',
      'You are the desk.',
    ])
  })

  it('work below another agent; a crash there goes on with the one that was active', async () => {
    const paid: string[] = []
    const make = (ofDesk: ScriptedReply[], ofA: ScriptedReply[], ofB: ScriptedReply[]) => {
      const pay = tool({ name: 'pay', effect: 'idempotent', execute: () => paid.push('x') }) as Tool
      const b = new Agent({ name: 'b', model: scriptedModel(ofB), tools: [pay] })
      const a = new Agent({ name: 'a', model: scriptedModel(ofA), handoffs: [b] })
      return new Agent({ name: 'desk', model: scriptedModel(ofDesk), tools: [a.asTool()] })
    }
    const session = memorySession()
    const first: ScriptedReply = { calls: [{ name: 'a', arguments: { task: 'go' } }] }
    const agent = make([first, 'Done.'], [{ calls: [transfer('b')] }], [{ calls: [{ name: 'pay' }] }, 'Paid.'])
    const result = await agent.run('go', { session })
    expect(result.text).toBe('Done.')
    const { events } = await session.read()
    const paths = events.flatMap((event) => (event.type === 'child' ? [event.event.path?.join('>')] : []))
    expect(new Set(paths)).toEqual(new Set(['desk>a', 'desk>b']))
    // Cut where b was about to pay.
    const cut = events.findIndex(
      (event) => event.type === 'child' && event.event.type === 'tool-start' && event.event.name === 'pay',
    )
    const again = memorySession('s', events.slice(0, cut + 1) as LoggedEvent[])
    const resumed = await make(['Done again.'], [], ['Paid again.']).resume(again)
    expect([resumed.text, paid.length]).toEqual(['Done again.', 2])
  })

  it('a handoff under way survives the renaming of the agent that asked for it', async () => {
    const whole = memorySession()
    await desk([{ calls: [transfer('clerk')] }], ['x']).agent.run('Hi', { session: whole })
    const session = memorySession('s', before((await whole.read()).events, 'handoff'))
    const { agent } = desk(['no'], ['Here.'])
    expect((await new Agent({ ...agent.options, name: 'front' }).resume(session)).text).toBe('Here.')
  })

  it('a forced choice is not forced again when the handoff it led to is not possible any more', async () => {
    const whole = memorySession()
    const { agent } = desk([{ calls: [transfer('clerk')] }], ['x'], { toolChoice: 'required' })
    await agent.run('Hi', { session: whole })
    const model = scriptedModel(['I do it.'])
    const alone = new Agent({ ...agent.options, model, handoffs: [] })
    await alone.resume(memorySession('s', before((await whole.read()).events, 'handoff')))
    expect(model.requests[0]?.toolChoice).toBe('auto')
  })
})

describe('an agent that takes the place of one that is gone', () => {
  const spoken = async () => {
    const session = memorySession()
    await new Agent({ name: 'old', model: scriptedModel(['x']) }).run('Hi', { session })
    return session
  }

  it('has its first turn in the one that a crash cut short', async () => {
    const { events } = await (await spoken()).read()
    const model = scriptedModel([{ calls: [{ name: 'look' }] }, 'Done.'])
    const agent = new Agent({ name: 'new', model, tools: [look], toolChoice: 'required' })
    await agent.resume(memorySession('s', before(events, 'model-end')))
    expect(model.requests.map(({ toolChoice }) => toolChoice)).toEqual(['required', 'auto'])
  })

  it('is not handed a run that is over', async () => {
    const session = await spoken()
    const { at } = await session.read()
    expect((await new Agent({ name: 'new', model: scriptedModel([]) }).resume(session)).text).toBe('x')
    expect((await session.read()).at).toBe(at)
  })
})

describe('a handoff below an agent that works as a tool', () => {
  type Replies = { desk?: ScriptedReply[]; a?: ScriptedReply[]; b?: ScriptedReply[]; isAlone?: boolean }
  const first: ScriptedReply = { calls: [{ name: 'a', arguments: { task: 'go' } }] }

  /** A desk asks a, which hands over to b, which pays. */
  function program({ desk: ofDesk = [], a: ofA = [], b: ofB = [], isAlone = false }: Replies) {
    const heard: string[] = []
    const pay = tool({ name: 'pay', effect: 'idempotent', execute: () => 'paid' }) as Tool
    const b = new Agent({ name: 'b', model: scriptedModel(ofB), instructions: 'B.', tools: [pay] })
    b.on('model-end', ({ path }) => heard.push(String(path)))
    const model = scriptedModel(ofA)
    const a = new Agent({ name: 'a', model, instructions: 'A.', handoffs: isAlone ? [] : [b], tools: [pay] })
    return { heard, model, agent: new Agent({ name: 'desk', model: scriptedModel(ofDesk), tools: [a.asTool()] }) }
  }

  async function played() {
    const session = memorySession()
    const { agent, heard } = program({
      desk: [first, 'Done.'],
      a: [{ calls: [transfer('b')] }],
      b: [{ calls: [{ name: 'pay' }] }, 'Paid.'],
    })
    await agent.run('go', { session })
    return { events: (await session.read()).events, heard }
  }

  it('its listeners hear the agent that took over', async () => {
    expect((await played()).heard).toEqual(['desk,b', 'desk,b'])
  })

  it('entered again when the one that took over is gone, the first goes on with its own instructions', async () => {
    const { events } = await played()
    const cut = events.findIndex(
      (event) => event.type === 'child' && event.event.type === 'model-end' && event.event.path?.at(-1) === 'b',
    )
    const { agent, model } = program({ desk: ['Done again.'], a: ['A did it.'], isAlone: true })
    const session = memorySession('s', events.slice(0, cut))
    expect((await agent.resume(session)).text).toBe('Done again.')
    expect(model.requests[0]?.instructions).toBe('A.')
    const handoffs = (await session.read()).events.flatMap((event) =>
      event.type === 'child' && event.event.type === 'handoff' ? [event.event.agent] : [],
    )
    expect(handoffs).toEqual(['b', 'a'])
  })

  it('a verdict retry() on the call of an agent at work enters it again, with what it did', async () => {
    const { events } = await played()
    const cut = events.findIndex((event) => event.type === 'child' && event.event.type === 'tool-start')
    const session = memorySession('s', events.slice(0, cut + 1))
    const paused = await new Agent({ name: 'desk', model: scriptedModel([]) }).resume(session)
    expect(paused.needs).toMatchObject([{ for: 'verdict', tool: 'a' }])
    const { agent, model } = program({ desk: ['Done again.'], b: ['Paid again.'] })
    const result = await agent.resume(session, { [paused.needs![0]!.id]: retry() })
    expect([result.text, model.requests.length]).toEqual(['Done again.', 0])
  })
})
