/** What the agent that takes over sees of the talk: a filter makes it, and what cannot be sent is not shown. */
import { describe, expect, it } from 'vitest'
import { Agent, fold, type HandoffOptions, type Message, type ModelRequest, memorySession } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import { desk, look, transfer } from './desk.ts'

describe('a filter', () => {
  it('stands with a name and a description in what asHandoff() makes', async () => {
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
  ])('that %s fails the run, and shows nothing to the other', async (_, filter, message) => {
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

  it('that changes its messages changes no log', async () => {
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

  it('that takes the calls off the messages does not end the run before the other agent is asked', async () => {
    const { agent, models } = filtered((messages) =>
      messages.flatMap((message): Message[] => {
        if (message.role === 'tool') return []
        return message.role === 'assistant' ? [{ role: 'assistant', content: message.content }] : [message]
      }),
    )
    expect((await agent.run('Hi')).text).toBe('Here.')
    expect(models.clerk.requests[0]?.messages.at(-1)).toEqual({ role: 'assistant', content: 'One moment.' })
  })

  it('returns messages that can be changed afterwards, which changes nothing', async () => {
    const kept: Message = { role: 'user', content: 'short' }
    const { state } = await filtered(() => [kept]).agent.run('go')
    expect(Object.isFrozen(kept)).toBe(false)
    kept.content = 'changed'
    expect(state.messages[0]?.content).toBe('short')
  })

  const user = { role: 'user', content: 'x' }
  const made = { id: '1', wireId: 'w', name: 'look', arguments: '{}' }
  const calling = (toolCalls: unknown) => [user, { role: 'assistant', content: '', toolCalls }]
  it.each<[string, unknown, RegExp]>([
    ['a role that nobody knows', [{ role: 'developer', content: 'x' }], /message 0 has the unknown role "developer"/],
    ['a message without content', [{ role: 'user' }], /content of input message 0 is undefined/],
    ['an empty message', [{ role: 'user', content: '' }], /message 0 is empty/],
    ['a part that is none', [{ role: 'user', content: [{ type: 'bogus' }] }], /part 0 is \{"type":"bogus"\}/],
    ['a function', [{ ...user, f() {} }], /no plain JSON/],
    ['a BigInt', [{ ...user, n: 1n }], /no plain JSON/],
    ['calls that are a number', calling(5), /toolCalls that are not \[\{ id, wireId, name, arguments/],
    ['calls of another shape', calling([{ name: 'look' }]), /toolCalls that are not \[\{ id, wireId, name, arguments/],
    ['two calls of one id', calling([made, { ...made, id: '2' }]), /toolCalls whose wireId is empty or stands twice/],
    ['broken arguments', calling([{ ...made, arguments: '{' }]), /a call that no provider takes/],
  ])('that returns %s fails the run with its name, and leaves the session usable', async (_, bad, problem) => {
    const { agent, models, mended } = filtered(() => bad as Message[])
    const session = memorySession()
    const error = await agent
      .run('Hi', { session })
      .result()
      .catch((thrown) => thrown)
    expect(error.message).toMatch(/The filter of the handoff to agent "clerk" returned what cannot be sent/)
    expect(error.message).toMatch(problem)
    expect(models.clerk.requests).toEqual([])
    expect((await mended.resume(session)).text).toBe('Here.')
    expect((await mended.run('And now?', { session })).status).toBe('done')
  })
})

/** The clerk sees what the filter makes of the talk; `mended` is the same program without it. */
function filtered(filter: NonNullable<HandoffOptions['filter']>) {
  const replies = (request: ModelRequest) => (request.instructions === 'You are the clerk.' ? 'Here.' : 'Never.')
  const { agent, clerk, models } = desk([], [])
  const model = scriptedModel([{ text: 'One moment.', calls: [transfer('clerk')] }, 'At your service.'])
  const told = scriptedModel(replies)
  const to = new Agent({ ...clerk.options, model: told })
  const options = { ...agent.options, model }
  return {
    agent: new Agent({ ...options, handoffs: [to.asHandoff({ filter })] }),
    mended: new Agent({ ...options, handoffs: [to] }),
    models: { ...models, clerk: told },
  }
}
