/** What an approval can say: another input, a decision for the rest of the session. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Agent, type Answer, approve, memorySession, tool } from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

const call = (to: string, euros = 5) => ({ name: 'pay', arguments: { to, euros } })

/** A clerk who pays on request; `paid` is the world. */
function clerk(paid: object[], replies: ScriptedReply[]) {
  const pay = tool({
    name: 'pay',
    input: z.object({ to: z.string(), euros: z.number().max(100) }),
    needsApproval: true,
    execute: (input) => {
      paid.push(input)
      return `paid ${input.to}`
    },
  })
  const model = scriptedModel(replies)
  return { model, agent: new Agent({ name: 'clerk', model, tools: [pay] }) }
}

async function answered(answer: Answer) {
  const paid: object[] = []
  const { agent, model } = clerk(paid, [{ calls: [call('ann')] }, 'Done.'])
  const session = memorySession()
  const first = await agent.run('Pay.', { session })
  const result = await agent.resume(session, { [first.needs![0]!.id]: answer })
  return { paid, result, told: model.requests[1]!.messages.at(-1)!, asked: model.requests[1]!.messages.at(-2)! }
}

describe('approve({ input })', () => {
  it('runs with that input, validated; the model is told, its own call stays as it was', async () => {
    const { paid, told, asked, result } = await answered(approve({ input: { to: 'bob', euros: 7 } }))
    expect(paid).toEqual([{ to: 'bob', euros: 7 }])
    expect(told.content).toBe('[This call was approved with another input: {"to":"bob","euros":7}.]\npaid bob')
    expect(asked).toMatchObject({ toolCalls: [{ arguments: '{"to":"ann","euros":5}' }] })
    expect(result.status).toBe('done')
  })

  it.each([
    [{ to: 'bob', euros: 700 }, /does not fit.*euros/s],
    [{ to: 'bob' }, /does not fit.*euros/s],
    ['bob', /no object/],
  ])('%j, which does not fit, runs nothing', async (input, problem) => {
    const { paid, told } = await answered(approve({ input }))
    expect(paid).toEqual([])
    expect(told).toMatchObject({ isError: true, content: expect.stringMatching(problem) })
  })

  it('that is no JSON is checked as the JSON that the log can hold', async () => {
    const { paid, told } = await answered(approve({ input: { to: 'bob', euros: 7n as never } }))
    expect(paid).toEqual([])
    expect(told).toMatchObject({ isError: true, content: expect.stringMatching(/does not fit.*euros.*string/s) })
  })

  it('an answer from JSON with another word is refused before anything runs', async () => {
    await expect(answered({ type: 'approve', always: 'ever' } as never)).rejects.toThrow(/always.*is "ever"/)
  })
})

describe('approve({ always })', () => {
  const turns = (...tos: [string, number?][]): ScriptedReply[] => [
    ...tos.map((args) => ({ calls: [call(...args)] })),
    'Done.',
  ]

  it('for a tool: no call of it asks any more, in no later run of the session, in no other process', async () => {
    const paid: object[] = []
    const { agent } = clerk(paid, [...turns(['ann'], ['bob', 9]), ...turns(['cat'])])
    const session = memorySession()
    const first = await agent.run('Pay.', { session })
    const result = await agent.resume(session, { [first.needs![0]!.id]: approve({ always: 'tool' }) })
    expect(result.status).toBe('done')
    const reopened = memorySession('s', JSON.parse(JSON.stringify((await session.read()).events)))
    expect((await agent.run('More.', { session: reopened })).status).toBe('done')
    expect(paid).toHaveLength(3)
    const { agent: other } = clerk([], turns(['dan']))
    expect((await other.run('Elsewhere.', { session: memorySession() })).status).toBe('waiting')
  })

  it('for an input: the same input again does not ask, whatever the order of its keys; another does', async () => {
    const paid: object[] = []
    const { agent } = clerk(paid, [
      { calls: [call('ann')] },
      { calls: [{ name: 'pay', arguments: { euros: 5, to: 'ann' } }] },
      { calls: [call('ann', 6)] },
      'Done.',
    ])
    const first = await agent.run('Pay.')
    const second = await agent.resume(first.state, { [first.needs![0]!.id]: approve({ always: 'input' }) })
    expect(second.needs).toMatchObject([{ input: { to: 'ann', euros: 6 } }])
    expect(paid).toEqual([
      { to: 'ann', euros: 5 },
      { to: 'ann', euros: 5 },
    ])
  })

  it('given to a sub-agent’s call it holds for that agent, and not for another with a tool of that name', async () => {
    const paid: object[] = []
    const sub = () => clerk(paid, [...turns(['ann']), ...turns(['bob'])]).agent
    const model = scriptedModel([
      { calls: [{ name: 'clerk', arguments: { task: 'a' } }] },
      { calls: [{ name: 'clerk', arguments: { task: 'b' } }] },
      { calls: [call('cat')] },
      'Done.',
    ])
    const own = clerk(paid, []).agent.options.tools as readonly []
    const desk = new Agent({ name: 'desk', model, tools: [sub().asTool(), ...own] })
    const session = memorySession()
    const first = await desk.run('Go.', { session })
    const second = await desk.resume(session, { [first.needs![0]!.id]: approve({ always: 'tool' }) })
    expect(second.needs).toMatchObject([{ path: ['desk'], tool: 'pay', input: { to: 'cat' } }])
    expect(paid).toHaveLength(2)
  })

  it('for an input that was edited: what ran is approved, not what the model wrote', async () => {
    const paid: object[] = []
    const { agent } = clerk(paid, turns(['ann'], ['bob'], ['ann']))
    const first = await agent.run('Pay.')
    const answer = approve({ input: { to: 'bob', euros: 5 }, always: 'input' })
    const second = await agent.resume(first.state, { [first.needs![0]!.id]: answer })
    expect(second.needs).toMatchObject([{ input: { to: 'ann', euros: 5 } }])
    expect(paid).toEqual([
      { to: 'bob', euros: 5 },
      { to: 'bob', euros: 5 },
    ])
  })

  it('to an agent two levels below holds for that path, and not for that agent under another', async () => {
    const paid: object[] = []
    const cashier = () => clerk(paid, [...turns(['ann']), ...turns(['bob'])]).agent
    const between = (name: string, below: Agent) => {
      const ask = (): ScriptedReply => ({ calls: [{ name: 'clerk', arguments: { task: 'pay' } }] })
      const model = scriptedModel([ask(), 'Done.', ask(), 'Done.'])
      return new Agent({ name, model, tools: [below.asTool()] }).asTool()
    }
    const ask = (name: string): ScriptedReply => ({ calls: [{ name, arguments: { task: 'pay' } }] })
    const model = scriptedModel([ask('north'), ask('north'), ask('south')])
    const tools = [between('north', cashier()), between('south', cashier())]
    const desk = new Agent({ name: 'desk', model, tools })
    const session = memorySession()
    const first = await desk.run('Go.', { session })
    expect(first.needs).toMatchObject([{ path: ['desk', 'north', 'clerk'] }])
    const second = await desk.resume(session, { [first.needs![0]!.id]: approve({ always: 'tool' }) })
    expect(second.needs).toMatchObject([{ path: ['desk', 'south', 'clerk'] }])
    expect(paid).toHaveLength(2)
  })
})
