/** Steering: what is added to a live run is seen at the next edge of a turn, once, and its receipt says where. */
import { describe, expect, it, vi } from 'vitest'
import { Agent, checkHistory, fold, type Limits, type Message, memorySession, type Tool, tool } from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

const look = tool({ name: 'look', effect: 'pure', execute: () => 'ok' }) as Tool
const calls = [{ name: 'look' }]

function agentOf(replies: ScriptedReply[], options: Partial<Agent['options']> = {}) {
  const model = scriptedModel(replies)
  return { model, agent: new Agent({ name: 'a', model, tools: [look], ...options }) }
}

describe('a message to a live run', () => {
  it('is seen behind the results of the turn under way, once', async () => {
    const { agent, model } = agentOf([{ calls }, { calls }, 'Done.'])
    const session = memorySession()
    const run = agent.run('go', { session })
    let receipt: Promise<unknown> | undefined
    for await (const event of run) if (event.type === 'tool-start') receipt ??= run.steer('In euros, please.')
    expect(await receipt).toEqual({ seen: true, turn: 2 })
    expect(model.requests.map(({ messages }) => messages.map(({ role }) => role).join(' '))).toEqual([
      'user',
      'user assistant tool user',
      'user assistant tool user assistant tool',
    ])
    const { events } = await session.read()
    expect(events.map(({ type }) => type).join(' ')).toBe(
      'run-start turn-start model-end tool-start tool-end steer turn-start model-end tool-start tool-end turn-start model-end run-end',
    )
    expect(fold(events)).toEqual((await run).state)
  })

  it('before the first turn stands behind the input; several come together, in their order', async () => {
    const { agent, model } = agentOf(['Done.'])
    const run = agent.run('go')
    const receipts = [
      run.steer('one'),
      run.steer([{ type: 'text', text: 'two' }]),
      run.steer([{ role: 'user', content: 'three' }]),
    ]
    await run
    expect(await Promise.all(receipts)).toEqual(receipts.map(() => ({ seen: true, turn: 1 })))
    expect(model.requests[0]?.messages.map(({ content }) => content)).toEqual([
      'go',
      'one',
      [{ type: 'text', text: 'two' }],
      'three',
    ])
  })

  it('makes a run that was about to end with its answer go on', async () => {
    const { agent, model } = agentOf(['Here.', 'In euros, then.'])
    const run = agent.run('go')
    let receipt: Promise<unknown> | undefined
    for await (const event of run) if (event.type === 'model-end') receipt ??= run.steer('In euros.')
    expect((await run).text).toBe('In euros, then.')
    expect(await receipt).toEqual({ seen: true, turn: 2 })
    expect(checkHistory(model.requests[1]!.messages)).toBeUndefined()
  })

  it('cannot go over the limit of turns, and its receipt says that it was not seen', async () => {
    const { agent, model } = agentOf(['1', '2', '3', '4'], { limits: { turns: 2 } })
    const run = agent.run('go')
    const receipts: Promise<unknown>[] = []
    for await (const event of run) if (event.type === 'model-end') receipts.push(run.steer('More.'))
    expect(await run).toMatchObject({ status: 'stopped', stop: 'turns', text: '3' })
    expect(await Promise.all(receipts)).toEqual([{ seen: true, turn: 2 }, { seen: true, turn: 3 }, { seen: false }])
    expect(model.requests).toHaveLength(3)
  })

  it('that comes when the run waits, failed, was left or is over is not seen, and nothing of it is left', async () => {
    const ask = tool({ name: 'ask' }) as Tool
    const ends: [ScriptedReply[], string][] = [
      [[{ calls: [{ name: 'ask' }] }], 'tool-wait'],
      [[new Error('down')], 'turn-start'],
      [['Done.'], 'run-end'],
    ]
    for (const [replies, at] of ends) {
      const { agent } = agentOf(replies, { tools: [ask] })
      const session = memorySession()
      const run = agent.run('go', { session })
      let receipt: Promise<unknown> | undefined
      try {
        for await (const event of run) if (event.type === at) receipt ??= run.steer('More.')
      } catch {
        // The model error is seen by its test.
      }
      expect(await receipt).toEqual({ seen: false })
      expect(JSON.stringify((await session.read()).events)).not.toContain('More.')
      expect(await run.steer('Still there?')).toEqual({ seen: false })
    }
  })

  it.each<[string, Limits, ScriptedReply]>([
    ['tokens are', { tokens: 15 }, 'Here.'],
    ['dollars are', { usd: 1 }, { text: 'Here.', usage: { usd: 1 } }],
    ['dollars for one more request are', { usd: 1 }, { text: 'Here.', usage: { usd: 0.9 } }],
    ['time is', { ms: 60_000 }, 'Here.'],
  ])('at the end of a run whose %s spent is not seen, and the run is done', async (_, limits, reply) => {
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    const script = scriptedModel(() => {
      now += limits.ms ?? 0
      return reply
    })
    const { agent } = agentOf([], { model: { ...script, estimateUsd: () => 0.2 }, limits })
    const session = memorySession()
    const run = agent.run('go', { session })
    let receipt: Promise<unknown> | undefined
    for await (const event of run) if (event.type === 'model-end') receipt ??= run.steer('In euros.')
    clock.mockRestore()
    expect(await run).toMatchObject({ status: 'done', text: 'Here.' })
    expect([await receipt, script.requests.length]).toEqual([{ seen: false }, 1])
    expect((await session.read()).events.map(({ type }) => type)).not.toContain('steer')
  })

  it('has a receipt that can be awaited inside the loop that reads the run, and before anybody reads it', async () => {
    const { agent } = agentOf([{ calls }, 'Done.'])
    const run = agent.run('go')
    const receipts: unknown[] = []
    for await (const event of run) if (event.type === 'tool-start') receipts.push(await run.steer('More.'))
    receipts.push(await agentOf(['Done.']).agent.run('go').steer('More.'))
    expect(receipts).toEqual([
      { seen: true, turn: 2 },
      { seen: true, turn: 1 },
    ])
  })

  it('while a turn begins again waits for the next one', async () => {
    const whole = memorySession()
    await agentOf(['Here.']).agent.run('go', { session: whole })
    const { events } = await whole.read()
    const { agent, model } = agentOf(['Here.', 'In euros, then.'])
    const run = agent.resume(memorySession('s', events.slice(0, 2)))
    const receipt = run.steer('In euros.')
    expect([(await run).text, await receipt]).toEqual(['In euros, then.', { seen: true, turn: 2 }])
    expect(model.requests[0]?.messages).toHaveLength(1)
  })

  it('is a private copy', async () => {
    const { agent, model } = agentOf(['Done.'])
    const run = agent.run('go')
    const message: Message = { role: 'user', content: 'one' }
    void run.steer([message])
    message.content = 'changed'
    await run
    expect(model.requests[0]?.messages.at(-1)?.content).toBe('one')
    expect(Object.isFrozen(message)).toBe(false)
  })

  it('is in the log before it is confirmed: when the log fails, it was not seen', async () => {
    const { agent } = agentOf([{ calls }, 'Done.'])
    const memory = memorySession()
    const session = {
      ...memory,
      append: (at: number, batch: Parameters<typeof memory.append>[1]) =>
        batch.events.some(({ type }) => type === 'steer')
          ? Promise.reject(new Error('disk full'))
          : memory.append(at, batch),
    }
    const run = agent.run('go', { session })
    const receipt = run.steer('More.')
    await expect(run).rejects.toThrow(/disk full/)
    expect(await receipt).toEqual({ seen: false })
  })

  it('reaches the active agent', async () => {
    const clerk = scriptedModel(['Yes.'])
    const { agent } = agentOf([{ calls: [{ name: 'transfer_to_clerk' }] }], {
      handoffs: [new Agent({ name: 'clerk', model: clerk })],
    })
    const run = agent.run('go')
    for await (const event of run) if (event.type === 'tool-end') void run.steer('And quickly.')
    expect(clerk.requests[0]?.messages.at(-1)).toEqual({ role: 'user', content: 'And quickly.' })
  })

  it.each([
    ['', /empty text/],
    [[], /empty list/],
    [[{ role: 'assistant', content: 'I said so.' }], /role "assistant" cannot be added/],
    [[{ role: 'system', content: 'Obey.' }], /role "system"/],
    [[{ role: 'tool', callId: 'c', name: 'x', content: 'ok' }], /results of tools only/],
    [7, /The input is 7/],
  ])('%j is refused', (input, message) => {
    const run = agentOf(['x']).agent.run('go')
    expect(() => run.steer(input as never)).toThrow(message)
  })
})
