/** Handoffs: the talk moves on to another agent, and what that agent sees is a history that its model takes. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  Agent,
  approve,
  checkHistory,
  fold,
  type LoggedEvent,
  type Message,
  memorySession,
  type RunEvent,
  type Tool,
  tool,
} from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

const transfer = (to: string) => ({ name: `transfer_to_${to}` })
const look = tool({ name: 'look', effect: 'pure', execute: () => 'Order 17 is open.' }) as Tool

function desk(
  ofDesk: ScriptedReply[],
  ofClerk: ScriptedReply[],
  options: Partial<Agent['options']> = {},
  clerkOptions: Partial<Agent['options']> = {},
) {
  const models = { desk: scriptedModel(ofDesk), clerk: scriptedModel(ofClerk) }
  const clerk = new Agent({ name: 'clerk', model: models.clerk, instructions: 'You are the clerk.', ...clerkOptions })
  const agent = new Agent({
    name: 'desk',
    model: models.desk,
    instructions: 'You are the desk.',
    tools: [look],
    handoffs: [clerk],
    ...options,
  })
  return { agent, clerk, models }
}

describe('a handoff', () => {
  it('is a tool to the model; then the other agent has the word, with its own instructions, tools and model', async () => {
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
      { role: 'tool', name: 'transfer_to_clerk', content: 'clerk has the word now.' },
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
      { content: 'clerk has the word now.' },
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
      { content: 'clerk has the word now.' },
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

  it('has a name, a description and a filter of its own', async () => {
    const { clerk, models } = desk([], ['I am the clerk.'])
    const seen: string[] = []
    const model = scriptedModel([{ calls: [{ name: 'look' }] }, { calls: [{ name: 'to_the_clerk' }] }])
    const filter = (messages: readonly Message[]) => {
      seen.push(...messages.map(({ role }) => role))
      return messages.filter(({ role }) => role !== 'assistant') as Message[]
    }
    const handoff = clerk.asHandoff({ name: 'to_the_clerk', description: 'For refunds.', filter })
    const session = memorySession()
    const result = await new Agent({ name: 'desk', model, tools: [look], handoffs: [handoff] }).run('Hi', { session })
    expect(model.requests[0]?.tools[1]).toMatchObject({
      name: 'to_the_clerk',
      description: expect.stringMatching(/For refunds\./),
    })
    expect(seen).toEqual(['user', 'assistant', 'tool', 'assistant', 'tool'])
    // Results go with their calls; the log has everything.
    expect(models.clerk.requests[0]?.messages).toEqual([{ role: 'user', content: 'Hi' }])
    expect(result.state.messages).toMatchObject([{ role: 'user' }, { role: 'assistant', content: 'I am the clerk.' }])
    expect((await session.read()).events.filter(({ type }) => type === 'tool-end')).toHaveLength(2)
  })

  it.each<[string, (messages: readonly Message[]) => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('no key')
      },
      /The filter of the handoff to agent "clerk" failed: no key/,
    ],
    ['returns nothing', () => undefined, /returned no messages/],
    ['leaves nothing', () => [], /returned no messages/],
    ['returns texts', () => ['hello'], /returned no messages/],
  ])('whose filter %s fails the run, and shows nothing to the other', async (_, filter, message) => {
    const { clerk, models } = desk([], ['Hm.'])
    const replies = [{ calls: [transfer('clerk')] }]
    const options = { name: 'desk', model: scriptedModel(replies) }
    const broken = new Agent({ ...options, handoffs: [clerk.asHandoff({ filter: filter as never })] })
    const session = memorySession()
    await expect(broken.run('go', { session })).rejects.toThrow(message)
    expect(models.clerk.requests).toEqual([])
    const mended = new Agent({ ...options, handoffs: [clerk] })
    expect((await mended.resume(session)).text).toBe('Hm.')
  })

  it('what a filter changes in its messages changes no log', async () => {
    const { clerk } = desk([], ['Hm.'])
    const filter = (messages: readonly Message[]) => {
      for (const message of messages) (message as { content: string }).content = 'changed'
      return [...messages]
    }
    const session = memorySession()
    const agent = new Agent({
      name: 'desk',
      model: scriptedModel([{ calls: [transfer('clerk')] }]),
      handoffs: [clerk.asHandoff({ filter })],
    })
    const { state } = await agent.run('go', { session })
    expect(state.messages[0]).toEqual({ role: 'user', content: 'changed' })
    expect((await session.read()).events[0]).toMatchObject({ input: [{ content: 'go' }] })
    expect(fold((await session.read()).events)).toEqual(state)
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

  it('answers with the output of the agent that has the word', async () => {
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

  it('pass the word to and fro; paths and listeners follow it', async () => {
    const { a, heard } = pair([{ calls: [transfer('b')] }, 'A ends.'], [{ calls: [transfer('a')] }])
    const events: RunEvent[] = []
    const run = a.run('go')
    for await (const event of run) events.push(event)
    expect((await run).text).toBe('A ends.')
    expect(events.filter(({ type }) => type === 'model-end').map(({ path }) => path)).toEqual([['a'], ['b'], ['a']])
    // The one that the run began with hears all of it, the other its own part.
    expect(heard).toEqual(['a hears a', 'a hears b', 'b hears b', 'a hears a'])
  })

  it('are gone on with by the one that has the word, after a crash behind every event', async () => {
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

  it('when the one that was called is gone at its turn, who has the word keeps it', async () => {
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

  it('work below another agent; a crash there goes on with the one that had the word', async () => {
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
})
