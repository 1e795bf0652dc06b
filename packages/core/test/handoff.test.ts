/** Handoffs: the talk moves on to another agent, and what that agent sees is a history that its model takes. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Agent, approve, fold, type Model, memorySession, type RunEvent, type Tool, tool } from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'
import { desk, look, transfer } from './desk.ts'

describe('a handoff', () => {
  it('is a tool to the model; then the other agent is active, with its own instructions, tools and model', async () => {
    const pay = tool({ name: 'pay', execute: () => 'paid' }) as Tool
    const { agent, models } = desk(
      [{ text: 'One moment.', calls: [transfer('clerk')] }],
      [{ calls: [{ name: 'pay' }] }, 'Paid.'],
      {},
      { tools: [pay] },
    )
    const session = memorySession()
    const result = await agent.run('Pay order 17.', { session })
    expect([result.status, result.text, result.state.agent]).toEqual(['done', 'Paid.', 'clerk'])
    const [asked] = models.desk.requests
    expect(asked?.tools.map(({ name }) => name)).toEqual(['look', 'transfer_to_clerk'])
    expect(asked?.tools[1]?.description).toMatch(/over to clerk/)
    const [first, second] = models.clerk.requests
    expect(first).toMatchObject({ instructions: 'You are the clerk.', tools: [{ name: 'pay' }] })
    expect(first?.messages).toMatchObject([
      { role: 'user', content: 'Pay order 17.' },
      { role: 'assistant', content: 'One moment.' },
      { role: 'tool', name: 'transfer_to_clerk', content: 'Transferred to clerk.' },
    ])
    expect(second?.messages.slice(0, 3)).toEqual(first?.messages)
    expect(fold((await session.read()).events)).toEqual(result.state)
  })

  it('counts usage and turns in one run, whose limits hold on', async () => {
    const { agent, models } = desk(
      [{ calls: [transfer('clerk')] }],
      [{ calls: [{ name: 'look' }] }, { text: 'So far.', calls: [{ name: 'look' }] }],
      { limits: { turns: 2 } },
      { tools: [look], limits: { turns: 9 } },
    )
    const result = await agent.run('go')
    expect(result).toMatchObject({ status: 'stopped', stop: 'turns', text: 'So far.', usage: { requests: 3 } })
    expect(models.clerk.requests).toHaveLength(2)
  })

  it('takes place when all calls of its turn are closed, whatever waits among them', async () => {
    const refund = tool({ name: 'refund', needsApproval: true, execute: () => 'refunded' }) as Tool
    const { agent, models } = desk([{ calls: [transfer('clerk'), { name: 'refund' }] }], ['All done.'], {
      tools: [refund],
    })
    const session = memorySession()
    const paused = await agent.run('go', { session })
    expect([paused.status, paused.state.agent, models.clerk.requests.length]).toEqual(['waiting', 'desk', 0])
    const result = await agent.resume(session, { [paused.needs![0]!.id]: approve() })
    expect([result.text, result.state.agent]).toEqual(['All done.', 'clerk'])
    expect(models.clerk.requests[0]?.messages.slice(-2)).toMatchObject([
      { content: 'Transferred to clerk.' },
      { content: 'refunded' },
    ])
  })

  it('happens once in a turn: a second one is an error result', async () => {
    const other = new Agent({ name: 'cashier', model: scriptedModel([]) })
    const clerk = scriptedModel(['Here.'])
    const agent = new Agent({
      name: 'desk',
      model: scriptedModel([{ calls: [transfer('clerk'), transfer('cashier')] }]),
      handoffs: [new Agent({ name: 'clerk', model: clerk }), other],
    })
    expect((await agent.run('go')).text).toBe('Here.')
    expect(clerk.requests[0]?.messages.slice(-2)).toMatchObject([
      { content: 'Transferred to clerk.' },
      {
        isError: true,
        content: 'Not run: the conversation can be handed over once, and transfer_to_clerk came first.',
      },
    ])
  })

  it('that a middleware refused does not happen', async () => {
    const veto = {
      name: 'veto',
      async *tool() {
        return { content: 'The clerk is out.', isError: true as const }
      },
    }
    const { agent } = desk([{ calls: [transfer('clerk')] }, 'Then I do it.'], [], { use: [veto] })
    expect(await agent.run('go')).toMatchObject({ text: 'Then I do it.', state: { agent: 'desk' } })
  })

  it('to an agent without tools sends the names that stand in the history, not to be called', async () => {
    const { agent, models } = desk([{ calls: [{ name: 'look' }] }, { calls: [transfer('clerk')] }], ['Hello.'])
    await agent.run('go')
    expect(models.clerk.requests[0]).toMatchObject({
      tools: [{ name: 'look' }, { name: 'transfer_to_clerk' }],
      toolChoice: 'none',
    })
  })

  it('a forced tool choice is that of the agent, in its first turn', async () => {
    const { agent, models } = desk(
      [{ calls: [{ name: 'look' }] }, { calls: [transfer('clerk')] }],
      [{ calls: [{ name: 'look' }] }, 'Done.'],
      { toolChoice: 'required' },
      { tools: [look], toolChoice: 'look' },
    )
    await agent.run('go')
    expect([...models.desk.requests, ...models.clerk.requests].map(({ toolChoice }) => toolChoice)).toEqual([
      'required',
      'auto',
      'look',
      'auto',
    ])
  })

  it('answers with the output of the active agent', async () => {
    const schema = z.object({ euros: z.number() })
    const clerk = new Agent({ name: 'clerk', model: scriptedModel(['{"euros":80}']), output: schema })
    const agent = new Agent({
      name: 'desk',
      model: scriptedModel([{ calls: [transfer('clerk')] }]),
      output: schema,
      handoffs: [clerk],
    })
    const result = await agent.run('How much?')
    expect(result.output?.euros).toBe(80)
  })

  it('finds a toolChoice that names it, also in a list that a function makes', async () => {
    const { agent, models } = desk([{ calls: [transfer('clerk')] }], ['Here.'])
    const { handoffs } = agent.options
    const forced = new Agent({ ...agent.options, handoffs: () => handoffs as [], toolChoice: 'transfer_to_clerk' })
    expect((await forced.run('Hi')).text).toBe('Here.')
    expect(models.desk.requests[0]?.toolChoice).toBe('transfer_to_clerk')
  })

  it('is not asked for by a call whose name was repaired into its own: the one behind it takes place', async () => {
    const { agent } = desk([{ calls: [{ name: 'transfer to clerk' }, transfer('clerk')] }], ['Here.'])
    expect(await agent.run('Hi')).toMatchObject({ text: 'Here.', state: { agent: 'clerk' } })
  })

  it('tells the other agent its own instructions, made of the context, or none', async () => {
    const greeting = ({ user }: { user: string }) => `For ${user}.`
    const model = scriptedModel(['Here.'])
    const clerk = new Agent({ name: 'clerk', model, instructions: greeting })
    const asked = scriptedModel([{ calls: [transfer('clerk')] }])
    await new Agent({ name: 'desk', model: asked, handoffs: [clerk] }).run('Hi', { context: { user: 'ada' } })
    expect(model.requests[0]?.instructions).toBe('For ada.')

    const { agent, clerk: talkative, models } = desk([{ calls: [transfer('clerk')] }], ['Here.'])
    const { instructions: _, ...silent } = talkative.options
    await new Agent({ ...agent.options, handoffs: [new Agent(silent)] }).run('Hi')
    expect(models.clerk.requests[0]).not.toHaveProperty('instructions')
  })

  it('asks the price of the agent that is asked', async () => {
    const dear = scriptedModel([{ calls: [transfer('clerk')] }])
    const prices = [0.1, 5]
    const model: Model = { ...dear, estimateUsd: () => prices.shift() ?? 5 }
    const { agent } = desk([], ['Here.'], { model, limits: { usd: 1 } })
    expect((await agent.run('Hi')).text).toBe('Here.')
  })
})

describe('agents that name each other', () => {
  /** A and B hand over to each other. */
  function pair(ofA: ScriptedReply[], ofB: ScriptedReply[]) {
    const heard: string[] = []
    const a: Agent = new Agent({ name: 'a', model: scriptedModel(ofA), instructions: 'A.', handoffs: () => [b] })
    const b: Agent = new Agent({ name: 'b', model: scriptedModel(ofB), instructions: 'B.', handoffs: () => [a] })
    a.on('model-end', ({ path }) => heard.push(`a hears ${path}`))
    b.on('model-end', ({ path }) => heard.push(`b hears ${path}`))
    return { a, b, heard }
  }

  it('go to and fro; paths and listeners follow it', async () => {
    const { a, heard } = pair([{ calls: [transfer('b')] }, 'A ends.'], [{ calls: [transfer('a')] }])
    const events: RunEvent[] = []
    const run = a.run('go')
    for await (const event of run) events.push(event)
    expect((await run).text).toBe('A ends.')
    expect(events.filter(({ type }) => type === 'model-end').map(({ path }) => path)).toEqual([['a'], ['b'], ['a']])
    // The one that the run began with hears all of it, the other its own part.
    expect(heard).toEqual(['a hears a', 'a hears b', 'b hears b', 'a hears a'])
  })

  it('the one that is handed to may be resumed by itself', async () => {
    const place = tool({ name: 'place' }) as Tool
    const { agent, clerk, models } = desk(
      [{ calls: [transfer('clerk')] }],
      [{ calls: [{ name: 'place' }] }, 'Oslo.'],
      {},
      { tools: [place] },
    )
    const session = memorySession()
    const paused = await agent.run('Where?', { session })
    expect(paused.needs).toMatchObject([{ path: ['clerk'], tool: 'place' }])
    const result = await clerk.resume(session, { [paused.needs![0]!.id]: { type: 'respond', content: 'Oslo' } })
    expect(result.text).toBe('Oslo.')
    expect(models.clerk.requests).toHaveLength(2)
    expect((await session.read()).events.filter(({ type }) => type === 'handoff')).toHaveLength(1)
  })
})

describe('what cannot work is refused when it is defined', () => {
  const agent = (name: string) => new Agent({ name, model: scriptedModel([]) })
  it.each<[string, unknown, RegExp]>([
    ['no list', agent('x'), /handoffs is no list/],
    ['no agent', ['clerk'], /handoffs\[0\] is neither an agent nor/],
    ['undefined, of agents that name each other', [undefined], /write handoffs: \(\) => \[other\]/],
    ['itself', [agent('desk')], /handoffs\[0\] is agent "desk" itself/],
    ['one twice', [agent('a'), agent('a')], /handoffs\[1\] is agent "a" once more/],
    ['one that has the name of a tool', [agent('a').asHandoff({ name: 'look' })], /two tools have the name "look"/],
  ])('%s', (_, handoffs, message) => {
    expect(
      () => new Agent({ name: 'desk', model: scriptedModel([]), tools: [look], handoffs: handoffs as never }),
    ).toThrow(message)
  })

  it('names no provider takes', () => {
    expect(() => agent('a').asHandoff({ name: 'to a' })).toThrow(/a tool's name has/)
    expect(agent('Ann at the till').asHandoff().tool.name).toBe('transfer_to_Ann_at_the_till')
    expect(() => agent('a').asHandoff({ filter: [] as never })).toThrow(/filter is no function/)
  })

  it('two agents of one name, however far apart', async () => {
    const far = new Agent({ name: 'b', model: scriptedModel([]), handoffs: [agent('c')] })
    const first = new Agent({ name: 'a', model: scriptedModel([]), handoffs: [far, agent('c')] })
    await expect(first.run('go')).rejects.toThrow(/have the name "c".*rename one/)
  })

  it('a list that its function could not make', async () => {
    const first = new Agent({
      name: 'a',
      model: scriptedModel([]),
      handoffs: (context: { who: string }) => (context.who ? [] : []),
    })
    await expect((first as Agent).run('go')).rejects.toThrow(
      /handoffs of agent "a" could not be made: .*There was no context/,
    )
  })

  it('a list that its function made wrongly', async () => {
    const first = new Agent({ name: 'a', model: scriptedModel(['x']), handoffs: () => ['clerk'] as never })
    await expect(first.run('go')).rejects.toThrow(/handoffs\[0\] is neither an agent nor/)
  })
})
