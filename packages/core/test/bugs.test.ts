import { expect, it } from 'vitest'
import { Agent, type Message, type Middleware, memorySession, type Session, type Tool, tool } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

const T = { name: 'transfer_to_clerk' }
const look = tool({ name: 'look', effect: 'pure', execute: () => 'ok' }) as Tool
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms))
const within = <V>(p: PromiseLike<V>, ms = 2500) =>
  Promise.race([
    Promise.resolve(p),
    sleep(ms).then(() => {
      throw new Error('hangs')
    }),
  ])
const clerkOf = (...replies: never[]) => {
  const model = scriptedModel(replies.length ? replies : ['Here.'])
  return { model, clerk: new Agent({ name: 'clerk', model }) }
}

it('1 a filter that takes the calls off the messages does not end the run before the other agent is asked', async () => {
  const { model, clerk } = clerkOf()
  const filter = (messages: readonly Message[]) =>
    messages.flatMap((m): Message[] =>
      m.role === 'tool' ? [] : m.role === 'assistant' ? [{ role: 'assistant', content: m.content } as Message] : [m],
    )
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([{ text: 'One moment.', calls: [T] }]),
    handoffs: [clerk.asHandoff({ filter })],
  })
  expect([(await desk.run('hi')).text, model.requests.length]).toEqual(['Here.', 1])
})
it.each([[{ role: 'developer', content: 'x' }], [{ role: 'user' }], [{ role: 'user', content: 'x', f() {} }]])(
  '2 a filter that returns what cannot be sent (%j) fails the run and leaves the session usable',
  async (bad) => {
    const { clerk } = clerkOf()
    const session = memorySession()
    const desk = (handoff: never) =>
      new Agent({ name: 'desk', model: scriptedModel([{ calls: [T] }]), handoffs: [handoff] })
    await expect(
      desk(clerk.asHandoff({ filter: () => [bad] as never }) as never).run('hi', { session }),
    ).rejects.toThrow(/filter of the handoff to agent "clerk"/)
    expect((await desk(clerk as never).resume(session)).text).toBe('Here.')
  },
)
it('3 a receipt can be awaited inside the loop that reads the run, and before anybody reads it', async () => {
  const agent = () =>
    new Agent({ name: 'a', model: scriptedModel([{ calls: [{ name: 'look' }] }, 'x']), tools: [look] })
  const run = agent().run('go')
  const read = async () => {
    for await (const e of run) if (e.type === 'tool-start') return await run.steer('more')
  }
  expect(await within(read())).toEqual({ seen: true, turn: 2 })
  expect(await within(agent().run('go').steer('x'))).toEqual({ seen: true, turn: 1 })
})
it('4 a layer that hangs while a slow reader does not pull is left all the same', async () => {
  let hangs = false
  const layer: Middleware = {
    name: 'hangs',
    async *run(_, next) {
      for await (const events of next()) {
        yield events
        if (hangs) await new Promise(() => {})
      }
    },
  }
  const run = new Agent({ name: 'a', model: scriptedModel(['x']), use: [layer] }).run('go')
  const read = async () => {
    for await (const event of run)
      if (event.type === 'turn-start') {
        hangs = true
        run.abort()
        await sleep(700)
      }
  }
  await expect(within(read())).rejects.toThrow(/aborted/)
})
it('5 a failed run whose lease hangs ends when it is left', async () => {
  const session: Session = { ...memorySession(), acquire: async () => ({ release: () => new Promise<void>(() => {}) }) }
  const run = new Agent({ name: 'a', model: scriptedModel([new Error('down')]) }).run('go', { session })
  setTimeout(() => run.abort(), 100)
  await expect(within(run)).rejects.toThrow(/down/)
})
it('6 left while the next agent is made ready, no model is asked any more', async () => {
  const controller = new AbortController()
  let asked = 0
  const model = {
    id: 'm',
    async *generate() {
      asked++
      yield []
      return {
        content: '',
        toolCalls: [{ id: 'c', name: 'transfer_to_clerk', arguments: '{}' }],
        finishReason: 'tool-calls',
        source: { model: 'm' },
      }
    },
  }
  const clerk = new Agent({
    name: 'clerk',
    model: scriptedModel([]),
    tools: () => {
      setTimeout(() => controller.abort())
      return new Promise<never>(() => {})
    },
  })
  await expect(
    within(
      new Agent({ name: 'desk', model: model as never, handoffs: [clerk] }).run('hi', { signal: controller.signal }),
    ),
  ).rejects.toThrow(/aborted/)
  expect(asked).toBe(1)
})
it('7 a price is that of the agent that is asked', async () => {
  const { clerk } = clerkOf()
  const dear = scriptedModel([{ calls: [T] }])
  let n = 0
  const model = { id: 'dear', generate: (r: never) => dear.generate(r), estimateUsd: () => (n++ === 0 ? 0.1 : 5) }
  expect(
    (await new Agent({ name: 'desk', model: model as never, handoffs: [clerk], limits: { usd: 1 } }).run('hi')).text,
  ).toBe('Here.')
})
it('8 a toolChoice may name a handoff of a list in a function', async () => {
  const { clerk } = clerkOf()
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([{ calls: [T] }]),
    tools: [look],
    handoffs: () => [clerk],
    toolChoice: 'transfer_to_clerk',
  })
  expect((await desk.run('hi')).text).toBe('Here.')
})
it('9 a turn that a crash cut short is the first of the agent that takes the place of one that is gone', async () => {
  const whole = memorySession()
  await new Agent({ name: 'old', model: scriptedModel(['x']) }).run('hi', { session: whole })
  const { events } = await whole.read()
  const model = scriptedModel([{ calls: [{ name: 'look' }] }, 'Done.'])
  const agent = new Agent({ name: 'new', model, tools: [look], toolChoice: 'required' })
  await agent.resume(memorySession('s', events.slice(0, 2)))
  expect(model.requests.map(({ toolChoice }) => toolChoice)).toEqual(['required', 'auto'])
})
it('10 a handoff under way survives the renaming of the agent that asked for it', async () => {
  const { clerk } = clerkOf()
  const whole = memorySession()
  await new Agent({ name: 'desk', model: scriptedModel([{ calls: [T] }]), handoffs: [clerk] }).run('hi', {
    session: whole,
  })
  const { events } = await whole.read()
  const session = memorySession(
    's',
    events.slice(
      0,
      events.findIndex((e) => e.type === 'handoff'),
    ),
  )
  const again = clerkOf()
  expect(
    (await new Agent({ name: 'front', model: scriptedModel(['no']), handoffs: [again.clerk] }).resume(session)).text,
  ).toBe('Here.')
})
it('11 a run that is over is not handed to anybody', async () => {
  const session = memorySession()
  await new Agent({ name: 'old', model: scriptedModel(['x']) }).run('hi', { session })
  const { at } = await session.read()
  expect((await new Agent({ name: 'new', model: scriptedModel([]) }).resume(session)).text).toBe('x')
  expect((await session.read()).at).toBe(at)
})
it('12 a policy sees when its need expires', async () => {
  const pay = tool({ name: 'pay', needsApproval: true, expiresMs: 1000, execute: () => 1 }) as Tool
  let seen: number | undefined
  const { needs } = await new Agent({
    name: 'a',
    model: scriptedModel([{ calls: [{ name: 'pay' }] }]),
    tools: [pay],
    policy: (need) => {
      seen = need.expiresAt
      return undefined
    },
  }).run('go')
  expect(seen).toBe(needs![0]!.expiresAt)
})
