/** The onion: order, changes, and layers that forget. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  Agent,
  approve,
  checkHistory,
  fold,
  type Middleware,
  memorySession,
  type RunEvent,
  type RunPlace,
  type Tool,
  tool,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

const echo = tool({ name: 'echo', input: z.object({ text: z.string() }), effect: 'pure', execute: ({ text }) => text })
const script = () => scriptedModel([{ calls: [{ name: 'echo', arguments: { text: 'hi' } }] }, 'bye'])
const agent = (use: Middleware[], model = script()) => new Agent({ name: 'a', model, tools: [echo], use })

function noting(name: string, seen: string[]): Middleware {
  return {
    name,
    async *run(_, next) {
      seen.push(`${name}>run`)
      yield* next()
      seen.push(`run<${name}`)
    },
    async *model(request, next) {
      seen.push(`${name}>model`)
      const reply = yield* next(request)
      seen.push(`model<${name}`)
      return reply
    },
    async *tool(request, next) {
      seen.push(`${name}>tool`)
      const outcome = yield* next(request)
      seen.push(`tool<${name}`)
      return outcome
    },
  }
}

describe('middleware', () => {
  it('stands in the order given, the first outermost, around run, model and tool', async () => {
    const seen: string[] = []
    await agent([noting('a', seen), noting('b', seen)]).run('go')
    const around = (kind: string) => [`a>${kind}`, `b>${kind}`, `${kind}<b`, `${kind}<a`]
    expect(seen).toEqual([
      'a>run',
      'b>run',
      ...around('model'),
      ...around('tool'),
      ...around('model'),
      'run<b',
      'run<a',
    ])
  })

  it('sees state, request, input and context, and what it changes is what happens and what is logged', async () => {
    const model = script()
    const session = memorySession()
    const changing: Middleware = {
      name: 'changing',
      async *model(request, next) {
        const reply = yield* next({ ...request, instructions: 'Changed.' })
        return { ...reply, content: `${reply.content}!` }
      },
      async *tool(request, next) {
        expect(request).toMatchObject({
          input: { text: 'hi' },
          call: { name: 'echo' },
          execution: { context: { user: 'ada' } },
        })
        yield 'half way'
        const outcome = yield* next({ ...request, input: { text: 'ho' } })
        return { ...outcome, view: 'for people' }
      },
    }
    const events: RunEvent[] = []
    const run = agent([changing], model).run('go', { session, context: { user: 'ada' } })
    for await (const event of run) events.push(event)
    expect(model.requests[0]!.instructions).toBe('Changed.')
    expect(events.find((event) => event.type === 'tool-progress')).toMatchObject({ data: 'half way' })
    expect(events.find((event) => event.type === 'tool-end')).toMatchObject({ content: 'ho', view: 'for people' })
    const result = await run
    expect(result.text).toBe('bye!')
    expect(fold((await session.read()).events)).toEqual(result.state)
  })

  it('a run layer sees events that are in the log, and may leave some out', async () => {
    const session = memorySession()
    const quiet: Middleware = {
      name: 'quiet',
      async *run(state, next) {
        expect(state.id).toBe('')
        for await (const events of next()) yield events.filter((event) => event.type !== 'tool-end')
      },
    }
    const types: string[] = []
    for await (const { type } of agent([quiet]).run('go', { session })) types.push(type)
    expect(types).not.toContain('tool-end')
    expect((await session.read()).events.map((event) => event.type)).toContain('tool-end')
  })

  it('a run layer is told where its run stands, and finds what it kept when the run is resumed', async () => {
    const places: (Pick<RunPlace, 'path' | 'context' | 'isResumed' | 'call'> & { left: object; kept: unknown })[] = []
    const ids: string[] = []
    const where: Middleware = {
      name: 'where',
      async *run(state, next, { runId, left, keep, ...place }) {
        ids.push(runId)
        places.push({ ...place, left: left(), kept: state.kept })
        keep('place', `number ${places.length}`)
        yield* next()
        expect(state.id).toBe(runId)
      },
    }
    const ask = tool({ name: 'ask', needsApproval: true, execute: () => 'asked' })
    const helper = new Agent({
      name: 'helper',
      model: scriptedModel([{ calls: [{ name: 'ask' }] }, 'helped']),
      tools: [ask],
      use: [where],
    })
    const desk = new Agent({
      name: 'desk',
      model: scriptedModel([{ calls: [{ name: 'helper', arguments: { task: 'help' } }] }, 'done', 'again']),
      tools: [helper.asTool()],
      limits: { tokens: 100 },
      use: [where],
    })
    const session = memorySession()
    const context = { user: 'ada' }
    const { needs = [] } = await desk.run('go', { session, context })
    await desk.resume(session, { [needs[0]!.id]: approve() }, { context })
    await desk.run('again', { session, context })

    const [root, child, resumed, again, next] = places
    const call = { runId: ids[0], id: expect.any(String) }
    expect(root).toEqual({ path: ['desk'], context, isResumed: false, left: { tokens: 100 }, kept: undefined })
    expect(child).toEqual({
      path: ['desk', 'helper'],
      context,
      isResumed: false,
      call,
      left: { tokens: 85 },
      kept: undefined,
    })
    expect(resumed).toMatchObject({
      path: ['desk'],
      isResumed: true,
      left: { tokens: 70 },
      kept: { place: 'number 1' },
    })
    expect(again).toMatchObject({ path: ['desk', 'helper'], isResumed: true, call, kept: { place: 'number 2' } })
    // A run of its own: what the one before it kept is in its log.
    expect(next).toMatchObject({ path: ['desk'], isResumed: false })
    expect((await session.read()).events.flatMap((event) => (event.type === 'run-start' ? [event.kept] : []))).toEqual([
      { place: 'number 1' },
      { place: 'number 5' },
    ])
    expect([ids[2], ids[3]]).toEqual([ids[0], ids[1]])
  })

  it('a model layer knows the run, and the log the model that was asked', async () => {
    const seen: unknown[] = []
    const watching: Middleware = {
      name: 'watching',
      async *model(request, next) {
        seen.push(request.runId)
        return yield* next(request)
      },
    }
    const session = memorySession()
    const model = { ...scriptedModel(['hi']), id: 'm/x', provider: 'somebody' }
    const { state } = await new Agent({ name: 'a', model, use: [watching] }).run('go', { session })
    expect(seen).toEqual([state.id])
    const { events } = await session.read()
    expect(events.find(({ type }) => type === 'turn-start')).toMatchObject({ model: 'm/x', provider: 'somebody' })
  })

  it('a call that waits tells since when', async () => {
    const ask = tool({ name: 'ask', needsApproval: true, execute: () => 'asked' })
    const before = Date.now()
    const { state } = await new Agent({
      name: 'a',
      model: scriptedModel([{ calls: [{ name: 'ask' }] }]),
      tools: [ask],
    }).run('go')
    const { since } = state.pending[0] as { since?: number }
    expect(since).toBeGreaterThanOrEqual(before)
    expect(since).toBeLessThanOrEqual(Date.now())
  })

  it.each<[string, object, object, string[]]>([
    ['an answer', { content: 'so far' }, { text: 'so far' }, ['user', 'assistant']],
    ['nothing', { content: '' }, { text: '' }, ['user']],
    ['no part', { content: [] }, { text: '' }, ['user']],
    ['calls', { content: '', toolCalls: [{ name: 'echo', arguments: '{}' }] }, {}, ['user', 'assistant', 'tool']],
  ])('a model layer ends the run with a stop and %s', async (_, reply, expected, roles) => {
    const model = script()
    const session = memorySession()
    const stopping: Middleware = {
      name: 'stopping',
      async *model(request, next) {
        const { toolCalls: __, ...given } = yield* next(request)
        return { ...given, ...reply, stop: { by: 'guard', reason: 'enough' } }
      },
    }
    const result = await agent([stopping], model).run('go', { session })
    expect(result).toMatchObject({ status: 'stopped', stop: 'guard', reason: 'enough', ...expected })
    expect(result.state.messages.map(({ role }) => role)).toEqual(roles)
    expect(result.usage.requests).toBe(1)
    expect(checkHistory(result.state.messages)).toBeUndefined()
    expect(fold((await session.read()).events)).toEqual(result.state)
    const next = await agent([], scriptedModel(['on'])).run('on', { session })
    expect([next.status, next.stop, next.reason, next.state.stopping]).toEqual([
      'done',
      undefined,
      undefined,
      undefined,
    ])
  })

  it.each<[unknown, object]>([
    [
      { by: 'loop', reason: 'again' },
      { stop: 'loop', reason: 'again' },
    ],
    [
      { by: 'cost', reason: 5 },
      { stop: 'guard', reason: '5' },
    ],
    [true, { stop: 'guard', reason: 'no reason was given' }],
  ])('a tool layer ends the run with the stop %o, when the results are in the history', async (stop, expected) => {
    const model = script()
    const stopping: Middleware = {
      name: 'stopping',
      async *tool(request, next) {
        return { ...(yield* next(request)), stop: stop as never }
      },
    }
    const result = await agent([stopping], model).run('go')
    expect(result).toMatchObject({ status: 'stopped', ...expected })
    expect(result.state.messages.map(({ content }) => content)).toEqual(['go', '', 'hi'])
    expect(model.requests).toHaveLength(1)
  })

  it('an empty answer that nobody stopped stays in the history', async () => {
    const { state } = await agent([], scriptedModel([''])).run('go')
    expect(state.messages.map(({ role }) => role)).toEqual(['user', 'assistant'])
  })

  it('what a tool layer returns is cut to the limit of the tool, and nothing else of it is taken', async () => {
    const model = script()
    const cached: Middleware = {
      name: 'cached',
      async *tool() {
        return { type: 'x', id: 'other', content: 'y'.repeat(60_000) } as never
      },
    }
    const result = await agent([cached], model).run('go')
    expect(result.status).toBe('done')
    expect(String(model.requests[1]!.messages.at(-1)!.content)).toMatch(/^y{50000}\n\[Cut: the first 50,000 of 60,000/)
  })

  it.each<[string, Middleware, RegExp]>([
    [
      'model() that is no generator',
      { name: 'm', model: ((request: never, next: (r: never) => unknown) => Promise.resolve(next(request))) as never },
      /Middleware "m": model\(\) is no async generator. Write async \*model/,
    ],
    [
      'model() that returns nothing',
      {
        name: 'm',
        async *model(request: never, next: (request: never) => AsyncGenerator) {
          yield* next(request)
        },
      } as never,
      /returned no reply with a content. Does the model "scripted" or middleware "m" forget to return it/,
    ],
    [
      'model() that breaks the history',
      {
        name: 'm',
        model: (request, next) =>
          next({ ...request, messages: request.messages.filter((message) => message.role !== 'tool') }),
      },
      /not sent, because no provider would take its history: message 2 should be the result/,
    ],
    [
      'model() that breaks a content',
      {
        name: 'm',
        model: (request, next) => next({ ...request, messages: [{ role: 'user', content: 5 as never }] }),
      },
      /the content of message 0 \(user\) is neither a text nor a list of parts/,
    ],
    [
      'run() that forgets next',
      { name: 'm', async *run() {} },
      /did not come to its end. Does middleware "m" forget next/,
    ],
    [
      'model() that throws',
      {
        name: 'm',
        model() {
          throw new Error('guard says no')
        },
      },
      /guard says no/,
    ],
  ])('%s fails the run in words', async (_, middleware, message) => {
    await expect(agent([middleware]).run('go')).rejects.toThrow(message)
  })

  it.each<[string, Middleware, RegExp]>([
    [
      'returns nothing',
      {
        name: 'm',
        async *tool(request: never, next: (request: never) => AsyncGenerator) {
          yield* next(request)
        },
      } as never,
      /result of "echo" is lost: a middleware around it returned nothing/,
    ],
    [
      'throws',
      {
        name: 'm',
        tool() {
          throw new Error('not today')
        },
      },
      /Tool "echo" failed: not today/,
    ],
    ['is no generator', { name: 'm', tool: (async () => 1) as never }, /tool\(\) is no async generator/],
  ])('a tool() that %s is a result for the model', async (_, middleware, content) => {
    const model = script()
    expect((await agent([middleware], model).run('go')).status).toBe('done')
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({ isError: true, content: expect.stringMatching(content) })
  })
})

describe('a tool layer that calls next() twice around an agent', () => {
  it('has it begin anew: its state in the log is what the second try did', async () => {
    const replies = [new Error('down'), 'It is done.']
    const sub = new Agent({ name: 'sub', model: scriptedModel(() => replies.shift() ?? 'Never.') })
    const again: Middleware = {
      name: 'again',
      async *tool(request, next) {
        const outcome = yield* next(request)
        return outcome.isError ? yield* next(request) : outcome
      },
    }
    const model = scriptedModel([{ calls: [{ name: 'sub', arguments: { task: 'Do it.' } }] }, 'Thanks.'])
    const session = memorySession()
    const result = await new Agent({ name: 'a', model, tools: [sub.asTool()], use: [again] }).run('go', { session })
    expect(result.state.messages.at(-2)).toMatchObject({ role: 'tool', content: 'It is done.' })
    const { events } = await session.read()
    const [pending] = fold(events.slice(0, events.findLastIndex(({ type }) => type === 'child') + 1)).pending
    expect(pending).toMatchObject({
      child: { status: 'done', turn: 1, messages: [{ content: 'Do it.' }, { content: 'It is done.' }] },
    })
    expect(fold(events)).toEqual(result.state)
  })
})

describe('listeners', () => {
  it('that throw or reject harm nobody, and end when told', async () => {
    const seen: string[] = []
    const errors: unknown[] = []
    const { error } = console
    console.error = (...given: unknown[]) => void errors.push(given)
    const one = agent([])
    one.on('tool-end', () => {
      throw new Error('sync')
    })
    one.on('tool-end', async () => {
      throw new Error('async')
    })
    const stop = one.on('tool-end', (event) => seen.push(event.name))
    await one.run('go')
    stop()
    console.error = error
    expect(seen).toEqual(['echo'])
    expect(errors).toHaveLength(2)
    const two = agent([], scriptedModel([{ calls: [{ name: 'echo', arguments: { text: 'x' } }] }, 'ok']))
    two.on('tool-end', () => seen.push('two'))()
    await two.run('go')
    expect(seen).toEqual(['echo'])
  })
})

describe('instructions, tools and context', () => {
  it('functions are asked once per run, with the context', async () => {
    let asked = 0
    const model = scriptedModel([{ calls: [{ name: 'echo', arguments: { text: 'x' } }] }, 'ok'])
    const instructions = ({ user }: { user: string }) => `For ${user}, ${++asked}.`
    const tools = ({ user }: { user: string }) => (user === 'ada' ? [echo] : [])
    await new Agent({ name: 'a', model, instructions, tools }).run('go', { context: { user: 'ada' } })
    expect(model.requests.map((request) => request.instructions)).toEqual(['For ada, 1.', 'For ada, 1.'])
    expect(model.requests[0]!.tools.map((each) => each.name)).toEqual(['echo'])
  })

  it('tools that a function made have to be a list', async () => {
    const agent = new Agent({ name: 'a', model: scriptedModel(['x']), tools: () => ({ echo }) as never })
    await expect(agent.run('go')).rejects.toThrow(/tools is no list/)
  })

  it('a context that a tool cannot work with is refused before the run, with its path', async () => {
    const model = scriptedModel([])
    const needy = tool({ name: 'needy', context: z.object({ token: z.string() }), execute: () => 1 })
    const run = new Agent({ name: 'a', model, tools: [needy] }).run('go', { context: {} as never })
    await expect(run).rejects.toThrow(/Tool "needy" cannot work with this context: token: .*expected string/)
    const careless = new Agent({ name: 'a', model, instructions: ({ user }: { user: { name: string } }) => user.name })
    await expect(careless.run('go', {} as never)).rejects.toThrow(
      /instructions of agent "a" could not be made: .*There was no context/,
    )
    expect(model.requests).toHaveLength(0)
  })
})

describe('a layer that looks at results', () => {
  const shout: Middleware = { name: 'shout', result: (content) => String(content).toUpperCase() }

  it('sees every one before it is logged: of a tool, of a person, and what is told of mistakes', async () => {
    const ok = tool({ name: 'ok', execute: () => 'fine' }) as Tool
    const ask = tool({ name: 'ask' }) as Tool
    const calls = [{ name: 'ok' }, { name: 'nothing' }, { name: 'ask' }]
    const model = scriptedModel([{ calls }, 'Done.'])
    const agent = new Agent({ name: 'a', model, tools: [ok, ask], use: [shout] })
    const session = memorySession()
    const { needs } = await agent.run('go', { session })
    const result = await agent.resume(session, { [needs![0]!.id]: { type: 'respond', content: 'well' } })
    const told = result.state.messages.flatMap((message) => (message.role === 'tool' ? [message.content] : []))
    expect(told).toEqual(['FINE', 'THERE IS NO TOOL "NOTHING". AVAILABLE TOOLS: OK, ASK.', 'WELL'])
    expect(fold((await session.read()).events)).toEqual(result.state)
  })

  it('withholds what it fails on', async () => {
    const broken: Middleware = {
      name: 'broken',
      result: () => {
        throw new Error('no key')
      },
    }
    const ok = tool({ name: 'ok', execute: () => 'secret' }) as Tool
    const model = scriptedModel([{ calls: [{ name: 'ok' }] }, 'Done.'])
    const { state } = await new Agent({ name: 'a', model, tools: [ok], use: [broken] }).run('go')
    expect(state.messages.at(-2)?.content).toBe('[The result was withheld: middleware "broken" failed.]')
  })

  it('sees an answer to a call below a sub-agent, which is given to the run', async () => {
    const ask = tool({ name: 'ask' }) as Tool
    const below = new Agent({
      name: 'below',
      model: scriptedModel([{ calls: [{ name: 'ask' }] }, 'Done.']),
      tools: [ask],
    })
    const model = scriptedModel([{ calls: [{ name: 'below', arguments: { task: 'go' } }] }, 'All done.'])
    const agent = new Agent({ name: 'a', model, tools: [below.asTool()], use: [shout] })
    const session = memorySession()
    const { needs } = await agent.run('go', { session })
    await agent.resume(session, { [needs![0]!.id]: { type: 'respond', content: 'well' } })
    expect(JSON.stringify((await session.read()).events)).toContain('"content":"WELL"')
  })
})
