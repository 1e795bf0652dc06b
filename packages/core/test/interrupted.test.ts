/** Calls that a crash interrupted: what they were approved with stays, and one whose outcome is unclear is never called unrun. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  Agent,
  approve,
  type Effect,
  failed,
  fold,
  type LoggedEvent,
  memorySession,
  noUsage,
  type RunState,
  retry,
  type Tool,
  tool,
} from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'
import { upTo } from './clerk.ts'
import { before } from './desk.ts'

afterEach(() => void vi.useRealTimers())

/** Asks for the calls until there are results. */
const asking = (...calls: { name: string; arguments?: object }[]) =>
  scriptedModel((request) => (request.messages.some(({ role }) => role === 'tool') ? 'Done.' : { calls }))

const resultOf = (state: RunState, name: string) =>
  state.messages.find((message) => message.role === 'tool' && message.name === name)

describe('an edited input', () => {
  /** A payment of 9999 that was approved as one of 1; the process died while it ran. */
  async function crashed(effect: Effect) {
    const paid: number[] = []
    const pay = tool({
      name: 'pay',
      effect,
      needsApproval: true,
      input: { type: 'object', properties: { euros: { type: 'number' } } },
      execute: ({ euros }) => {
        paid.push(euros as number)
        return 'ok'
      },
    }) as Tool
    const agent = () =>
      new Agent({ name: 'a', model: asking({ name: 'pay', arguments: { euros: 9999 } }), tools: [pay] })
    const whole = memorySession()
    const { needs } = await agent().run('go', { session: whole })
    await agent().resume(whole, { [needs![0]!.id]: approve({ input: { euros: 1 } }) })
    paid.length = 0
    return { agent, paid, session: memorySession('s', upTo((await whole.read()).events, 'tool-start')) }
  }
  const told = '[This call was approved with another input: {"euros":1}.]\nok'

  it('is what an idempotent tool runs again with after a crash; the model is told of it', async () => {
    const { agent, paid, session } = await crashed('idempotent')
    const { state } = await agent().resume(session)
    expect([paid, resultOf(state, 'pay')?.content]).toEqual([[1], told])
  })

  it('is what the verdict’s need shows, and what retry() runs; the model is told of it', async () => {
    const { agent, paid, session } = await crashed('once')
    const { needs } = await agent().resume(session)
    expect(needs).toMatchObject([{ for: 'verdict', input: { euros: 1 } }])
    const { state } = await agent().resume(session, { [needs![0]!.id]: retry() })
    expect([paid, resultOf(state, 'pay')?.content]).toEqual([[1], told])
  })

  it('is still there when the process dies once more behind the verdict', async () => {
    const { agent, paid, session } = await crashed('once')
    const { needs } = await agent().resume(session)
    await agent().resume(session, { [needs![0]!.id]: retry() })
    paid.length = 0
    const again = memorySession('again', upTo((await session.read()).events, 'answer'))
    const cut = (await session.read()).events.findLastIndex(({ type }) => type === 'answer')
    await agent().resume(memorySession('s', (await session.read()).events.slice(0, cut + 1)))
    expect(paid).toEqual([1])
    await agent().resume(again)
    expect(paid).toEqual([1, 1])
  })

  it('of the call of an agent is still there when that agent was gone for a while', async () => {
    const look = tool({ name: 'look', effect: 'pure', execute: () => 'seen' }) as Tool
    const sub = new Agent({ name: 'sub', model: asking({ name: 'look' }), tools: [look] })
    const desk = (...tools: Tool[]) =>
      new Agent({ name: 'desk', model: asking({ name: 'sub', arguments: { task: 'All.' } }), tools })
    const asked = sub.asTool({ needsApproval: true }) as Tool
    const whole = memorySession()
    const { needs } = await desk(asked).run('go', { session: whole })
    await desk(asked).resume(whole, { [needs![0]!.id]: approve({ input: { task: 'Half.' } }) })
    const { events } = await whole.read()
    const cut = events.findIndex((event) => event.type === 'child' && event.event.type === 'tool-start')
    const session = memorySession('s', events.slice(0, cut + 1))
    const paused = await desk().resume(session)
    expect(paused.needs).toMatchObject([{ for: 'verdict', input: { task: 'Half.' } }])
    const { state } = await desk(asked).resume(session, { [paused.needs![0]!.id]: retry() })
    expect(resultOf(state, 'sub')?.content).toBe(
      '[This call was approved with another input: {"task":"Half."}.]\nDone.',
    )
  })
})

describe('a call found running after a crash', () => {
  const usage = { ...noUsage, requests: 1 }
  const crashed = () =>
    memorySession('crashed', [
      { type: 'run-start', v: 1, id: 'r', agent: 'a', input: [{ role: 'user', content: 'go' }] },
      { type: 'turn-start', turn: 1 },
      {
        type: 'model-end',
        turn: 1,
        finishReason: 'tool-calls',
        usage,
        message: {
          role: 'assistant',
          content: '',
          toolCalls: [{ id: 'c', wireId: 'c', name: 'work', arguments: '{}' }],
        },
      },
      { type: 'tool-start', id: 'c', name: 'work', input: {} },
    ])
  const worker = (options: object, ...script: ScriptedReply[]) => {
    let runs = 0
    const model = scriptedModel(script)
    const work = tool({ name: 'work', execute: () => ++runs, ...options })
    return { agent: new Agent({ name: 'a', model, tools: [work], limits: { toolCalls: 1 } }), model, runs: () => runs }
  }

  it.each(['idempotent', 'pure'] as const)(
    'that is %s runs again, without asking for its approval again',
    async (effect) => {
      const { agent, runs } = worker({ effect, needsApproval: true }, 'ok')
      expect((await agent.resume(crashed())).state).toMatchObject({ lastWords: { text: 'ok' }, toolCalls: 1 })
      expect(runs()).toBe(1)
    },
  )

  it('that happens once waits; tried again it counts once, failed it is an error', async () => {
    const session = crashed()
    const once = worker({}, 'ok')
    expect(await once.agent.resume(session)).toMatchObject({ status: 'waiting', needs: [{ id: 'c', for: 'verdict' }] })
    expect((await once.agent.resume(session, { c: retry() })).state.toolCalls).toBe(1)
    expect(once.runs()).toBe(1)
    const other = crashed()
    const told = worker({}, 'ok')
    await told.agent.resume(other)
    await told.agent.resume(other, { c: failed('the bank is closed') })
    expect(told.model.requests[0]!.messages.at(-1)).toMatchObject({
      content: 'Failed: the bank is closed',
      isError: true,
    })
  })

  it('is closed with a stated result when a new run closes the old one in the log', async () => {
    const session = crashed()
    const { agent, model } = worker({}, 'ok')
    await agent.run('Never mind.', { session })
    expect((await session.read()).events.slice(4, 6)).toMatchObject([
      { type: 'run-end', status: 'aborted' },
      { type: 'run-start' },
    ])
    expect(model.requests[0]!.messages.slice(2)).toMatchObject([
      { role: 'tool', content: expect.stringContaining('may have taken effect') },
      { content: 'Never mind.' },
    ])
  })
})

describe('a call that may have run', () => {
  const pay = tool({ name: 'pay', execute: () => 'paid' }) as Tool
  const put = (execute: (signal: AbortSignal) => unknown) =>
    tool({ name: 'put', effect: 'idempotent', execute: (_, { signal }) => execute(signal) }) as Tool
  const left = (signal: AbortSignal) => new Promise((_, reject) => signal.addEventListener('abort', reject))
  const agent = (...tools: Tool[]) =>
    new Agent({ name: 'a', model: asking(...tools.map(({ name }) => ({ name }))), tools })

  /** Both calls are under way, and the process dies. */
  async function crashed(...tools: Tool[]): Promise<LoggedEvent[]> {
    const whole = memorySession()
    await agent(...tools).run('go', { session: whole })
    return before((await whole.read()).events, 'tool-end')
  }
  const mayHaveRun = { isError: true, content: expect.stringMatching(/may have taken effect/) }

  it('and waits for its verdict is told so when the run is aborted', async () => {
    const session = memorySession(
      's',
      await crashed(
        pay,
        put(() => 'ok'),
      ),
    )
    const run = agent(pay, put(left)).resume(session)
    for await (const { type } of run) if (type === 'tool-wait') break
    expect(resultOf(fold((await session.read()).events), 'pay')).toMatchObject(mayHaveRun)
  })

  it('and waits for its verdict is told so when a limit ends the run', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const session = memorySession(
      's',
      await crashed(
        pay,
        put(() => 'ok'),
      ),
    )
    const run = agent(pay, put(left)).resume(session, {}, { limits: { ms: 60_000 } })
    let result: unknown
    const ended = run.result().then((value) => (result = value))
    for await (const { type } of run) if (type === 'tool-wait') break
    await vi.advanceTimersByTimeAsync(60_000)
    await ended
    expect(result).toMatchObject({ status: 'stopped', stop: 'ms' })
    expect(resultOf(await stateOf(session), 'pay')).toMatchObject(mayHaveRun)
  })

  it('is told so when the tokens are spent before anybody is asked', async () => {
    const session = memorySession('s', await crashed(pay))
    const result = await agent(pay).resume(session, {}, { limits: { tokens: 1 } })
    expect([result.status, result.stop]).toEqual(['stopped', 'tokens'])
    expect(resultOf(result.state, 'pay')).toMatchObject(mayHaveRun)
  })

  it('and waits for its verdict is told so when a new run closes the one that died there', async () => {
    const session = memorySession('s', await crashed(pay))
    const paused = await agent(pay).resume(session)
    expect(paused.needs).toMatchObject([{ for: 'verdict' }])
    const died = memorySession('t', upTo((await session.read()).events, 'tool-wait'))
    const { state } = await agent(pay).run('Never mind.', { session: died })
    expect(resultOf(state, 'pay')).toMatchObject(mayHaveRun)
  })

  it('is told so when it would run again and is aborted before it does', async () => {
    const puts: string[] = []
    const again = put(() => puts.push('x'))
    const session = memorySession('s', await crashed(put(() => 'ok')))
    for await (const { type } of agent(again).resume(session)) if (type === 'tool-start') break
    const { events } = await session.read()
    expect(events.find(({ type }) => type === 'tool-end')).toMatchObject(mayHaveRun)
    expect(puts).toEqual([])
  })

  it('in an agent that waits is told so when the run is left: what that agent did before nobody knows', async () => {
    const ask = tool({ name: 'ask', needsApproval: true, execute: () => 'ok' }) as Tool
    const sub = new Agent({ name: 'sub', model: asking({ name: 'pay' }, { name: 'ask' }), tools: [pay, ask] })
    const model = asking({ name: 'sub', arguments: { task: 'go' } }, { name: 'put' })
    const desk = new Agent({ name: 'desk', model, tools: [sub.asTool() as Tool, put(left)] })
    const session = memorySession()
    for await (const { type } of desk.run('go', { session })) if (type === 'tool-wait') break
    expect(resultOf(await stateOf(session), 'sub')).toMatchObject(mayHaveRun)
  })

  it('and one that did not are told apart', async () => {
    const session = memorySession()
    for await (const { type } of agent(put(() => 'ok')).run('go', { session })) if (type === 'model-end') break
    expect(resultOf(await stateOf(session), 'put')?.content).toBe('Not run: the run ended before this call.')
    const asks = tool({ name: 'ask', needsApproval: true, execute: () => 'ok' }) as Tool
    const waits = memorySession()
    for await (const { type } of agent(asks).run('go', { session: waits })) if (type === 'tool-wait') break
    expect(resultOf(await stateOf(waits), 'ask')?.content).toBe('Not run: the run ended before this call.')
  })

  const stateOf = async (session: ReturnType<typeof memorySession>) => fold((await session.read()).events)
})

describe('an answer that was left', () => {
  it('is in the log together with the end of its run: no crash comes between', async () => {
    const log = memorySession()
    const batches: string[][] = []
    const session: typeof log = {
      ...log,
      append: (at, batch) => {
        batches.push(batch.events.map(({ type }) => type))
        return log.append(at, batch)
      },
    }
    const model = scriptedModel([{ text: 'a long answer', chunks: 4 }])
    for await (const { type } of new Agent({ name: 'a', model }).run('go', { session }))
      if (type === 'text-delta') break
    expect(batches.at(-1)).toEqual(['model-aborted', 'run-end'])
  })
})
