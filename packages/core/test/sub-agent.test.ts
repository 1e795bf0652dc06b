/** Agents that work as tools of other agents: one log, one budget, questions that come up from below, and no effect twice. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  Agent,
  type Answers,
  approve,
  deny,
  type EventOf,
  emptyState,
  fatal,
  fold,
  isClewError,
  isLogged,
  type LoggedEvent,
  memorySession,
  type RunEvent,
  type RunState,
  reduce,
  respond,
  retry,
  type Tool,
  tool,
} from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

const call = (name: string, args: object = {}, id?: string) => ({ name, arguments: args, ...(id && { id }) })

/** A desk that asks a clerk, who asks a cashier, who pays after approval. `paid` is the world. */
function desk(paid: string[], { needsApproval = true } = {}) {
  const pay = tool({
    name: 'pay',
    input: z.object({ to: z.string() }),
    needsApproval,
    execute: ({ to }, { idempotencyKey }) => {
      paid.push(`${to} ${idempotencyKey}`)
      return `paid ${to}`
    },
  })
  const answers = (replies: ScriptedReply[]) => (request: { messages: readonly { role: string }[] }) =>
    replies[request.messages.filter((message) => message.role === 'assistant').length] as ScriptedReply
  const cashier = new Agent({
    name: 'cashier',
    instructions: 'Pay.',
    model: scriptedModel(
      answers([{ calls: [call('pay', { to: 'ann' }), call('pay', { to: 'bob' })] }, 'Both are paid.']),
    ),
    tools: [pay],
  })
  const clerk = new Agent({
    name: 'clerk',
    model: scriptedModel(answers([{ calls: [call('cashier', { task: 'Pay ann and bob.' })] }, 'The cashier did it.'])),
    tools: [cashier.asTool({ description: 'Pays people.' })],
  })
  return new Agent({
    name: 'desk',
    model: scriptedModel(answers([{ calls: [call('clerk', { task: 'See that they are paid.' })] }, 'All done.'])),
    tools: [clerk.asTool({ description: 'Sees to things.' })],
  })
}

const innermost = (event: RunEvent): RunEvent => (event.type === 'child' ? innermost(event.event) : event)
const childEvents = (events: RunEvent[]) => events.filter((event): event is EventOf<'child'> => event.type === 'child')

describe('an agent as a tool', () => {
  const helper = (replies: ScriptedReply[], extra: object = {}) =>
    new Agent({ name: 'helper', model: scriptedModel(replies), ...extra })
  const caller = (sub: Agent, extra: object = {}) => {
    const model = scriptedModel([{ calls: [call('helper', { task: 'Help me.' })] }, 'Thanks.'])
    return {
      model,
      agent: new Agent({ name: 'caller', model, tools: [sub.asTool({ description: 'Helps.' })], ...extra }),
    }
  }

  it('answers with its last words; its events come with their path, live ones too', async () => {
    const { agent, model } = caller(helper([{ text: 'Here is help.', chunks: 2 }]))
    const events: RunEvent[] = []
    const run = agent.run('Go.')
    for await (const event of run) events.push(event)
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({ role: 'tool', content: 'Here is help.' })
    const inner = childEvents(events).map(({ event }) => event)
    expect(inner.map(({ type }) => type)).toEqual([
      'run-start',
      'turn-start',
      'text-delta',
      'text-delta',
      'model-end',
      'run-end',
    ])
    expect(inner.every(({ path }) => path?.join() === 'caller,helper')).toBe(true)
    expect(events.filter(({ type }) => type !== 'child').every(({ path }) => path?.join() === 'caller')).toBe(true)
    expect((await run).text).toBe('Thanks.')
  })

  it('P116: its usage is in the total', async () => {
    const usage = { inputTokens: 10, outputTokens: 5, usd: 0.25 }
    const look = tool({ name: 'look', effect: 'pure', execute: () => 'seen' })
    const { agent } = caller(
      helper(
        [
          { calls: [call('look')], usage },
          { text: 'ok', usage },
        ],
        { tools: [look] },
      ),
    )
    const result = await agent.run('Go.')
    expect(result.usage).toMatchObject({ requests: 4, usd: 0.5 })
  })

  it('has a typed input and an output of its own', async () => {
    const model = scriptedModel(['{"year":1969}'])
    const dater = new Agent({ name: 'helper', model, output: z.object({ year: z.number() }) })
    const asked = scriptedModel([{ calls: [call('find_year', { event: 'moon' })] }, 'Then.'])
    const findYear = dater.asTool({
      name: 'find_year',
      input: z.object({ event: z.string() }),
      prompt: ({ event }) => `When was the ${event}?`,
    })
    await new Agent({ name: 'caller', model: asked, tools: [findYear] }).run('Go.')
    expect(model.requests[0]!.messages).toEqual([{ role: 'user', content: 'When was the moon?' }])
    expect(asked.requests[1]!.messages.at(-1)).toMatchObject({ content: '{"year":1969}' })
  })

  it.each<[string, ScriptedReply[], object, RegExp]>([
    ['fails', [new Error('no model')], {}, /^Agent "helper" failed: no model$/],
    ['is stopped', [{ text: 'Half', finishReason: 'length' }], {}, /was stopped \(length\).*So far:\nHalf$/s],
    ['says nothing', [''], {}, /has nothing to say/],
    ['declines', [{ refusal: 'I would rather not.' }], {}, /^I would rather not\.$/],
  ])('that %s is a result for the caller’s model', async (_, replies, extra, content) => {
    const { agent, model } = caller(helper(replies, extra))
    expect((await agent.run('Go.')).status).toBe('done')
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({ content: expect.stringMatching(content) })
  })

  it('a fatal error in its tool ends the whole run', async () => {
    const broken = tool({
      name: 'broken',
      execute: () => {
        throw fatal('The disk is gone.')
      },
    })
    const { agent } = caller(helper([{ calls: [call('broken')] }], { tools: [broken] }))
    await expect(agent.run('Go.')).rejects.toThrow(/The disk is gone/)
  })

  it('shares the budget of the run: dollars end both, turns are its own', async () => {
    const usage = { usd: 0.4 }
    const again: ScriptedReply = { calls: [call('look')], usage }
    const look = tool({ name: 'look', effect: 'pure', execute: () => 'seen' })
    const sub = helper([again, again, again, again], { tools: [look] })
    const { agent } = caller(sub, { limits: { usd: 1 } })
    const result = await agent.run('Go.')
    expect(result).toMatchObject({ status: 'stopped', stop: 'usd' })
    expect(result.usage.usd).toBeCloseTo(1.2)
    const short = helper([again, { text: 'That was all.', usage }], { tools: [look], limits: { turns: 1 } })
    const { agent: other, model } = caller(short)
    expect((await other.run('Go.')).status).toBe('done')
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({
      content: expect.stringMatching(/stopped \(turns\).*That was all/s),
    })
  })

  it.each<[string, object, number]>([
    ['usd', { usd: 1 }, 1],
    ['tokens', { tokens: 40 }, 1.5],
  ])('has limits.%s that hold for the agents below it as well', async (stop, limits, usd) => {
    const look = tool({ name: 'look', effect: 'pure', execute: () => 'seen' })
    const costly: ScriptedReply = { calls: [call('look')], usage: { usd: 0.5 } }
    const below = new Agent({ name: 'below', model: scriptedModel(() => costly), tools: [look] })
    const free = { usd: 0, inputTokens: 0, outputTokens: 0 }
    const first: ScriptedReply = { calls: [call('below', { task: 'Look.' })], usage: free }
    const { agent, model } = caller(helper([first], { tools: [below.asTool()], limits }))
    const result = await agent.run('Go.')
    expect([result.status, result.usage.usd]).toEqual(['done', usd])
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({
      content: expect.stringMatching(`^Agent "helper" was stopped \\(${stop}\\)`),
    })
  })

  it('has a name of its own among the agents of its caller', () => {
    const worker = () => new Agent({ name: 'worker', model: scriptedModel([]) })
    const tools = [worker().asTool({ name: 'drafts' }), worker().asTool({ name: 'production' })]
    const problem = /two different agents among its tools have the name "worker".*rename one/
    expect(() => new Agent({ name: 'desk', model: scriptedModel([]), tools })).toThrow(problem)
    const one = worker()
    const twice = [one.asTool({ name: 'drafts' }), one.asTool({ name: 'production' })]
    expect(() => new Agent({ name: 'desk', model: scriptedModel([]), tools: twice })).not.toThrow()
  })

  it('is left with its caller: the request is cancelled, the log is closed', async () => {
    const controller = new AbortController()
    let told = false
    const hang = tool({
      name: 'hang',
      execute: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            told = true
            reject(new Error('left'))
          })
          controller.abort()
        }),
    })
    const session = memorySession()
    const { agent } = caller(helper([{ calls: [call('hang')] }], { tools: [hang] }))
    await expect(agent.run('Go.', { session, signal: controller.signal })).rejects.toSatisfy((error) =>
      isClewError(error, 'abort'),
    )
    expect(told).toBe(true)
    const state = fold((await session.read()).events)
    expect(state.status).toBe('aborted')
    expect(state.messages.at(-1)).toMatchObject({ role: 'tool', isError: true })
  })

  it('that is left with a call that ignores its signal is closed in the log, level by level', async () => {
    const controller = new AbortController()
    const deaf = tool({
      name: 'deaf',
      execute: () => {
        controller.abort()
        return new Promise(() => {})
      },
    })
    const session = memorySession()
    const { agent } = caller(helper([{ calls: [call('deaf')] }], { tools: [deaf] }))
    await agent
      .run('Go.', { session, signal: controller.signal })
      .result()
      .catch(() => {})
    const told = childEvents((await session.read()).events).map(({ event }) => event.type)
    expect(told.slice(-3)).toEqual(['tool-start', 'tool-end', 'run-end'])
  })

  it('that calls itself is stopped by its depth', async () => {
    const tools: ReturnType<Agent['asTool']>[] = []
    const model = scriptedModel((request) =>
      request.messages.length > 1 ? 'Enough.' : { calls: [call('loop', { task: 'Deeper.' })] },
    )
    const loop: Agent = new Agent({ name: 'loop', model, tools: () => tools })
    tools.push(loop.asTool())
    const result = await loop.run('Go.')
    expect(result.text).toBe('Enough.')
    expect(model.requests).toHaveLength(16)
  })

  it('many at once keep apart', async () => {
    const echo = new Agent({
      name: 'helper',
      model: scriptedModel((request) => `echo ${JSON.stringify(request.messages[0]!.content)}`),
    })
    const tasks = Array.from({ length: 50 }, (_, at) => call('helper', { task: `t${at}` }))
    const model = scriptedModel([{ calls: tasks }, 'ok'])
    const result = await new Agent({ name: 'caller', model, tools: [echo.asTool()] }).run('Go.')
    const results = result.state.messages.filter((message) => message.role === 'tool').map(({ content }) => content)
    expect(results).toEqual(tasks.map((_, at) => `echo "t${at}"`))
  })
})

describe('a question from below', () => {
  it('P068: is a need of the run, with its path; answered, everything goes on, and each effect happens once', async () => {
    const paid: string[] = []
    const agent = desk(paid)
    const session = memorySession()
    const first = await agent.run('Pay them.', { session })
    if (first.status !== 'waiting') throw new Error(first.status)
    expect(first.needs.map(({ for: what, path, tool: name, input }) => [what, path.join('>'), name, input])).toEqual([
      ['approval', 'desk>clerk>cashier', 'pay', { to: 'ann' }],
      ['approval', 'desk>clerk>cashier', 'pay', { to: 'bob' }],
    ])
    expect(paid).toEqual([])

    // One answer: the other question stays, also in another process.
    const reopened = memorySession('s', JSON.parse(JSON.stringify((await session.read()).events)))
    const [ann, bob] = first.needs
    const second = await desk(paid).resume(reopened, { [ann!.id]: approve() })
    expect(paid).toEqual([`ann ${ann!.id}`])
    if (second.status !== 'waiting') throw new Error(second.status)
    expect(second.needs).toEqual([bob])

    await expect(desk(paid).resume(reopened, { [ann!.id]: approve() })).rejects.toThrow(
      /unknown or was answered before/,
    )
    const last = await desk(paid).resume(reopened, { [bob!.id]: deny('too dear') })
    expect(last).toMatchObject({ status: 'done', text: 'All done.' })
    expect(paid).toEqual([`ann ${ann!.id}`])
    const { events } = await reopened.read()
    expect(JSON.stringify(events)).toContain('too dear')
    expect(events.reduce(reduce, fold([])).messages).toEqual(last.state.messages)
  })

  it('works from the bare state as JSON', async () => {
    const paid: string[] = []
    const first = await desk(paid).run('Pay them.')
    if (first.status !== 'waiting') throw new Error(first.status)
    const answers: Answers = Object.fromEntries(first.needs.map(({ id }) => [id, approve()]))
    const state = JSON.parse(JSON.stringify(first.state)) as RunState
    expect(await desk(paid).resume(state, answers)).toMatchObject({ status: 'done', text: 'All done.' })
    expect(paid).toHaveLength(2)
  })

  it('may be one of a tool that somebody else runs, and of the call of the agent itself', async () => {
    const ask = tool({ name: 'ask', input: z.object({ what: z.string() }) })
    const sub = new Agent({
      name: 'helper',
      model: scriptedModel([{ calls: [call('ask', { what: 'x' })] }, 'So be it.']),
      tools: [ask],
    })
    const model = scriptedModel([{ calls: [call('helper', { task: 't' })] }, 'ok'])
    const agent = new Agent({ name: 'caller', model, tools: [sub.asTool({ needsApproval: true })] })
    const first = await agent.run('Go.')
    expect(first.needs).toMatchObject([{ for: 'approval', path: ['caller'], tool: 'helper' }])
    const second = await agent.resume(first.state, { [first.needs![0]!.id]: approve() })
    expect(second.needs).toMatchObject([{ for: 'result', path: ['caller', 'helper'], tool: 'ask' }])
    const third = await agent.resume(second.state, { [second.needs![0]!.id]: respond('yes') })
    expect(third).toMatchObject({ status: 'done', text: 'ok' })
  })
})

describe('a crash at any moment', () => {
  /** The log of a whole run with two levels of agents below. */
  async function wholeLog(): Promise<LoggedEvent[]> {
    const session = memorySession()
    const result = await desk([], { needsApproval: false }).run('Pay them.', { session })
    expect(result.status).toBe('done')
    return (await session.read()).events
  }

  it('leaves a log that another process goes on from: no effect twice, none lost without a question', async () => {
    const log = await wholeLog()
    expect(log.length).toBeGreaterThan(20)
    for (let at = 1; at < log.length; at++) {
      const before = log.slice(0, at)
      expect(before.reduce<RunState>(reduce, emptyState())).toEqual(fold(before))
      // What the crashed process did: the effect is between intent and outcome, so an intent in the log may have happened.
      const starts = before.filter((event) => innermost(event).type === 'tool-start' && depthOf(event) === 2)
      const paid = starts.map((event) => (innermost(event) as EventOf<'tool-start'>).id)
      const session = memorySession('s', before)
      const effects: string[] = []
      const result = await desk(effects, { needsApproval: false }).resume(session)
      if (result.status === 'waiting') {
        expect(result.needs.every((need) => need.for === 'verdict' && paid.includes(need.id))).toBe(true)
        const verdicts: Answers = Object.fromEntries(result.needs.map(({ id }) => [id, respond('it was paid')]))
        const end = await desk(effects, { needsApproval: false }).resume(session, verdicts)
        expect(end).toMatchObject({ status: 'done', text: 'All done.' })
      } else {
        expect(result).toMatchObject({ status: 'done', text: 'All done.' })
      }
      const ids = [...paid, ...effects.map((effect) => effect.split(' ')[1])]
      expect(new Set(ids).size, `cut at ${at}`).toBe(ids.length)
      expect(ids).toHaveLength(2)
      const { events } = await session.read()
      expect(events.every(isLogged)).toBe(true)
    }
  })

  it('a verdict can be to try again', async () => {
    const log = await wholeLog()
    const at = log.findIndex((event) => innermost(event).type === 'tool-start' && depthOf(event) === 2) + 1
    const effects: string[] = []
    const first = await desk(effects, { needsApproval: false }).resume(memorySession('s', log.slice(0, at)))
    const [need] = first.needs!
    const last = await desk(effects, { needsApproval: false }).resume(first.state, { [need!.id]: retry() })
    expect(last.status).toBe('done')
    expect(effects).toHaveLength(2)
  })

  const depthOf = (event: RunEvent): number => (event.type === 'child' ? 1 + depthOf(event.event) : 0)
})

describe('the time of a sub-agent', () => {
  it('is its own as well: when it is over, the caller is told, and goes on', async () => {
    const hung = tool({ name: 'hung', execute: () => new Promise(() => {}) }) as Tool
    const below = new Agent({
      name: 'below',
      model: scriptedModel([{ text: 'I wait.', calls: [{ name: 'hung' }] }]),
      tools: [hung],
      limits: { ms: 20 },
    })
    const model = scriptedModel([{ calls: [{ name: 'below', arguments: { task: 'go' } }] }, 'Then not.'])
    const result = await new Agent({ name: 'a', model, tools: [below.asTool()] }).run('go')
    expect(result.text).toBe('Then not.')
    expect(model.requests[1]?.messages.at(-1)?.content).toBe(
      'Agent "below" was stopped (ms) before it was done. So far:\nI wait.',
    )
  })
})

it('a thousand runs of one agent at once share nothing', async () => {
  const whoami = tool({ name: 'whoami', execute: (_, { context }) => (context as { user: string }).user }) as Tool
  const model = scriptedModel(({ messages }) => {
    const last = messages.at(-1)
    return last?.role === 'tool'
      ? `You are ${last.content}, and asked ${messages[0]?.content}.`
      : { calls: [{ name: 'whoami' }] }
  })
  const agent = new Agent({ name: 'a', model, tools: [whoami], limits: { toolCalls: 1 } })
  const runs = Array.from({ length: 1000 }, (_, at) => agent.run(`q${at}`, { context: { user: `u${at}` } }).result())
  const results = await Promise.all(runs)
  for (const [at, { text, usage, state }] of results.entries()) {
    expect([text, usage.requests, state.messages.length]).toEqual([`You are u${at}, and asked q${at}.`, 2, 4])
  }
  expect(new Set(results.map(({ state }) => state.id)).size).toBe(1000)
})
