/** What no test caught: one test for each break. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  Agent,
  approve,
  type LoggedEvent,
  type Message,
  memorySession,
  type Need,
  respond,
  retry,
  type Tool,
  tool,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

const T = { name: 'transfer_to_clerk' }
const look = tool({ name: 'look', effect: 'pure', execute: () => 'ok' }) as Tool
const results = (m: { requests: { messages: readonly Message[] }[] }) =>
  m.requests.at(-1)?.messages.flatMap(({ role, content }) => (role === 'tool' ? [content] : []))
const upTo = (events: LoggedEvent[], type: string) => events.slice(0, events.findIndex((e) => e.type === type) + 1)
afterEach(() => void vi.useRealTimers())

it.each([['look'], [{ look: 1 }], [7]])('#1 tools %j are no list', (tools) => {
  expect(() => new Agent({ name: 'a', model: scriptedModel([]), tools: tools as never })).toThrow(/tools is no list/)
})

it('#6 a denial without a reason says so', async () => {
  const pay = tool({ name: 'pay', needsApproval: true, execute: () => 1 }) as Tool
  const model = scriptedModel([{ calls: [{ name: 'pay' }] }, 'Ok.'])
  const agent = new Agent({ name: 'a', model, tools: [pay] })
  const { state, needs } = await agent.run('go')
  await agent.resume(state, { [needs![0]!.id]: { type: 'deny' } as never })
  expect(results(model)).toEqual(['Denied: no reason was given'])
})

describe('below an agent as a tool', () => {
  const paid: string[] = []
  const heard: string[] = []
  const make = (ofDesk: never[], ofA: never[], ofB: never[], withB = true) => {
    const pay = tool({ name: 'pay', effect: 'idempotent', execute: () => paid.push('x') }) as Tool
    const b = new Agent({ name: 'b', model: scriptedModel(ofB), instructions: 'B.', tools: [pay] })
    b.on('model-end', ({ path }) => heard.push(String(path)))
    const modelA = scriptedModel(ofA)
    const a = new Agent({ name: 'a', model: modelA, instructions: 'A.', handoffs: withB ? [b] : [], tools: [pay] })
    return { modelA, a, agent: new Agent({ name: 'desk', model: scriptedModel(ofDesk), tools: [a.asTool()] }) }
  }
  const first = { calls: [{ name: 'a', arguments: { task: 'go' } }] }
  const run = async () => {
    const session = memorySession()
    await make(
      [first, 'Done.'] as never,
      [{ calls: [{ name: 'transfer_to_b' }] }] as never,
      [{ calls: [{ name: 'pay' }] }, 'Paid.'] as never,
    ).agent.run('go', { session })
    return (await session.read()).events
  }

  it('#16 listeners of the agent that took over hear its events', async () => {
    heard.length = 0
    await run()
    expect(heard).toEqual(['desk,b', 'desk,b'])
  })

  it('#13 #14 entered again when the one that took over is gone, the first goes on with its own instructions', async () => {
    const events = await run()
    const cut = events.findIndex(
      (e) => e.type === 'child' && e.event.type === 'model-end' && e.event.path?.at(-1) === 'b',
    )
    const { agent, modelA } = make(['Done again.'] as never, ['A did it.'] as never, [] as never, false)
    const session = memorySession('s', events.slice(0, cut))
    expect((await agent.resume(session)).text).toBe('Done again.')
    expect(modelA.requests[0]?.instructions).toBe('A.')
    const handoffs = (await session.read()).events.flatMap((e) =>
      e.type === 'child' && e.event.type === 'handoff' ? [e.event.agent] : [],
    )
    expect(handoffs).toEqual(['b', 'a'])
  })

  it('#11 a verdict retry() on the call of an agent at work enters it again, with what it did', async () => {
    const events = await run()
    const cut = events.findIndex((e) => e.type === 'child' && e.event.type === 'tool-start')
    const session = memorySession('s', events.slice(0, cut + 1))
    const paused = await new Agent({ name: 'desk', model: scriptedModel([]) }).resume(session)
    expect(paused.needs).toMatchObject([{ for: 'verdict', tool: 'a' }])
    const { agent, modelA } = make(['Done again.'] as never, [] as never, ['Paid again.'] as never)
    const result = await agent.resume(session, { [paused.needs![0]!.id]: retry() })
    expect([result.text, modelA.requests.length]).toEqual(['Done again.', 0])
  })
})

it('#19 a call whose name was repaired into that of a handoff is none: the handoff behind it takes place', async () => {
  const clerk = new Agent({ name: 'clerk', model: scriptedModel(['Here.']) })
  const agent = new Agent({
    name: 'desk',
    model: scriptedModel([{ calls: [{ name: 'transfer to clerk' }, T] }]),
    handoffs: [clerk],
  })
  expect(await agent.run('go')).toMatchObject({ text: 'Here.', state: { agent: 'clerk' } })
})

it('#22 a list of handoffs that a function made is checked', async () => {
  const agent = new Agent({ name: 'a', model: scriptedModel(['x']), handoffs: () => ['clerk'] as never })
  await expect(agent.run('go')).rejects.toThrow(/handoffs\[0\] is neither an agent nor/)
})

it('#23 what is added while a turn begins again waits for the next one', async () => {
  const whole = memorySession()
  await new Agent({ name: 'a', model: scriptedModel(['x']) }).run('go', { session: whole })
  const session = memorySession('s', upTo((await whole.read()).events, 'turn-start'))
  const model = scriptedModel(['x', 'y'])
  const run = new Agent({ name: 'a', model }).resume(session)
  const receipt = run.steer('more')
  expect([(await run).text, await receipt]).toEqual(['y', { seen: true, turn: 2 }])
  expect(model.requests[0]?.messages).toHaveLength(1)
})

it('#27 an abort when the end is in the log changes nothing', async () => {
  const session = memorySession()
  const run = new Agent({ name: 'a', model: scriptedModel(['x']) }).run('go', { session })
  const events: string[] = []
  for await (const { type } of run) {
    events.push(type)
    if (type === 'run-end') run.abort()
  }
  expect(events.filter((type) => type === 'run-end')).toHaveLength(1)
  expect((await session.read()).events.filter(({ type }) => type === 'run-end')).toHaveLength(1)
  expect((await run).text).toBe('x')
})

it.each(['instructions', 'tools', 'filter', 'policy'])(
  '#29 #49 #82 an abort while %s hangs closes the log as aborted',
  async (what) => {
    const controller = new AbortController()
    const hang = () => {
      setTimeout(() => controller.abort(new Error('enough')))
      return new Promise<never>(() => {})
    }
    const pay = tool({ name: 'pay', needsApproval: true, execute: () => 1 }) as Tool
    const isPolicy = what === 'policy'
    const clerk = new Agent({
      name: 'clerk',
      model: scriptedModel(['x']),
      ...(what === 'instructions' && { instructions: hang }),
      ...(what === 'tools' && { tools: hang }),
    })
    const desk = new Agent({
      name: 'desk',
      model: scriptedModel([{ calls: [isPolicy ? { name: 'pay' } : T] }]),
      tools: [pay],
      handoffs: [clerk.asHandoff(what === 'filter' ? { filter: hang } : {})],
      ...(isPolicy && { policy: hang }),
    })
    const session = memorySession()
    const error = await desk
      .run('go', { session, signal: controller.signal })
      .result()
      .catch((thrown) => thrown)
    expect(error.name).toBe('AbortError')
    const { events } = await session.read()
    expect(events.at(-1)).toMatchObject({ type: 'run-end', status: 'aborted' })
    expect(events.some(({ type }) => type === 'tool-wait')).toBe(false)
  },
)

it('#31 what a filter returned can be changed afterwards, and changes nothing', async () => {
  const kept: Message = { role: 'user', content: 'short' }
  const clerk = new Agent({ name: 'clerk', model: scriptedModel(['Here.']) })
  const handoff = clerk.asHandoff({ filter: () => [kept] })
  const agent = () => new Agent({ name: 'desk', model: scriptedModel([{ calls: [T] }]), handoffs: [handoff] })
  const { state } = await agent().run('go')
  expect(Object.isFrozen(kept)).toBe(false)
  kept.content = 'changed'
  expect(state.messages[0]?.content).toBe('short')
})

it('#36 what is added is a private copy', async () => {
  const model = scriptedModel(['Done.'])
  const run = new Agent({ name: 'a', model }).run('go')
  const message: Message = { role: 'user', content: 'one' }
  void run.steer([message])
  message.content = 'changed'
  await run
  expect(model.requests[0]?.messages.at(-1)?.content).toBe('one')
  expect(Object.isFrozen(message)).toBe(false)
})

it('#50 what a policy responds is cut as the tool says', async () => {
  const place = tool({ name: 'place', maxResultChars: 100 }) as Tool
  const model = scriptedModel([{ calls: [{ name: 'place' }] }, 'Ok.'])
  await new Agent({ name: 'a', model, tools: [place], policy: () => respond('x'.repeat(1000)) }).run('go')
  expect(String(results(model)![0]).length).toBeLessThan(300)
})

it('#53 a result that somebody else gives expires as well; #81 for more days than a timer counts', async () => {
  const place = tool({ name: 'place', expiresMs: 30 * 24 * 3_600_000 }) as Tool
  const { needs } = await new Agent({
    name: 'a',
    model: scriptedModel([{ calls: [{ name: 'place' }] }]),
    tools: [place],
  }).run('go')
  expect(needs![0]!.expiresAt).toBeGreaterThan(Date.now() + 29 * 24 * 3_600_000)
})

it('#55 a forced choice is not forced again when a handoff was not possible', async () => {
  const clerk = new Agent({ name: 'clerk', model: scriptedModel(['x']) })
  const whole = memorySession()
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([{ calls: [T] }]),
    tools: [look],
    toolChoice: 'required',
    handoffs: [clerk],
  })
  await desk.run('go', { session: whole })
  const { events } = await whole.read()
  const model = scriptedModel(['I do it.'])
  const alone = new Agent({ ...desk.options, model, handoffs: [] })
  await alone.resume(
    memorySession(
      's',
      events.slice(
        0,
        events.findIndex(({ type }) => type === 'handoff'),
      ),
    ),
  )
  expect(model.requests[0]?.toolChoice).toBe('auto')
})

it('#56 an agent without instructions does not inherit those of the one before', async () => {
  const model = scriptedModel(['Here.'])
  const clerk = new Agent({ name: 'clerk', model })
  await new Agent({
    name: 'desk',
    instructions: 'You are the desk.',
    model: scriptedModel([{ calls: [T] }]),
    handoffs: [clerk],
  }).run('go')
  expect(model.requests[0]).not.toHaveProperty('instructions')
})

it('#71 a bare state that is resumed stays as it was', async () => {
  const place = tool({ name: 'place' }) as Tool
  const agent = new Agent({
    name: 'a',
    model: scriptedModel([{ calls: [{ name: 'place' }] }, 'Oslo.']),
    tools: [place],
  })
  const { state, needs } = await agent.run('go')
  const before = JSON.stringify(state)
  await agent.resume(state, { [needs![0]!.id]: respond('Oslo') })
  expect(JSON.stringify(state)).toBe(before)
})

it('#75 a key that every object inherits is no key', async () => {
  const runs: unknown[] = []
  const pay = tool({
    name: 'pay',
    needsApproval: true,
    input: { type: 'object' },
    execute: (input) => runs.push(input),
  }) as Tool
  const agent = new Agent({
    name: 'a',
    model: scriptedModel([{ calls: [{ name: 'pay' }] }, { calls: [{ name: 'pay' }] }, 'x']),
    tools: [pay],
  })
  const { state, needs } = await agent.run('go')
  const result = await agent.resume(state, {
    [needs![0]!.id]: approve({ always: { pattern: JSON.parse('{"__proto__":{}}') } }),
  })
  expect(result.status).toBe('waiting')
})

it('#77 a policy that changes the need is still compared with what the call is', async () => {
  const pay = tool({ name: 'pay', needsApproval: true, execute: () => 1 }) as Tool
  const policy = (need: Need) => {
    need.tool = 'other'
    return approve({ seen: { tool: 'pay', input: {} } })
  }
  const result = await new Agent({
    name: 'a',
    model: scriptedModel([{ calls: [{ name: 'pay' }] }, 'x']),
    tools: [pay],
    policy,
  }).run('go')
  expect(result.status).toBe('done')
})
