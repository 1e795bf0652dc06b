/** What a model is asked and what becomes of its restarts: the seams that `@clew/openrouter` fills. */
import { describe, expect, it } from 'vitest'
import {
  Agent,
  emptyState,
  fold,
  type LoggedEvent,
  type Model,
  ModelError,
  type ModelRequest,
  memorySession,
  noUsage,
  type RunEvent,
  reduce,
  tool,
  type Usage,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

const look = tool({ name: 'look', effect: 'pure', execute: () => 'seen' })
const call = { calls: [{ name: 'look', arguments: {} }] }

describe('a request', () => {
  it('names its conversation: one id for all runs of a session, its own for each run without', async () => {
    const model = scriptedModel(() => 'ok')
    const agent = new Agent({ name: 'a', model })
    const session = memorySession('my-name')
    const first = await agent.run('1', { session })
    await agent.run('2', { session })
    await agent.run('3', {
      session: memorySession('my-name', JSON.parse(JSON.stringify((await session.read()).events))),
    })
    await agent.run('4')
    const [one, two, three, four] = model.requests.map(({ conversation }) => conversation)
    expect(one).toBe(first.state.id)
    expect([two, three]).toEqual([one, one])
    expect(four).not.toBe(one)
  })

  it('is not made when its price alone goes over limits.usd; without that limit nobody asks for it', async () => {
    const asked: ModelRequest[] = []
    const priced = (usd: number | undefined): Model => ({
      ...scriptedModel(() => ({ text: 'ok', usage: { usd: 0.1 } })),
      estimateUsd: (request) => {
        asked.push(request)
        return usd
      },
    })
    const run = (usd: number | undefined, limits: object) =>
      new Agent({ name: 'a', model: priced(usd), instructions: 'Be brief.', tools: [look] }).run('Go.', { limits })
    expect(await run(0.6, { usd: 0.5 })).toMatchObject({ status: 'stopped', stop: 'usd', usage: { requests: 0 } })
    expect(asked[0]).toMatchObject({
      instructions: 'Be brief.',
      messages: [{ role: 'user' }],
      tools: [{ name: 'look' }],
    })
    expect(await run(0.4, { usd: 0.5 })).toMatchObject({ status: 'done' })
    expect(await run(undefined, { usd: 0.5 })).toMatchObject({ status: 'done' })
    const before = asked.length
    expect(await run(9, {})).toMatchObject({ status: 'done' })
    expect(asked).toHaveLength(before)
  })
})

describe('a model that begins its answer again', () => {
  it('P029: its calls are other calls, each with one start, and nothing of the first try is in the message', async () => {
    let turn = 0
    const model: Model = {
      id: 'again',
      async *generate() {
        if (++turn > 1) return { content: 'Done.', finishReason: 'stop', source: { model: 'x' } }
        yield [
          { type: 'text-delta', text: 'Half' },
          { type: 'tool-input-start', index: 0, name: 'look' },
        ]
        yield [{ type: 'model-restart', reason: 'down', usage: { ...noTokens, requests: 1, usd: 1 } }]
        yield [
          { type: 'tool-input-start', index: 0, name: 'look' },
          { type: 'tool-input-delta', index: 0, text: '{}' },
          { type: 'tool-input-end', index: 0 },
        ]
        return {
          content: '',
          toolCalls: [{ name: 'look', arguments: '{}' }],
          finishReason: 'tool-calls',
          source: { model: 'x' },
        }
      },
    }
    const events: RunEvent[] = []
    const run = new Agent({ name: 'a', model, tools: [look] }).run('Go.')
    for await (const event of run) events.push(event)
    const starts = events.flatMap((event) => (event.type === 'tool-input-start' ? [event.id] : []))
    expect(new Set(starts).size).toBe(2)
    const ran = events.flatMap((event) => (event.type === 'tool-start' ? [event.id] : []))
    expect(ran).toEqual([starts[1]])
    const { state } = await run
    expect(JSON.stringify(state.messages)).not.toContain('Half')
    expect(state.usage).toMatchObject({ usd: 1, requests: 3 })
  })
})
const noTokens = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 }

describe('odd usage', () => {
  const odd = (usage: object) => usage as Usage
  const next = scriptedModel(() => 'ok')

  it('of a call that failed harms neither the limits nor the log', async () => {
    const session = memorySession()
    const model: Model = {
      id: 'down',
      async *generate() {
        throw new ModelError('down', { usage: odd({ usd: 0.1 }) })
      },
    }
    await expect(new Agent({ name: 'a', model }).run('go', { session })).rejects.toThrow(/down/)
    const result = await new Agent({ name: 'a', model: next }).resume(session, {}, { limits: { tokens: 100, usd: 1 } })
    expect(result).toMatchObject({ status: 'done', usage: { usd: 0.1, requests: 1, inputTokens: 10, outputTokens: 5 } })
    expect(fold((await session.read()).events)).toEqual(result.state)
  })

  it('of an answer that began again harms neither the limits nor the log', async () => {
    const session = memorySession()
    const strange = { inputTokens: Number.NaN, outputTokens: 7, cachedTokens: Number.POSITIVE_INFINITY, usd: '1' }
    const model: Model = {
      id: 'restarting',
      async *generate() {
        yield [{ type: 'model-restart', reason: 'busy', usage: odd(strange) }]
        return { content: 'ok', finishReason: 'stop', source: { model: 'm' }, usage: noUsage }
      },
    }
    const result = await new Agent({ name: 'a', model }).run('go', { session, limits: { tokens: 100 } })
    expect(result).toMatchObject({
      status: 'done',
      usage: { inputTokens: 0, outputTokens: 7, cachedTokens: 0, usd: 0 },
    })
    expect(fold((await session.read()).events)).toEqual(result.state)
    expect((await new Agent({ name: 'a', model: next }).run('on', { session })).status).toBe('done')
  })
})

describe('the usage of a sub-agent', () => {
  it('P116: is in the total of the run that it works for, and stays in its own state', async () => {
    const usage = { inputTokens: 10, outputTokens: 5, usd: 0.25 }
    const child = new Agent({
      name: 'child',
      model: scriptedModel([
        { ...call, usage },
        { text: 'found', usage },
      ]),
      tools: [look],
    }).run('Find.')
    const events: LoggedEvent[] = [
      { type: 'run-start', v: 1, id: 'r', agent: 'parent', input: [{ role: 'user', content: 'Go.' }] },
      { type: 'turn-start', turn: 1 },
      {
        type: 'model-end',
        turn: 1,
        message: {
          role: 'assistant',
          content: '',
          toolCalls: [{ id: 'c', wireId: 'c', name: 'child', arguments: '{}' }],
        },
        finishReason: 'tool-calls',
        usage: { ...noTokens, requests: 1, usd: 0.5 },
      },
      { type: 'tool-start', id: 'c', name: 'child', input: {} },
    ]
    for await (const event of child) events.push({ type: 'child', id: 'c', event })
    const state = events.reduce(reduce, emptyState())
    expect(state.usage).toMatchObject({ requests: 3, inputTokens: 20, outputTokens: 10, usd: 1 })
    expect(state.pending).toMatchObject([{ status: 'running', child: { usage: { requests: 2, usd: 0.5 } } }])
  })
})
