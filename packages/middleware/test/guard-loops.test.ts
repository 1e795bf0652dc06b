/** Loops are told, then stopped; what only looks like a loop goes on. */
import {
  Agent,
  checkHistory,
  fold,
  type Message,
  type Middleware,
  memorySession,
  type ToolMessage,
  tool,
} from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { guardLoops } from '../src/index.ts'

const anything = { type: 'object', properties: {} } as const
const look = (execute: (input: unknown) => unknown = () => 'nothing new') =>
  tool({ name: 'look', input: anything, effect: 'pure', execute })
const other = tool({ name: 'other', input: anything, effect: 'pure', execute: () => 'else' })
const call = (given: unknown = { at: 'door', n: 1 }, name = 'look'): ScriptedReply => ({
  calls: [{ name, arguments: given }],
})
const times = (count: number, reply: ScriptedReply = call()) => Array.from({ length: count }, () => reply)
const agentOf = (
  model: ReturnType<typeof scriptedModel>,
  tools = [look(), other],
  use: Middleware[] = [guardLoops()],
) => new Agent({ name: 'a', model, tools, use, limits: { turns: 50 } })

/** What the model read in its request number `at`, from the last result. */
const lastResult = (model: ReturnType<typeof scriptedModel>, at: number) =>
  String((model.requests[at]!.messages.at(-1) as ToolMessage).content)

describe('guardLoops', () => {
  it('P106: the same call with the same result is told at the third time and stopped at the fifth, with an answer', async () => {
    const model = scriptedModel([...times(5), 'I could not find it.'])
    const session = memorySession()
    const result = await agentOf(model).run('look', { session })
    expect(result).toMatchObject({
      status: 'stopped',
      stop: 'loop',
      reason: 'the same call of "look" had the same result 5 times',
      text: 'I could not find it.',
    })
    expect(model.requests.map((_, at) => (at === 0 ? '' : lastResult(model, at)))).toEqual([
      '',
      'nothing new',
      'nothing new',
      'nothing new\n\n[You have made this call 3 times with the same result. Try something else or answer.]',
      'nothing new\n\n[You have made this call 4 times with the same result. Try something else or answer.]',
      'nothing new\n\n[You have made this call 5 times with the same result. Answer with what you have.]',
    ])
    expect(model.requests.map((request) => request.toolChoice)).toEqual([...Array(5).fill(undefined), 'none'])
    expect(model.requests.every((request) => request.tools.length === 2)).toBe(true)
    const { events } = await session.read()
    expect(events.at(-1)).toMatchObject({ type: 'run-end', status: 'stopped', stop: 'loop' })
    expect(fold(events)).toEqual(result.state)
    expect(checkHistory(result.state.messages)).toBeUndefined()
  })

  it('sends what it sent before, byte for byte, notes and all', async () => {
    const model = scriptedModel([...times(4), 'ok', call(), 'fine'])
    const session = memorySession()
    await agentOf(model).run('look', { session })
    const result = await agentOf(model).run('again', { session })
    expect(result.status).toBe('done')
    for (const [at, { messages }] of model.requests.entries()) {
      const next = model.requests[at + 1]?.messages ?? messages
      expect(JSON.stringify(next.slice(0, messages.length))).toBe(JSON.stringify(messages))
    }
  })

  it('other calls in between, other orders of keys and other spellings of a result change nothing', async () => {
    const results = ['{"a":1,"b":[2]}', '{ "b": [2.0], "a": 1 }']
    let made = 0
    const spelt = look(() => results[made++ % 2])
    const model = scriptedModel([
      ...[call({ x: 1, y: 2 }), call({}, 'other'), call('{"y": 2, "x": 1.0}'), call({}, 'other')],
      ...[call({ x: 1, y: 2 }), call({ n: 1 }, 'other'), 'ok'],
    ])
    await agentOf(model, [spelt, other]).run('go')
    expect(lastResult(model, 5)).toContain('[You have made this call 3 times')
    expect(lastResult(model, 4)).not.toContain('[You')
  })

  it('A B A B with equal results is a loop', async () => {
    const model = scriptedModel([...Array.from({ length: 4 }, () => [call(), call({}, 'other')]).flat(), call(), 'ok'])
    expect(await agentOf(model).run('go')).toMatchObject({ status: 'stopped', stop: 'loop' })
    expect(model.requests).toHaveLength(10)
  })

  it.each<[string, (made: number) => unknown]>([
    ['polling with changing results', (made) => `${made} %`],
    ['polling that stands still now and then', (made) => `${Math.floor(made / 2)} %`],
    ['results that come and go', (made) => made % 2],
  ])('%s is no loop', async (_, result) => {
    let made = 0
    const model = scriptedModel([...times(12), 'ready'])
    const watched = await agentOf(model, [look(() => result(made++))]).run('wait for it')
    expect(watched.status).toBe('done')
    expect(JSON.stringify(model.requests.at(-1))).not.toContain('[You have made')
  })

  it('another argument is another call, and calls of one turn count once', async () => {
    const many = { calls: times(8).map(() => ({ name: 'look', arguments: { same: true } })) }
    const model = scriptedModel([...[1, 2, 3, 4, 5, 6].map((n) => call({ n })), many, many, 'ok'])
    expect((await agentOf(model).run('go')).status).toBe('done')
    expect(JSON.stringify(model.requests.at(-1))).not.toContain('[You have made')
  })

  it('a user message begins anew', async () => {
    const model = scriptedModel([...times(3), 'no', ...times(3), 'no'])
    const session = memorySession()
    const agent = agentOf(model)
    expect((await agent.run('go', { session })).status).toBe('done')
    expect((await agent.run('go', { session })).status).toBe('done')
  })

  it('calls that never run count: unknown names, bad arguments; by what the model wrote', async () => {
    const unknown = scriptedModel([...times(5, call({}, 'nowhere')), 'ok'])
    expect(await agentOf(unknown).run('go')).toMatchObject({ stop: 'loop' })
    const broken = scriptedModel([...times(5, call('{"a":')), 'ok'])
    expect(await agentOf(broken).run('go')).toMatchObject({ stop: 'loop' })
    const tried = scriptedModel([...['{"a', '{"b', '{"c', '{"d', '{"e', '{"f'].map((text) => call(text)), 'ok'])
    expect(await agentOf(tried).run('go')).toMatchObject({ status: 'done' })
  })

  it('two calls that could not be read are not the same call', async () => {
    const history = ['{"a', '{"b', '{"c', '{"d', '{"e'].flatMap((raw, at): Message[] => [
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: `${at}`, wireId: `${at}`, name: 'look', arguments: '{}', raw: { arguments: raw } }],
      },
      { role: 'tool', callId: `${at}`, name: 'look', content: 'No JSON.', isError: true },
    ])
    const model = scriptedModel(['ok'])
    const request = { messages: history, tools: [], signal: new AbortController().signal }
    const answer = guardLoops().model!(request, (sent) => model.generate(sent))
    for await (const _ of answer);
    expect(model.requests[0]!.messages).toEqual(history)
  })

  it('a process that takes over counts on', async () => {
    const session = memorySession()
    const first = scriptedModel([...times(4), new Error('down')])
    await expect(agentOf(first).run('go', { session })).rejects.toThrow('down')
    const second = scriptedModel([call(), 'ok'])
    expect(await agentOf(second).resume(session)).toMatchObject({ stop: 'loop', text: 'ok' })
  })

  it('calls of the last answer are not run', async () => {
    let runs = 0
    const model = scriptedModel(times(6))
    const result = await agentOf(model, [look(() => void runs++)]).run('go')
    expect(result).toMatchObject({ status: 'stopped', stop: 'loop' })
    expect(runs).toBe(5)
    expect(result.state.messages.at(-1)).toMatchObject({
      isError: true,
      content: 'Not run: the run ended before this call.',
    })
    expect(checkHistory(result.state.messages)).toBeUndefined()
  })

  it('results with parts get the note as a part, and errors are not equal to results', async () => {
    const parts = look(() => [{ type: 'text', text: 'seen' }])
    const model = scriptedModel([...times(3), 'ok'])
    await agentOf(model, [parts]).run('go')
    expect((model.requests[3]!.messages.at(-1) as ToolMessage).content).toEqual([
      { type: 'text', text: 'seen' },
      { type: 'text', text: expect.stringContaining('3 times') },
    ])
    let made = 0
    const flaky = look(() => {
      if (made++ % 2 === 0) throw new Error('x')
      return 'Tool "look" failed: x'
    })
    const again = scriptedModel([...times(6), 'ok'])
    expect((await agentOf(again, [flaky]).run('go')).status).toBe('done')
    expect(JSON.stringify(again.requests.at(-1))).not.toContain('[You have made')
  })

  it('refuses numbers that make no sense', () => {
    for (const options of [{ tell: 1 }, { tell: 3, stop: 3 }, { tell: 2.5 }, { stop: Number.NaN }]) {
      expect(() => guardLoops(options)).toThrow(/guardLoops: tell is .* stop is/)
    }
    expect(guardLoops({ stop: Number.POSITIVE_INFINITY }).name).toBe('guard-loops')
  })
})
