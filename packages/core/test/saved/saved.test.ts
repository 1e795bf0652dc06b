/** What was saved is read: by a later version, by a program whose tools and agents changed, or after somebody changed it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  Agent,
  type Answers,
  checkHistory,
  deny,
  fold,
  isClewError,
  type LoggedEvent,
  memorySession,
  needsOf,
  type RunResult,
  type RunState,
  retry,
  type Session,
  type Tool,
  tool,
} from '../../src/index.ts'
import { version } from '../../src/state.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { type Saved, type SavedScenario, save, scenarios } from './scenarios.ts'

const versions = readdirSync(import.meta.dirname).flatMap((file) => /^v(\d+)\.json$/.exec(file)?.[1] ?? [])
const read = (v: string | number) =>
  JSON.parse(readFileSync(`${import.meta.dirname}/v${v}.json`, 'utf8')) as { [name: string]: Saved }

/** Answers what is asked until nothing is. */
async function goOn(scenario: SavedScenario, from: () => Session | RunState) {
  const paid: string[] = []
  const agent = scenario.agent(paid)
  const isSession = 'read' in from()
  const { status } = isSession ? fold((await (from() as Session).read()).events) : (from() as RunState)
  const isOpen = status === 'running' || status === 'waiting'
  let result: RunResult = isOpen
    ? await agent.resume(from(), answersTo(scenario, status === 'waiting' ? needsOf(await stateOf(from())) : []))
    : await agent.run('And now?', { session: from() as Session })
  for (let round = 0; result.status === 'waiting' && round < 5; round++)
    result = await agent.resume(isSession ? from() : result.state, answersTo(scenario, result.needs))
  return { result, paid }
}

const stateOf = async (from: Session | RunState) => ('read' in from ? fold((await from.read()).events) : from)

type Needs = NonNullable<RunResult['needs']>
const answersTo = (scenario: SavedScenario, needs: Needs): Answers =>
  Object.fromEntries(needs.map((need) => [need.id, scenario.answer(need)]))

describe.each(versions)('what version %s saved', (v) => {
  it.each(Object.entries(read(v)))('%s: its log is gone on with', async (name, { events }) => {
    const scenario = scenarios[name]!
    const session = memorySession('s', events)
    const { result, paid } = await goOn(scenario, () => session)
    expect([result.status, result.text, paid.toSorted()]).toEqual(['done', scenario.text, scenario.paid.toSorted()])
    expect(checkHistory(result.state.messages)).toBeUndefined()
    const added = (await session.read()).events.slice(events.length)
    expect(added[0]?.v).toBe(version)
    expect(fold((await session.read()).events)).toEqual(result.state)
  })

  it.each(Object.entries(read(v)).filter(([, { state }]) => state.status === 'waiting' || state.status === 'running'))(
    '%s: its state is gone on with',
    async (name, { state }) => {
      const scenario = scenarios[name]!
      const { result, paid } = await goOn(scenario, () => state)
      expect([result.status, result.text, paid.toSorted()]).toEqual(['done', scenario.text, scenario.paid.toSorted()])
      expect(result.state.v).toBe(version)
    },
  )
})

describe('this version', () => {
  it('saves what its fixtures hold: another shape is another version', async () => {
    expect(existsSync(`${import.meta.dirname}/v${version}.json`)).toBe(true)
    for (const [name, scenario] of Object.entries(scenarios)) {
      expect({ [name]: await save(scenario) }).toEqual({ [name]: read(version)[name] })
    }
  })

  it('refuses what a later one saved, wherever that shows, before anything runs', async () => {
    const { events, state } = read(1)['the process died while a call ran']!
    const later: LoggedEvent = { type: 'run-end', status: 'done', v: version + 1 }
    const { agent, model } = payer([])
    for (const from of [memorySession('s', [...events, later]), { ...state, v: version + 1 }]) {
      const error = await agent
        .resume(from)
        .result()
        .catch((thrown) => thrown)
      expect(isClewError(error, 'session')).toBe(true)
      expect(error.message).toMatch(`saved by a later version of Clew: its v is ${version + 1}, this one reads 1 to`)
    }
    for (const v of [0, -1, '1', null, 1.5, {}]) {
      const error = await agent
        .resume({ ...state, v } as never)
        .result()
        .catch((thrown) => thrown)
      expect(isClewError(error, 'session')).toBe(true)
    }
    expect(model.requests).toEqual([])
  })
})

describe('a state that version 1 saved', () => {
  it('is of this version from then on, at every depth', async () => {
    const { agent } = payer([])
    const paused = await agent.resume(waiting())
    const versionsOf = (state: RunState): number[] => [
      state.v,
      ...state.pending.flatMap((pending) => ('child' in pending && pending.child ? versionsOf(pending.child) : [])),
    ]
    expect(versionsOf(paused.state)).toEqual([version, version, version])
  })

  it('has standing approvals that still hold at the root, and are asked for again below it', async () => {
    const state = structuredClone(read(1)['an approval is waited for, beside a call that ran']!.state)
    const standing = (agent: string) => ({ ...state, standing: [{ agent, tool: 'pay' }] }) as never
    for (const [agent, status] of [
      [state.agent, 'done'],
      ['another', 'waiting'],
    ] as const) {
      const paid: string[] = []
      const model = scriptedModel([{ calls: [{ name: 'pay', arguments: { to: 'eve' } }] }, 'Fine.'])
      const pay = tool({
        name: 'pay',
        needsApproval: true,
        input: { type: 'object', properties: { to: { type: 'string' } } },
        execute: ({ to }) => paid.push(String(to)),
      }) as Tool
      const asking = new Agent({ name: state.agent, model, tools: [pay] })
      const denied = Object.fromEntries(needsOf(state).map(({ id }) => [id, deny('not now')]))
      const result = await asking.resume(standing(agent), denied)
      expect([result.status, paid]).toEqual([status, status === 'done' ? ['eve'] : []])
      expect(result.state.standing).toEqual([{ path: [agent], tool: 'pay' }])
    }
  })
})

const waiting = () => structuredClone(read(1)['an approval is waited for, two agents deep']!.state)

function payer(paid: string[], tools?: Tool[]) {
  const model = scriptedModel(() => 'Fine.')
  const pay = tool({
    name: 'pay',
    input: { type: 'object', properties: { to: { type: 'string' } } },
    execute: ({ to }) => paid.push(String(to)),
  }) as Tool
  return { model, agent: new Agent({ name: 'clerk', model, tools: tools ?? [pay] }) }
}

describe('a state that somebody changed', () => {
  it.each<[string, (state: RunState) => unknown, RegExp]>([
    ['its id is gone', (state) => ({ ...state, id: undefined }), /its id is undefined/],
    ['its agent is a number', (state) => ({ ...state, agent: 7 }), /its agent is 7/],
    ['its status is another word', (state) => ({ ...state, status: 'paused' }), /its status is "paused"/],
    ['its turn is negative', (state) => ({ ...state, turn: -1 }), /its turn is -1/],
    ['its time is NaN', (state) => ({ ...state, ms: Number.NaN }), /its ms is null/],
    ['its usage is a text', (state) => ({ ...state, usage: 'much' }), /its usage is no usage/],
    ['its messages are an object', (state) => ({ ...state, messages: {} }), /its messages are no list/],
    ['its calls are an object', (state) => ({ ...state, pending: {} }), /its pending is no list/],
    ['a message is null', (state) => ({ ...state, messages: [null, ...state.messages] }), /message 0 has no role/],
    [
      'a message was taken out',
      (state) => ({ ...state, messages: state.messages.slice(0, -1) }),
      /no such call stands/,
    ],
    [
      'a message was added',
      ({ messages, ...state }) => ({ ...state, messages: [...messages, messages[0]] }),
      /should be the result of call/,
    ],
    [
      'a call was taken out',
      (state) => ({ ...state, pending: state.pending.slice(1) }),
      /should be the result of call/,
    ],
    ['a call is null', (state) => ({ ...state, pending: [null] }), /a pending call is null/],
    [
      'a call has another status',
      ({ pending, ...state }) => ({ ...state, pending: pending.map((each) => ({ ...each, status: 'fine' })) }),
      /has the status "fine"/,
    ],
    ['its standing approvals are a word', (state) => ({ ...state, standing: 'all' }), /its standing is no list/],
    [
      'the agent in a call is a text',
      ({ pending, ...state }) => ({ ...state, pending: pending.map((each) => ({ ...each, child: 'x' })) }),
      /the agent that works on call "[^"]+": it is no state/,
    ],
    [
      'the agent in a call has no messages',
      ({ pending, ...state }) => ({
        ...state,
        pending: pending.map((each) => ({
          ...each,
          ...('child' in each && { child: { ...each.child, messages: 1 } }),
        })),
      }),
      /works on call "[^"]+": its messages are no list/,
    ],
  ])('%s: refused, and told where', async (_, change, message) => {
    const { agent, model } = payer([])
    const error = await agent
      .resume(change(waiting()) as never)
      .result()
      .catch((thrown) => thrown)
    expect(error.message).toMatch(message)
    expect(isClewError(error, 'session')).toBe(true)
    expect(model.requests).toEqual([])
  })
})

describe('a log with a hole', () => {
  const holes = Object.entries(read(version)).flatMap(([name, { events }]) =>
    events.map((event, at): [string, number, string] => [name, at, event.type]),
  )

  it.each(holes)('%s, without event %i (%s): it is refused, or makes a history that is valid', async (name, at) => {
    const { events } = read(version)[name]!
    const session = memorySession('s', events.toSpliced(at, 1))
    const { agent, model } = payer([])
    const ended = await agent
      .resume(session)
      .result()
      .catch((thrown) => thrown)
    if (ended instanceof Error) expect(isClewError(ended, 'session') || isClewError(ended, 'run')).toBe(true)
    for (const { messages } of model.requests) expect(checkHistory(messages)).toBeUndefined()
  })

  it('in the middle is told with its place', async () => {
    const { events } = read(version)['the process died while a call ran']!
    const told = async (log: LoggedEvent[]) =>
      (
        await payer([])
          .agent.run('go', { session: memorySession('s', log) })
          .result()
          .catch((error) => error)
      ).message
    expect(await told(events.filter(({ type }) => type !== 'model-end'))).toMatch(
      /event 2 \(tool-start\) is of call "[^"]+", which is not open there: a part of the log is missing/,
    )
    expect(await told(events.slice(1))).toMatch(
      /event 0 \(turn-start\) stands before any run-start: the beginning of the log is missing/,
    )
    expect(await told([...events, { type: 'wish' } as never])).toMatch(
      /event 4 \(wish\) is no event that this version knows/,
    )
    expect(await told([...events, null as never])).toMatch(/is no event/)
  })
})

describe('a log whose events lack what they should have', () => {
  const good: LoggedEvent = { type: 'run-start', v: 2, id: 'r', agent: 'a', input: [{ role: 'user', content: 'x' }] }
  const cases: [string, unknown[]][] = [
    ['an event is null', [null]],
    ['an event is a number', [5]],
    ['an event is a text', ['x']],
    ['a run-start has nothing', [{ type: 'run-start' }]],
    ['a run-start has no input', [{ type: 'run-start', id: 'x', agent: 'a', input: null }]],
    ['a run-start has a text for input', [{ type: 'run-start', v: 2, id: 'x', agent: 'a', input: 'text' }]],
    ['a model-end has no message', [good, { type: 'model-end', turn: 1 }]],
    ['a model-end has no usage', [good, { type: 'model-end', turn: 1, message: { role: 'assistant', content: 'x' } }]],
    ['a steer has no messages', [good, { type: 'steer', turn: 1 }]],
    ['a steer has a null for a message', [good, { type: 'steer', turn: 1, messages: [null] }]],
    ['a handoff has no agent', [good, { type: 'handoff' }]],
    ['a handoff has a null for a message', [good, { type: 'handoff', agent: 'b', messages: [null] }]],
    ['a model-aborted has no partial', [good, { type: 'model-aborted' }]],
    ['a turn-start has no turn', [good, { type: 'turn-start' }]],
    ['a run-end has no status', [good, { type: 'run-end' }]],
    ['a child has no event', [good, { type: 'child', id: 'c' }]],
  ]

  it.each(cases)('%s: it is refused, and told where', async (_, events) => {
    const { agent, model } = payer([])
    const error = await agent
      .run('go', { session: memorySession('s', events as LoggedEvent[]) })
      .result()
      .catch((thrown) => thrown)
    expect(isClewError(error, 'session')).toBe(true)
    expect(error.message).toMatch(/^The log of session "s" cannot be used: /)
    expect(model.requests).toEqual([])
  })
})

describe('a program that changed since', () => {
  const log = (name: string) => memorySession('s', read(1)[name]!.events)

  it('a tool that is gone: its waiting call, approved, is a result that names the others', async () => {
    const session = log('an approval is waited for, beside a call that ran')
    const other = tool({ name: 'transfer', execute: () => 'no' })
    const { agent, model } = payer([], [other as Tool])
    const { state } = await agent.resume(session)
    const ids = needsOf(state).map(({ id }) => id)
    const result = await agent.resume(session, Object.fromEntries(ids.map((id) => [id, { type: 'approve' }])))
    expect(result.status).toBe('done')
    const results = model.requests[0]!.messages.filter(({ role }) => role === 'tool').map(({ content }) => content)
    expect(results).toEqual(['Ann is owed 5.', ...ids.map(() => 'There is no tool "pay". Available tools: transfer.')])
  })

  it('a tool that is gone, whose call ran when the process died: what became of it is asked', async () => {
    const session = log('the process died while a call ran')
    const { agent, model } = payer([], [])
    const paused = await agent.resume(session)
    expect(paused.needs).toMatchObject([{ for: 'verdict', tool: 'pay', input: { to: 'ann' } }])
    expect(model.requests).toEqual([])
    const result = await agent.resume(session, { [paused.needs![0]!.id]: retry() })
    expect(result.status).toBe('done')
    expect(model.requests[0]!.messages.at(-1)).toMatchObject({
      content: 'There is no tool "pay". Available tools: none.',
    })
  })

  it('an agent that is gone while it worked: what became of its call is asked, once, whatever it waits for below', async () => {
    const session = log('an approval is waited for, two agents deep')
    const { agent } = payer([])
    const first = await agent.resume(session)
    const answers = Object.fromEntries(first.needs!.map((need) => [need.id, { type: 'approve' as const }]))
    const second = await agent.resume(session, answers)
    expect(second.needs).toMatchObject([{ for: 'verdict', tool: 'clerk' }])
    const last = await agent.resume(session, { [second.needs![0]!.id]: { type: 'failed', reason: 'gone' } })
    expect(last.status).toBe('done')
  })

  it('an agent with another name goes on, with its own instructions, and the log says so', async () => {
    const session = log('the process died while the model was asked')
    const { model, agent } = payer([])
    const renamed = new Agent({ ...agent.options, name: 'cashier', instructions: 'Be kind.' })
    const result = await renamed.resume(session)
    expect(result.text).toBe('Fine.')
    expect(model.requests[0]!.instructions).toBe('Be kind.')
    expect((await session.read()).events.at(-4)).toMatchObject({ type: 'handoff', agent: 'cashier', path: ['cashier'] })
    expect(result.state.agent).toBe('cashier')
  })
})
