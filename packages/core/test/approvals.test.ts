/** What an approval can say: another input, a decision for the rest of the session; and outcomes that could not be saved. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  Agent,
  type Answer,
  approve,
  isClewError,
  memorySession,
  respond,
  type Session,
  SessionError,
  tool,
  type Unsaved,
} from '../src/index.ts'
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
})

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
})
