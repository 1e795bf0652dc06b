/** Guards pass, change and stop; and whatever goes wrong with one, nothing passes. */
import {
  Agent,
  checkHistory,
  fatal,
  fold,
  type Message,
  type Middleware,
  type ModelDelta,
  memorySession,
  type RunEvent,
  tool,
} from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { type GuardOptions, guard } from '../src/index.ts'

const echo = tool({
  name: 'echo',
  input: { type: 'object', properties: {} } as const,
  effect: 'pure',
  execute: (input) => `heard ${(input as { text?: string }).text}`,
})
const calling: ScriptedReply = { calls: [{ name: 'echo', arguments: { text: 'hi' } }] }
const make = (model: ReturnType<typeof scriptedModel>, ...use: Middleware[]) =>
  new Agent({ name: 'a', model, tools: [echo], use })
const never = () => new Promise<never>(() => {})
const collect = async (run: AsyncIterable<RunEvent>) => {
  const events: RunEvent[] = []
  for await (const event of run) events.push(event)
  return events
}
const textOf = (events: RunEvent[]) => events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')
const noBombs = guard({
  name: 'topic',
  input: ({ text }) => (text.includes('bomb') ? { stop: 'no bombs' } : undefined),
})

describe('input guard', () => {
  it('passes', async () => {
    const model = scriptedModel([calling, 'ok'])
    expect((await make(model, noBombs).run('a cake')).status).toBe('done')
  })

  it('stops before the model is asked, with the reason in the result, and the history stays valid', async () => {
    const model = scriptedModel([])
    const session = memorySession()
    const result = await make(model, noBombs).run('a bomb', { session })
    expect(result).toMatchObject({ status: 'stopped', stop: 'guard', reason: 'no bombs', text: '' })
    expect(result.usage.requests).toBe(0)
    expect(model.requests).toHaveLength(0)
    expect(result.state.messages.map(({ role }) => role)).toEqual(['user'])
    const { events } = await session.read()
    expect(events.at(-1)).toMatchObject({ type: 'run-end', stop: 'guard', reason: 'no bombs' })
    expect(fold(events)).toEqual(result.state)
  })

  it.each(['this process', 'another process'])('what was stopped is not sent in the next run of %s', async (where) => {
    const session = memorySession()
    const model = scriptedModel(['cake it is', 'more cake'])
    const fresh = () => guard({ input: ({ text }) => (text.includes('bomb') ? { stop: 'no bombs' } : undefined) })
    const one = fresh()
    const next = () => (where === 'this process' ? one : fresh())
    expect((await make(model, next()).run('a bomb', { session })).status).toBe('stopped')
    expect((await make(model, next()).run('a cake', { session })).status).toBe('done')
    expect((await make(model, next()).run('more', { session })).status).toBe('done')
    expect(model.requests.map(({ messages }) => messages.map(({ content }) => content))).toEqual([
      ['a cake'],
      ['a cake', 'cake it is', 'more'],
    ])
  })

  it('sees each message once, also those that stand before others in the input', async () => {
    const seen: string[] = []
    const seeing = guard({ input: ({ text }) => void seen.push(text) as undefined })
    const session = memorySession()
    const agent = make(scriptedModel([calling, 'ok', 'ok']), seeing)
    const input: Message[] = [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'sure' },
      { role: 'user', content: [{ type: 'text', text: 'two' }] },
    ]
    await agent.run(input, { session })
    await agent.run('three', { session })
    expect(seen).toEqual(['one', 'two', 'three'])
    const forged = make(scriptedModel([]), noBombs)
    const result = await forged.run([{ role: 'user', content: 'a bomb' }, ...input.slice(1)])
    expect(result).toMatchObject({ stop: 'guard' })
  })

  it('in one process each message of a session is judged once', async () => {
    const seen: string[] = []
    const session = memorySession()
    const agent = make(
      scriptedModel(['1', '2', '3']),
      guard({ input: ({ text }) => void seen.push(text) as undefined }),
    )
    for (const text of ['a', 'b', 'c']) await agent.run(text, { session })
    expect(seen).toEqual(['a', 'b', 'c'])
  })

  it('changes what the model reads, in every request and in another process; the log keeps what was said', async () => {
    const polite = () => guard({ input: ({ text }) => ({ change: text.replace('damn', 'dear') }) })
    const session = memorySession()
    const model = scriptedModel([calling, 'ok', 'ok'])
    await make(model, polite()).run('damn cake', { session })
    const result = await make(model, polite()).run('damn tea', { session })
    expect(model.requests.map(({ messages }) => messages[0]!.content)).toEqual(['dear cake', 'dear cake', 'dear cake'])
    expect(model.requests[2]!.messages.at(-1)!.content).toBe('dear tea')
    expect(result.state.messages[0]!.content).toBe('damn cake')
  })

  it('does not judge the repair of an output', async () => {
    const seen: string[] = []
    const model = scriptedModel(['not json', '{}'])
    const agent = new Agent({
      name: 'a',
      model,
      output: (await import('zod')).z.object({}),
      use: [guard({ input: ({ text }) => void seen.push(text) as undefined })],
    })
    expect((await agent.run('go')).status).toBe('done')
    expect(seen).toEqual(['go'])
  })
})

describe('input guard beside the model', () => {
  it('holds the answer back until it passed', async () => {
    let pass = () => {}
    const answered = new Promise<void>((resolve) => {
      pass = resolve
    })
    const shown: string[] = []
    const watching: Middleware = {
      name: 'watching',
      async *model(request, next) {
        const reply = yield* next(request)
        pass()
        return reply
      },
    }
    const beside = guard({
      when: 'beside',
      async input() {
        await answered
        expect(shown).toEqual([])
        return undefined
      },
    })
    const run = make(scriptedModel([{ text: 'hello you', chunks: 3 }]), beside, watching).run('hi')
    for await (const event of run) if (event.type === 'text-delta') shown.push(event.text)
    expect(shown.join('')).toBe('hello you')
  })

  it('lets the rest stream when it passes in the middle', async () => {
    let go = () => {}
    const passed = new Promise<void>((resolve) => {
      go = resolve
    })
    const model = scriptedModel([{ text: 'abc', chunks: 3 }])
    const gated: Middleware = {
      name: 'gated',
      async *model(request, next) {
        const answer = next(request)
        yield (await answer.next()).value as ModelDelta[]
        go()
        return yield* answer
      },
    }
    const run = make(model, guard({ when: 'beside', input: () => passed.then(() => undefined) }), gated).run('hi')
    expect(textOf(await collect(run))).toBe('abc')
    expect((await run).text).toBe('abc')
  })

  it('a stop aborts the call, and nothing of it is shown', async () => {
    let signal: AbortSignal | undefined
    const model = scriptedModel([
      (request) => {
        signal = request.signal
        return { text: 'boom', after: never() }
      },
    ])
    const beside = guard({
      when: 'beside',
      async input({ text }) {
        while (!signal) await Promise.resolve()
        return { stop: `not ${text}` }
      },
    })
    const run = make(model, beside).run('this')
    const events = await collect(run)
    expect(textOf(events)).toBe('')
    expect(await run).toMatchObject({ stop: 'guard', reason: 'not this', text: '' })
    expect(signal?.aborted).toBe(true)
    expect((await run).usage).toMatchObject({ requests: 1, unreported: 1 })
  })

  it('a stop that comes after the whole answer counts what it cost', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const done: Middleware = {
      name: 'done',
      async *model(request, next) {
        const reply = yield* next(request)
        setImmediate(resolve)
        return reply
      },
    }
    const beside = guard({ when: 'beside', input: () => promise.then(() => ({ stop: 'late' })) })
    const run = make(scriptedModel(['secret plan']), beside, done).run('hi')
    expect(textOf(await collect(run))).toBe('')
    const result = await run
    expect(result).toMatchObject({ stop: 'guard', usage: { requests: 1, inputTokens: 10 } })
    expect(JSON.stringify(result.state)).not.toContain('secret plan')
  })

  it('a change makes the call again, with the changed message', async () => {
    const model = scriptedModel(['first', 'second'])
    const run = make(model, guard({ when: 'beside', input: async () => ({ change: 'clean' }) })).run('dirty')
    expect(textOf(await collect(run))).toBe('second')
    expect(model.requests.at(-1)!.messages[0]!.content).toBe('clean')
    expect((await run).usage.requests).toBe(2)
  })
})

describe('output guard', () => {
  const noNames = guard({
    name: 'names',
    output: ({ text }) => (text.includes('Ada') ? { change: text.replaceAll('Ada', 'N.') } : undefined),
  })

  it('holds every answer back until it is whole and has passed', async () => {
    const run = make(scriptedModel([{ text: 'Bob is here', chunks: 4 }]), noNames).run('who?')
    const events = await collect(run)
    expect(textOf(events)).toBe('Bob is here')
    expect(events.filter(({ type }) => type === 'text-delta')).toHaveLength(4)
  })

  it('changes the text for readers, result and log; reasoning and calls stay', async () => {
    const details = [{ type: 'reasoning.text', text: 'Ada', signature: 'x' }]
    const said = { text: 'Ada asks', chunks: 4, reasoning: 'Ada?', reasoningDetails: details }
    const model = scriptedModel([
      { ...said, calls: [{ name: 'echo', arguments: { text: 'Ada' } }] },
      { ...said, text: 'For Ada' },
    ])
    const session = memorySession()
    const run = make(model, noNames).run('who?', { session })
    const events = await collect(run)
    expect(textOf(events)).toBe('N. asksFor N.')
    const result = await run
    expect(result.text).toBe('For N.')
    expect(result.state.messages[1]).toMatchObject({
      content: 'N. asks',
      reasoning: 'Ada?',
      reasoningDetails: details,
      toolCalls: [{ arguments: '{"text":"Ada"}' }],
    })
    expect(result.state.messages.at(-1)).toMatchObject({ content: 'For N.', reasoningDetails: details })
    expect(fold((await session.read()).events)).toEqual(result.state)
  })

  it('does not ask about calls without words', async () => {
    const seen: string[] = []
    const seeing = guard({ output: ({ text }) => void seen.push(text) as undefined })
    await make(scriptedModel([calling, 'ok']), seeing).run('go')
    expect(seen).toEqual(['ok'])
  })

  it('stops: nothing of the answer is shown, logged or kept, and what it cost is', async () => {
    const session = memorySession()
    const model = scriptedModel([calling, { text: 'the secret plan', reasoning: 'secret', chunks: 5 }, 'fine'])
    const stopping = guard({ output: ({ text }) => (text.includes('secret') ? { stop: 'leak' } : undefined) })
    const run = make(model, stopping).run('go', { session })
    const events = await collect(run)
    expect(await run).toMatchObject({
      status: 'stopped',
      stop: 'guard',
      reason: 'leak',
      text: '',
      usage: { requests: 2 },
    })
    expect(JSON.stringify([events, await session.read(), (await run).state])).not.toContain('secret')
    expect(checkHistory((await run).state.messages)).toBeUndefined()
    expect((await run).state.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool'])
    expect((await make(model, stopping).run('and now?', { session })).text).toBe('fine')
  })

  it('what came before a restart is not shown, what it cost is counted', async () => {
    const restarting: Middleware = {
      name: 'restarting',
      async *model(request, next) {
        yield [{ type: 'text-delta', text: 'void' }]
        const { usage } = (await make(scriptedModel(['x'])).run('x')).state
        yield [
          { type: 'model-restart', reason: 'again', usage },
          { type: 'text-delta', text: 'Ada' },
        ]
        return { ...(yield* next(request)), content: 'Ada' }
      },
    }
    for (const [output, text] of [
      [noNames, 'N.'],
      [guard({ output: () => ({ stop: 'no' }) }), ''],
    ] as const) {
      const run = make(scriptedModel(['']), output, restarting).run('x')
      expect(textOf(await collect(run))).toBe(text)
      expect((await run).usage.requests).toBe(2)
    }
  })

  it('two guards: what the inner one stopped, the outer one does not see', async () => {
    const seen: string[] = []
    const outer = guard({ output: ({ text }) => void seen.push(text) as undefined })
    const inner = guard({ output: () => ({ stop: 'inner' }) })
    expect(await make(scriptedModel(['x']), outer, inner).run('x')).toMatchObject({ reason: 'inner' })
    expect(seen).toEqual([])
  })

  it('a layer outside that tries again when something throws does not try again what was stopped', async () => {
    const again: Middleware = {
      name: 'again',
      async *model(request, next) {
        try {
          return yield* next(request)
        } catch {
          return yield* next(request)
        }
      },
    }
    const model = scriptedModel(['bad', 'good'])
    const result = await make(
      model,
      again,
      guard({ output: ({ text }) => (text === 'bad' ? { stop: 'bad' } : undefined) }),
    ).run('x')
    expect(result).toMatchObject({ stop: 'guard' })
    expect(model.requests).toHaveLength(1)
  })
})

describe('tool guard', () => {
  it('changes input and outcome', async () => {
    const model = scriptedModel([calling, 'ok'])
    const both = guard({
      tool: {
        before: ({ tool: { name }, input }) => ({ change: { ...(input as object), text: name } }),
        after: ({ outcome }) => ({ change: { ...outcome, content: `${outcome.content}!` } }),
      },
    })
    expect((await make(model, both).run('go')).status).toBe('done')
    expect(model.requests[1]!.messages.at(-1)!.content).toBe('heard echo!')
  })

  it('denies: the tool does not run, the model reads why, and the run goes on', async () => {
    const model = scriptedModel([calling, 'ok'])
    let runs = 0
    const counted = tool({ name: 'echo', execute: () => void runs++ })
    const denying = guard({ tool: { before: () => ({ deny: 'not on Sundays' }) } })
    const agent = new Agent({ name: 'a', model, tools: [counted], use: [denying] })
    expect((await agent.run('go')).status).toBe('done')
    expect(runs).toBe(0)
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({ isError: true, content: 'Not run: not on Sundays' })
  })

  it.each<[string, GuardOptions['tool'], string]>([
    [
      'before',
      { before: ({ input }) => ((input as { text: string }).text === 'bad' ? { stop: 'evil' } : undefined) },
      'Not run',
    ],
    [
      'after',
      { after: ({ outcome }) => (outcome.content === 'heard bad' ? { stop: 'evil' } : undefined) },
      'The result was withheld',
    ],
  ])('%s: stops when the turn is closed, without another model call', async (_, hooks, words) => {
    const session = memorySession()
    const calls = ['good', 'bad', 'fine'].map((text) => ({ name: 'echo', arguments: { text } }))
    const model = scriptedModel([{ text: 'Let me.', calls }])
    const result = await make(model, guard({ tool: hooks! })).run('go', { session })
    expect(result).toMatchObject({ status: 'stopped', stop: 'guard', reason: 'evil' })
    expect(model.requests).toHaveLength(1)
    expect(result.state.messages.slice(2).map(({ content }) => content)).toEqual([
      'heard good',
      `${words}: the run was stopped.`,
      'heard fine',
    ])
    expect(fold((await session.read()).events)).toEqual(result.state)
  })

  it('a stop does not wait for a sibling that waits for a person', async () => {
    const asking = tool({ name: 'ask', needsApproval: true, execute: () => 1 })
    const model = scriptedModel([{ calls: [{ name: 'ask' }, { name: 'echo', arguments: {} }] }])
    const use = [guard({ tool: { before: () => ({ stop: 'evil' }) } })]
    const result = await new Agent({ name: 'a', model, tools: [asking, echo], use }).run('go')
    expect(result).toMatchObject({ status: 'stopped', stop: 'guard' })
    expect(checkHistory(result.state.messages)).toBeUndefined()
  })

  it('after sees what a tool throws', async () => {
    const failing = tool({
      name: 'echo',
      execute: () => {
        throw new Error('password is x')
      },
    })
    const model = scriptedModel([calling, 'ok'])
    const use = [guard({ tool: { after: ({ outcome }) => (outcome.isError ? { deny: 'it failed' } : undefined) } })]
    await new Agent({ name: 'a', model, tools: [failing], use }).run('go')
    expect(model.requests[1]!.messages.at(-1)!.content).toBe('The result was withheld: it failed')
    const fatally = tool({
      name: 'echo',
      execute: () => {
        throw fatal('over')
      },
    })
    const run = new Agent({ name: 'a', model: scriptedModel([calling]), tools: [fatally], use }).run('go')
    await expect(run).rejects.toThrow('over')
  })
})

describe('a guard fails closed', () => {
  const odd: [string, () => unknown, RegExp][] = [
    [
      'throws',
      () => {
        throw new Error('oops')
      },
      /guard "g" failed, so nothing passes: oops/,
    ],
    ['rejects', () => Promise.reject(new Error('oops')), /failed, so nothing passes: oops/],
    ['never settles', never, /it gave no verdict within 5 ms/],
    ['says false', () => false, /said false, which is no verdict/],
    ['says true', () => true, /said true, which is no verdict/],
    ['says null', () => null, /said null, which is no verdict/],
    ['says an odd object', () => ({ blocked: true }), /said {"blocked":true}, which is no verdict/],
    ['says a stop without words', () => ({ stop: true }), /which is no verdict/],
    ['says stop and change', () => ({ change: 'x', stop: 'both' }), /^both$/],
  ]
  const places: [string, (ask: never) => GuardOptions][] = [
    ['input', (input) => ({ input })],
    ['input beside', (input) => ({ input, when: 'beside' })],
    ['output', (output) => ({ output })],
    ['tool.before', (before) => ({ tool: { before } })],
    ['tool.after', (after) => ({ tool: { after } })],
  ]
  it.each(places.flatMap(([place, options]) => odd.map((row) => [place, ...row, options] as const)))(
    '%s that %s',
    async (_, __, ask, reason, options) => {
      const model = scriptedModel((_request, turn) => (turn === 1 && _.startsWith('tool') ? calling : 'shown'))
      const run = make(model, guard({ name: 'g', timeoutMs: 5, ...options(ask as never) })).run('go')
      expect(textOf(await collect(run))).toBe('')
      expect(await run).toMatchObject({ status: 'stopped', stop: 'guard', reason: expect.stringMatching(reason) })
    },
  )

  it('is told by its signal when the time is over, and when the run is left', async () => {
    const signals: AbortSignal[] = []
    const hanging = guard({
      timeoutMs: 5,
      input: ({ signal }) => {
        signals.push(signal)
        return never()
      },
    })
    await make(scriptedModel([]), hanging).run('go')
    expect(signals[0]!.aborted).toBe(true)
    const controller = new AbortController()
    const left = guard({
      input: ({ signal }) => {
        signals.push(signal)
        queueMicrotask(() => controller.abort())
        return never()
      },
    })
    const session = memorySession()
    await expect(make(scriptedModel([]), left).run('go', { session, signal: controller.signal })).rejects.toMatchObject(
      { name: 'AbortError' },
    )
    expect(signals[1]!.aborted).toBe(true)
    // Left, not judged: the log says the same.
    expect((await session.read()).events.map(({ type }) => type)).toEqual([
      'run-start',
      'turn-start',
      'model-aborted',
      'run-end',
    ])
    const passing = guard({ input: ({ signal }) => void signals.push(signal) as undefined })
    await make(scriptedModel(['ok']), passing).run('go')
    // Nothing of a guard that is done hangs on the signal of the run.
    expect(signals[2]!.aborted).toBe(true)
  })

  it.each<[object, RegExp]>([
    [{}, /give input, output or tool/],
    [{ tool: {} }, /give input, output or tool/],
    [{ inputs: () => {} }, /no option "inputs"/],
    [{ tool: { befor: () => {} } }, /no option "befor"/],
    [{ input: 'x' }, /input is no function/],
    [{ input: () => {}, when: 'after' }, /when is "after"/],
    [{ input: () => {}, timeoutMs: 0 }, /timeoutMs is 0/],
  ])('refuses %o', (options, message) => expect(() => guard(options as GuardOptions)).toThrow(message))
})

it('knows the words of each guard', () => {
  guard({ input: () => undefined, output: async () => {}, tool: { before: async () => ({ deny: 'x' }) } })
  // @ts-expect-error only calls can be denied
  guard({ input: () => ({ deny: 'x' }) })
  // @ts-expect-error a boolean is no verdict
  guard({ output: () => true })
  // @ts-expect-error an answer is changed to a text
  guard({ output: () => ({ change: 5 }) })
  guard({ output: ({ text }) => expectTypeOf(text).toEqualTypeOf<string>() as unknown as undefined })
})
