/** The log, and what can be done with it: going on, answering, starting again. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  Agent,
  approve,
  deny,
  emptyState,
  failed,
  fold,
  isLogged,
  type LoggedEvent,
  memorySession,
  type RunEvent,
  type RunState,
  reduce,
  respond,
  tool,
} from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

const refunds: number[] = []
const refund = tool({
  name: 'refund',
  input: z.object({ order: z.number() }),
  needsApproval: ({ order }) => order > 10,
  execute: ({ order }) => {
    refunds.push(order)
    return `refunded ${order}`
  },
})
const askUser = tool({ name: 'ask_user', input: z.object({ question: z.string() }), effect: 'pure' })
const calls = (...orders: number[]): ScriptedReply => ({
  calls: orders.map((order) => ({ name: 'refund', arguments: { order } })),
})
const clerk = (...script: ScriptedReply[]) =>
  new Agent({ name: 'clerk', model: scriptedModel(script), tools: [refund, askUser] })

/** Deep-freezes, so that a `reduce` that writes into its input throws. */
function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const child of Object.values(value)) frozen(child)
  }
  return value
}

describe('the state', () => {
  it('is the fold of the log, at every prefix, and reduce leaves its input alone', async () => {
    const session = memorySession()
    await clerk(calls(1, 20), { text: '', reasoning: 'hm', chunks: 2 }, 'ok').run('go', { session })
    const waiting = await clerk().resume(session)
    const id = waiting.status === 'waiting' ? waiting.needs[0]!.id : ''
    const done = await clerk('Done.').resume(session, { [id]: approve() })
    const { events } = await session.read()
    let state: RunState = frozen(emptyState())
    for (const [index, event] of events.entries()) {
      state = frozen(reduce(state, frozen(event)))
      expect(fold(structuredClone(events.slice(0, index + 1)))).toEqual(state)
    }
    expect(done.state).toEqual(state)
    expect(JSON.parse(JSON.stringify(state))).toEqual(state)
  })

  it('holds what comes in as the log gives it back', async () => {
    const session = memorySession()
    const message = { role: 'user' as const, content: 'Hi', at: new Date(0), since: undefined }
    const { state } = await clerk('Hello.').run([message], { session })
    expect(fold((await session.read()).events)).toStrictEqual(state)
    expect(state.messages[0]).toStrictEqual({ role: 'user', content: 'Hi', at: '1970-01-01T00:00:00.000Z' })
  })

  it('is not changed by events that are only shown', () => {
    const state = emptyState()
    const shown: RunEvent[] = [
      { type: 'text-delta', text: 'x' },
      { type: 'reasoning-delta', text: 'x' },
      { type: 'tool-input-start', id: 'a', name: 'b' },
      { type: 'tool-input-delta', id: 'a', text: 'x' },
      { type: 'tool-input-end', id: 'a' },
      { type: 'tool-progress', id: 'a', name: 'b', data: 1 },
      { type: 'child', id: 'a', event: { type: 'text-delta', text: 'x' } },
    ]
    for (const event of shown) {
      expect(isLogged(event)).toBe(false)
      expect(reduce(state, event)).toBe(state)
    }
  })

  it('of a sub-agent sits inside the call that runs it, and its usage counts for the parent', () => {
    const usage = {
      requests: 1,
      inputTokens: 7,
      outputTokens: 3,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      usd: 0.5,
    }
    const call = { id: 'c1', wireId: 'w1', name: 'writer', arguments: '{}' }
    const inner = { id: 'c2', wireId: 'w2', name: 'refund', arguments: '{"order":20}' }
    const events: LoggedEvent[] = [
      { type: 'run-start', v: 1, id: 'r', agent: 'desk', input: [{ role: 'user', content: 'go' }] },
      { type: 'turn-start', turn: 1 },
      {
        type: 'model-end',
        turn: 1,
        finishReason: 'tool-calls',
        usage,
        message: { role: 'assistant', content: '', toolCalls: [call] },
      },
      { type: 'tool-start', id: 'c1', name: 'writer', input: {} },
      {
        type: 'child',
        id: 'c1',
        event: { type: 'run-start', v: 1, id: 'r2', agent: 'writer', input: [{ role: 'user', content: 'write' }] },
      },
      {
        type: 'child',
        id: 'c1',
        event: {
          type: 'model-end',
          turn: 1,
          finishReason: 'tool-calls',
          usage,
          message: { role: 'assistant', content: '', toolCalls: [inner] },
        },
      },
      { type: 'child', id: 'c1', event: { type: 'tool-wait', id: 'c2', name: 'refund', for: 'approval' } },
    ]
    const state = fold(events)
    expect(state.usage).toMatchObject({ requests: 2, inputTokens: 14, usd: 1 })
    expect(state.pending[0]).toMatchObject({
      status: 'running',
      child: { agent: 'writer', pending: [{ status: 'waiting', for: 'approval' }] },
    })
  })

  it('makes another agent the active one when the calls of the turn are closed', () => {
    const usage = {
      requests: 1,
      inputTokens: 0,
      outputTokens: 0,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
    }
    const toolCalls = ['c1', 'c2'].map((id) => ({ id, wireId: id, name: 'x', arguments: '{}' }))
    const before = fold([
      { type: 'run-start', v: 1, id: 'r', agent: 'desk', input: [{ role: 'user', content: 'go' }] },
      {
        type: 'model-end',
        turn: 1,
        finishReason: 'tool-calls',
        usage,
        message: { role: 'assistant', content: '', toolCalls },
      },
      { type: 'tool-end', id: 'c2', name: 'x', content: 'over to you', handoff: 'writer' },
    ])
    expect(before.agent).toBe('desk')
    const closed = reduce(before, { type: 'tool-end', id: 'c1', name: 'x', content: 'ok' })
    expect(closed).toMatchObject({ agent: 'desk', handoff: 'writer', pending: [] })
    expect(reduce(closed, { type: 'handoff', agent: 'writer' })).toMatchObject({ agent: 'writer', since: closed.turn })
  })
})

describe('waiting', () => {
  it('P065 P066: an approval given in another process runs the approved call alone, once', async () => {
    refunds.length = 0
    const paused = await clerk(calls(1, 20, 2)).run('go')
    expect(paused).toMatchObject({
      status: 'waiting',
      needs: [{ for: 'approval', tool: 'refund', input: { order: 20 }, path: ['clerk'] }],
    })
    expect(refunds.toSorted()).toEqual([1, 2])
    const saved = JSON.parse(JSON.stringify(paused.state)) as RunState
    const model = scriptedModel(['All refunded.'])
    const result = await new Agent({ name: 'clerk', model, tools: [refund] }).resume(saved, {
      [saved.pending[1]!.call.id]: approve(),
    })
    expect(result).toMatchObject({ status: 'done', text: 'All refunded.' })
    expect(refunds.toSorted()).toEqual([1, 2, 20])
    expect(model.requests[0]!.messages.slice(-3).map((message) => message.content)).toEqual([
      'refunded 1',
      'refunded 20',
      'refunded 2',
    ])
    expect(result.usage.requests).toBe(2)
  })

  it('P072: the model reads why a call was denied', async () => {
    const session = memorySession()
    const paused = await clerk(calls(20)).run('go', { session })
    const model = scriptedModel(['Understood.'])
    const agent = new Agent({ name: 'clerk', model, tools: [refund] })
    await agent.resume(session, { [paused.needs![0]!.id]: deny('too dear') })
    expect(model.requests[0]!.messages.at(-1)).toMatchObject({
      role: 'tool',
      content: 'Denied: too dear',
      isError: true,
    })
  })

  it('P071: with two questions and one answer the other is still asked', async () => {
    refunds.length = 0
    const session = memorySession()
    const paused = await clerk(calls(20, 30)).run('go', { session })
    const again = await clerk().resume(session, { [paused.needs![1]!.id]: approve() })
    expect(again).toMatchObject({ status: 'waiting', needs: [{ input: { order: 20 } }] })
    expect(refunds).toEqual([30])
  })

  it('P069: an answer to an unknown or answered call, or of the wrong kind, is refused before anything runs', async () => {
    refunds.length = 0
    const session = memorySession()
    const paused = await clerk(calls(20)).run('go', { session })
    const id = paused.needs![0]!.id
    await expect(clerk().resume(session, { nope: approve() })).rejects.toThrow(/No call "nope" waits/)
    await expect(clerk().resume(session, { [id]: failed('x') })).rejects.toThrow(
      /waits for approval; answer with approve/,
    )
    expect(refunds).toEqual([])
    await clerk('ok').resume(session, { [id]: approve() })
    await expect(clerk('ok').resume(session, { [id]: approve() })).rejects.toThrow(/unknown or was answered before/)
    expect(refunds).toEqual([20])
  })

  it('P070: a predicate that throws, or input that does not fit, never runs the call', async () => {
    let ran = 0
    const risky = tool({
      name: 'risky',
      input: z.object({ n: z.number() }),
      needsApproval: () => {
        throw new Error('no idea')
      },
      execute: () => ++ran,
    })
    const model = scriptedModel([
      {
        calls: [
          { name: 'risky', arguments: { n: 1 } },
          { name: 'risky', arguments: {} },
        ],
      },
      'ok',
    ])
    await new Agent({ name: 'a', model, tools: [risky] }).run('go')
    expect(ran).toBe(0)
    expect(model.requests[1]!.messages.slice(-2)).toMatchObject([{ isError: true }, { isError: true }])
  })

  it('P035: a client-side call waits; the results of the others are kept', async () => {
    const session = memorySession()
    const agent = clerk({
      calls: [
        { name: 'refund', arguments: { order: 3 } },
        { name: 'ask_user', arguments: { question: 'Sure?' } },
      ],
    })
    const paused = await agent.run('go', { session })
    expect(paused).toMatchObject({
      status: 'waiting',
      needs: [{ for: 'result', tool: 'ask_user', input: { question: 'Sure?' } }],
    })
    const model = scriptedModel(['Thanks.'])
    await new Agent({ name: 'clerk', model, tools: [refund, askUser] }).resume(session, {
      [paused.needs![0]!.id]: respond('yes'),
    })
    expect(model.requests[0]!.messages.slice(-2)).toMatchObject([{ content: 'refunded 3' }, { content: 'yes' }])
  })

  it('an answer may be any value, is cut to the limit of its tool, and poisons nothing', async () => {
    const wide = tool({ name: 'wide', maxResultChars: 200_000 })
    const answered = async (result: unknown) => {
      const session = memorySession()
      const paused = await new Agent({
        name: 'a',
        model: scriptedModel([{ calls: [{ name: 'wide' }] }]),
        tools: [wide],
      }).run('go', { session })
      const model = scriptedModel(['ok'])
      const answers = { [paused.needs![0]!.id]: result as ReturnType<typeof respond> }
      await new Agent({ name: 'a', model, tools: [wide] }).resume(session, answers)
      return model.requests[0]!.messages.at(-1)!.content
    }
    expect(await answered(respond({ temp: 20 }))).toBe('{"temp":20}')
    expect(await answered(respond('x'.repeat(100_000)))).toHaveLength(100_000)
    expect(await answered(respond('x'.repeat(300_000)))).toContain('[Cut: the first 200,000 of 300,000')
    // As it comes from an HTTP body.
    expect(await answered({ type: 'respond', content: { yes: true } })).toBe('{"yes":true}')
  })

  it('refuses a new input while calls wait, and names them', async () => {
    const session = memorySession('s1')
    await clerk(calls(20)).run('go', { session })
    await expect(clerk('x').run('more', { session })).rejects.toMatchObject({
      name: 'SessionWaiting',
      needs: [{ tool: 'refund' }],
    })
  })
})

describe('sessions', () => {
  it('carry the conversation, its reasoning and results from run to run', async () => {
    const session = memorySession()
    const details = [{ type: 'reasoning.text', text: 'hm', signature: 's', odd: [1] }]
    await clerk({ ...(calls(4) as object), reasoningDetails: details }, 'Done.').run('Refund 4', { session })
    const model = scriptedModel(['Order 4.'])
    const result = await new Agent({ name: 'clerk', model, tools: [refund] }).run('Which was it?', { session })
    expect(model.requests[0]!.messages).toMatchObject([
      { role: 'user', content: 'Refund 4' },
      { role: 'assistant', reasoningDetails: details },
      { role: 'tool', content: 'refunded 4' },
      { role: 'assistant', content: 'Done.' },
      { role: 'user', content: 'Which was it?' },
    ])
    expect(result.usage.requests).toBe(1)
    expect(result.state.turn).toBe(1)
  })

  it('refuses a stale append, and takes the same batch twice as once', async () => {
    const session = memorySession('s')
    const event: LoggedEvent = { type: 'run-start', v: 1, id: 'r', agent: 'a', input: [] }
    expect(await session.append(0, { id: 'b1', events: [event] })).toBe(1)
    expect(await session.append(0, { id: 'b1', events: [event] })).toBe(1)
    await expect(session.append(0, { id: 'b2', events: [event] })).rejects.toThrow(/is at position 1, not 0/)
    expect((await session.read()).events).toHaveLength(1)
  })

  it('of two processes that resume at once one wins, and the effect happens once', async () => {
    refunds.length = 0
    const session = memorySession()
    const paused = await clerk(calls(20)).run('go', { session })
    const answers = { [paused.needs![0]!.id]: approve() }
    const both = await Promise.allSettled([clerk('ok').resume(session, answers), clerk('ok').resume(session, answers)])
    expect(both.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(refunds).toEqual([20])
  })

  it('after a model error, resume goes on without a second user message', async () => {
    const session = memorySession()
    await expect(clerk(new Error('502')).run('Hello', { session })).rejects.toThrow('502')
    const model = scriptedModel(['Hi.'])
    const result = await new Agent({ name: 'clerk', model }).resume(session)
    expect(result.text).toBe('Hi.')
    expect(model.requests[0]!.messages).toEqual([{ role: 'user', content: 'Hello' }])
  })

  it('P073: refuses states and logs of another version', async () => {
    const agent = clerk('x')
    await expect(agent.resume({ ...emptyState(), v: 9 } as never)).rejects.toThrow(/later version of Clew: its v is 9/)
    await expect(agent.resume({} as never)).rejects.toThrow(/it has no v/)
    const future = memorySession('f', [{ type: 'run-start', v: 9, id: 'r', agent: 'a', input: [] } as never])
    await expect(agent.run('go', { session: future })).rejects.toThrow(/later version of Clew: its v is 9.*Update Clew/)
    await expect(agent.resume(memorySession('empty'))).rejects.toThrow(/is empty: there is nothing to resume/)
  })

  it('when the session cannot be written, nothing runs and the error carries what is unsaved', async () => {
    refunds.length = 0
    const memory = memorySession()
    let appends = 0
    const session = {
      ...memory,
      append: async (at: number, batch: Parameters<typeof memory.append>[1]) => {
        if (++appends >= 4) throw new Error('disk full')
        return memory.append(at, batch)
      },
    }
    await expect(clerk(calls(5), 'ok').run('go', { session })).rejects.toMatchObject({
      name: 'RunError',
      message: 'The session could not be written: disk full',
      unsaved: { at: 3, events: [{ type: 'tool-start' }] },
    })
    expect(refunds).toEqual([])
  })
})

describe('readers', () => {
  it('a late reader gets the logged events and then the live ones', async () => {
    const run = clerk(calls(6), { text: 'abcdef', chunks: 6 }).run('go')
    const first: RunEvent[] = []
    let late: AsyncIterator<RunEvent> | undefined
    for await (const event of run) {
      first.push(event)
      if (event.type === 'tool-end') late = run[Symbol.asyncIterator]()
    }
    const second: RunEvent[] = []
    for (let next = await late!.next(); !next.done; next = await late!.next()) second.push(next.value)
    const at = first.findIndex((event) => event.type === 'tool-end')
    expect(second).toEqual([...first.slice(0, at + 1).filter(isLogged), ...first.slice(at + 1)])
    expect(second.filter((event) => event.type === 'text-delta')).toHaveLength(6)
    const afterwards: RunEvent[] = []
    for await (const event of run) afterwards.push(event)
    expect(afterwards).toEqual(first.filter(isLogged))
    expect((await run).text).toBe('abcdef')
  })

  it('a run does nothing before somebody reads, and awaiting twice gives one run', async () => {
    const model = scriptedModel(['once'])
    const run = new Agent({ name: 'a', model }).run('go')
    await Promise.resolve()
    expect(model.requests).toHaveLength(0)
    expect(await run).toBe(await run)
    expect(model.requests).toHaveLength(1)
  })

  it('events carry the path of their agent', async () => {
    for await (const event of clerk('ok').run('go')) expect(event.path).toEqual(['clerk'])
  })
})
