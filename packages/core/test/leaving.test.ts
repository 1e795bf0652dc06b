/** Strangers that hang, ignore their signal or never wait; limits and aborts hold all the same. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  AbortError,
  Agent,
  fatal,
  type Model,
  type ModelDelta,
  memorySession,
  type RunEvent,
  tool,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

const never = new Promise<never>(() => {})
const hung = tool({ name: 'hung', execute: () => never })
const reply = { content: 'ok', finishReason: 'stop', source: { model: 'm' } } as const
const modelOf = (generate: Model['generate']): Model => ({ id: 'stranger', generate })

describe('aborting', () => {
  it.each<[string, (abort: () => void) => Agent, object?]>([
    [
      'instructions that never come',
      (abort) =>
        new Agent({
          name: 'a',
          model: scriptedModel([]),
          instructions: () => {
            abort()
            return never
          },
        }),
    ],
    [
      'a model that hangs and ignores its signal',
      (abort) =>
        new Agent({
          name: 'a',
          model: modelOf(async function* () {
            abort()
            return await never
          }),
        }),
    ],
    [
      'a model that streams for ever',
      (abort) =>
        new Agent({
          name: 'a',
          model: modelOf(async function* () {
            abort()
            for (;;) yield [{ type: 'text-delta', text: 'x' }]
          }),
        }),
    ],
    [
      'a tool that never settles',
      (abort) =>
        new Agent({
          name: 'a',
          model: scriptedModel([{ calls: [{ name: 'hung' }] }]),
          tools: [
            tool({
              name: 'hung',
              execute: () => {
                abort()
                return never
              },
            }),
          ],
        }),
    ],
    [
      'a tool that yields for ever',
      (abort) =>
        new Agent({
          name: 'a',
          model: scriptedModel([{ calls: [{ name: 'busy' }] }]),
          tools: [
            tool({
              name: 'busy',
              async *execute() {
                abort()
                for (;;) yield 1
              },
            }),
          ],
        }),
    ],
    [
      'an approval check that never settles',
      (abort) =>
        new Agent({
          name: 'a',
          model: scriptedModel([{ calls: [{ name: 'x' }] }]),
          tools: [
            tool({
              name: 'x',
              needsApproval: () => {
                abort()
                return never
              },
              execute: () => 1,
            }),
          ],
        }),
    ],
  ])('leaves %s', async (_, make) => {
    const controller = new AbortController()
    const run = make(() => controller.abort('enough')).run('go', { signal: controller.signal })
    await expect(run).rejects.toBeInstanceOf(AbortError)
  })

  it('before the start: nothing happens', async () => {
    const model = scriptedModel(['x'])
    await expect(new Agent({ name: 'a', model }).run('go', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(model.requests).toHaveLength(0)
  })

  it('keeps the text that had come, without its reasoning, and the next run is valid', async () => {
    const session = memorySession()
    const controller = new AbortController()
    const model = modelOf(async function* () {
      yield [
        { type: 'reasoning-delta', text: 'secret' },
        { type: 'text-delta', text: 'Half an' },
      ]
      controller.abort()
      return await never
    })
    const error = await new Agent({ name: 'a', model })
      .run('go', { session, signal: controller.signal })
      .result()
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      state: {
        status: 'aborted',
        messages: [{ role: 'user' }, { role: 'assistant', content: 'Half an', aborted: true }],
      },
    })
    const next = scriptedModel(['Hello again.'])
    await new Agent({ name: 'a', model: next }).run('And now?', { session })
    expect(next.requests[0]!.messages).toMatchObject([
      { content: 'go' },
      { role: 'assistant', content: 'Half an' },
      { content: 'And now?' },
    ])
    await expect(
      new Agent({ name: 'a', model: next }).resume(memorySession('x', (await session.read()).events.slice(0, -4))),
    ).rejects.toThrow(/aborted, so it cannot be resumed/)
  })

  it('keeps of an answer that began again only what came after', async () => {
    const controller = new AbortController()
    const model = modelOf(async function* () {
      yield [{ type: 'text-delta', text: 'void' }]
      yield [{ type: 'model-restart', reason: 'again' }]
      yield [{ type: 'text-delta', text: 'kept' }]
      controller.abort()
      return await never
    })
    const run = new Agent({ name: 'a', model }).run('go', { signal: controller.signal })
    await expect(run).rejects.toMatchObject({ state: { lastWords: { text: 'kept' } } })
  })

  it('breaking leaves alone a run that others read', async () => {
    const run = new Agent({ name: 'a', model: scriptedModel([{ text: 'abc', chunks: 3 }]) }).run('go')
    const other = run[Symbol.asyncIterator]()
    await other.next()
    for await (const _ of run) break
    const rest: RunEvent[] = []
    for (let next = await other.next(); !next.done; next = await other.next()) rest.push(next.value)
    expect(rest.at(-1)).toMatchObject({ type: 'run-end', status: 'done' })
  })

  it('a reader that left reads nothing more', async () => {
    const iterator = new Agent({ name: 'a', model: scriptedModel(['x']) }).run('go')[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.return?.()
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })
})

describe('time', () => {
  it('a deadline ends a tool that never waits, and all timers go on', async () => {
    const model = scriptedModel([{ calls: [{ name: 'busy' }] }, 'ok'])
    const busy = tool({
      name: 'busy',
      timeoutMs: 30,
      async *execute() {
        for (;;) yield 1
      },
    })
    expect((await new Agent({ name: 'a', model, tools: [busy] }).run('go')).text).toBe('ok')
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({
      content: expect.stringContaining('timed out after 30 ms'),
      isError: true,
    })
  })

  it('limits.ms stops in the middle of a call; a new run has its time anew', async () => {
    const session = memorySession()
    const first = await new Agent({
      name: 'a',
      model: scriptedModel([{ calls: [{ name: 'hung' }] }]),
      tools: [hung],
      limits: { ms: 30 },
    }).run('go', { session })
    expect(first).toMatchObject({ status: 'stopped', stop: 'ms' })
    expect(first.state.ms).toBeGreaterThanOrEqual(29)
    expect(first.state.messages.at(-1)).toMatchObject({ role: 'tool', isError: true })
    const after = new Promise((resolve) => setTimeout(resolve, 40))
    const quick = await new Agent({ name: 'a', model: scriptedModel([{ text: 'quick', after }]) }).run('again', {
      session,
      limits: { ms: 400 },
    })
    expect(quick).toMatchObject({ status: 'done', text: 'quick' })
  })

  it('the signal of a tool with a deadline fires with that of the run', async () => {
    const controller = new AbortController()
    let fired = false
    const listening = tool({
      name: 'listening',
      timeoutMs: 60_000,
      execute: (_, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            fired = true
            resolve('told')
          })
          controller.abort()
        }),
    })
    const run = new Agent({
      name: 'a',
      model: scriptedModel([{ calls: [{ name: 'listening' }] }]),
      tools: [listening],
    }).run('go', { signal: controller.signal })
    await expect(run).rejects.toThrow('aborted')
    expect(fired).toBe(true)
  })
})

describe('why a run was left', () => {
  const stuck = () => tool({ name: 'stuck', execute: () => never })

  it('is why it was left first: a limit that is met in the grace changes nothing', async () => {
    const boom = tool({
      name: 'boom',
      execute: () => {
        throw fatal('all is lost')
      },
    })
    const script = () => scriptedModel([{ calls: [{ name: 'stuck' }, { name: 'boom' }] }])
    const run = new Agent({ name: 'a', model: script(), tools: [stuck(), boom], limits: { ms: 200 } }).run('go')
    await expect(run).rejects.toThrow('all is lost')
    const controller = new AbortController()
    const leave = tool({ name: 'boom', execute: () => controller.abort() })
    const left = new Agent({ name: 'a', model: script(), tools: [stuck(), leave], limits: { ms: 200 } })
    await expect(left.run('go', { signal: controller.signal })).rejects.toBeInstanceOf(AbortError)
  })

  it('holds while the output is checked, too', async () => {
    const controller = new AbortController()
    const output = z.object({ a: z.number() }).refine(() => {
      controller.abort()
      return never
    })
    const agent = new Agent({ name: 'a', model: scriptedModel(() => '{"a":1}'), output })
    const session = memorySession()
    await expect(agent.run('go', { session, signal: controller.signal })).rejects.toBeInstanceOf(AbortError)
    expect((await session.read()).events.at(-1)).toMatchObject({ type: 'run-end', status: 'aborted' })
    expect(await agent.run('go', { limits: { ms: 30 } })).toMatchObject({ status: 'stopped', stop: 'ms' })
  })

  it('is told to tools that still run when a layer of the run fails', async () => {
    let told = false
    const listening = tool({
      name: 'listening',
      async *execute(_, { signal }) {
        signal.addEventListener('abort', () => {
          told = true
        })
        yield 'here'
        await never
      },
    })
    const model = scriptedModel([{ calls: [{ name: 'listening' }] }])
    const use = [
      {
        name: 'nervous',
        async *run(_: unknown, next: () => AsyncGenerator<RunEvent[], void>) {
          for await (const events of next()) {
            yield events
            if (events.some((event) => event.type === 'tool-progress')) throw new Error('too much')
          }
        },
      },
    ]
    await expect(new Agent({ name: 'a', model, tools: [listening], use }).run('go')).rejects.toThrow('too much')
    expect(told).toBe(true)
  })
})

describe('limits', () => {
  it('of a run go over those of the agent one by one, and undefined switches nothing off', async () => {
    const pricey = () => scriptedModel(() => ({ calls: [{ name: 't' }], usage: { usd: 1 } }))
    const t = tool({ name: 't', effect: 'pure', execute: () => 1 })
    const agent = (model: Model) => new Agent({ name: 'a', model, tools: [t], limits: { usd: 2, turns: 10 } })
    expect(await agent(pricey()).run('go', { limits: { usd: undefined as never } })).toMatchObject({
      stop: 'usd',
      usage: { usd: 2 },
    })
    expect(await agent(pricey()).run('go', { limits: { tokens: 1_000_000 } })).toMatchObject({ stop: 'usd' })
    expect(await agent(pricey()).run('go', { limits: { turns: 1, usd: 9 } })).toMatchObject({ stop: 'turns' })
    expect(await agent(pricey()).run('go', { limits: { tokens: 15 } })).toMatchObject({
      stop: 'tokens',
      usage: { requests: 1 },
    })
  })

  it('are not fooled by odd usage', async () => {
    const odd = scriptedModel(() => ({
      calls: [{ name: 't' }],
      usage: { usd: Number.NaN, inputTokens: -5, outputTokens: 10 },
    }))
    const t = tool({ name: 't', effect: 'pure', execute: () => 1 })
    const result = await new Agent({ name: 'a', model: odd, tools: [t], limits: { tokens: 30 } }).run('go')
    expect(result).toMatchObject({ stop: 'tokens', usage: { requests: 3, inputTokens: 0, outputTokens: 30, usd: 0 } })
  })

  it('at most so many calls run at once', async () => {
    let now = 0
    let most = 0
    const slow = tool({
      name: 'slow',
      effect: 'pure',
      async execute() {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setImmediate(resolve))
        now--
      },
    })
    const model = scriptedModel([{ calls: Array.from({ length: 9 }, () => ({ name: 'slow' })) }, 'ok'])
    await new Agent({ name: 'a', model, tools: [slow], concurrency: 3 }).run('go')
    expect(most).toBe(3)
  })
})

describe('what strangers hold', () => {
  it('input that is changed afterwards changes neither state nor requests', async () => {
    const model = scriptedModel([{ calls: [{ name: 't' }] }, 'ok'])
    const message = { role: 'user' as const, content: 'first' }
    const t = tool({
      name: 't',
      execute: () => {
        message.content = 'second'
      },
    })
    const result = await new Agent({ name: 'a', model, tools: [t] }).run([message])
    expect(result.state.messages[0]!.content).toBe('first')
    expect(model.requests[1]!.messages[0]!.content).toBe('first')
    const sent = model.requests[1]!.messages[0] as { content: string }
    expect(() => {
      sent.content = 'x'
    }).toThrow()
  })

  it('deltas may be frozen, replies may hold arguments as objects, calls may be a thousand deep', async () => {
    const delta = Object.freeze({ type: 'text-delta', text: 'x' } as const) satisfies ModelDelta
    const inputs: unknown[] = []
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
    let turn = 0
    const model = modelOf(async function* () {
      yield [delta]
      if (++turn > 1) return reply
      return {
        ...reply,
        toolCalls: [
          { name: 't', arguments: { a: 1 } as never },
          { name: 't', arguments: deep },
          { name: 't', arguments: '{}'.repeat(100_000) },
        ],
      }
    })
    const t = tool({
      name: 't',
      input: { type: 'object' },
      effect: 'pure',
      execute: (input) => void inputs.push(input),
    })
    const session = memorySession()
    const result = await new Agent({ name: 'a', model, tools: [t] }).run('go', { session })
    expect(result.status).toBe('done')
    expect(inputs).toEqual([{ a: 1 }])
    expect(result.state.messages[3]!.content).toContain('nested deeper than 500 levels')
  })

  it('a long input and a reader that is far behind take their time once', async () => {
    const messages = Array.from({ length: 150_000 }, (_, n) => ({ role: 'user' as const, content: String(n) }))
    const run = new Agent({ name: 'a', model: scriptedModel([{ text: 'x'.repeat(50_000), chunks: 50_000 }]) }).run(
      messages,
    )
    const late = run[Symbol.asyncIterator]()
    await run
    let count = 0
    while (!(await late.next()).done) count++
    expect(count).toBe(50_004)
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /The input is undefined/],
    ['an object', { prompt: 'x' }, /The input is \{"prompt":"x"\}/],
    ['an empty text', '  ', /empty text/],
    ['an empty list', [], /empty list/],
    ['a promise among the parts', [{ type: 'text', text: 'x' }, Promise.resolve()], /part 1 is a Promise. Await it/],
    ['what is no JSON', [{ role: 'user', content: 'x', f() {} }], /The input holds something that is no plain JSON/],
    ['a number', 5n, /The input is "5"/],
    ['a BigInt in a message', [{ role: 'user', content: 'x', at: 5n }], /something that is no plain JSON/],
    ['an empty message', [{ role: 'user', content: [] }], /Input message 0 is empty/],
    ['results alone', [{ role: 'tool', callId: 'a', name: 'b', content: 'c' }], /results of tools only/],
    [
      'two calls of one id',
      [
        {
          role: 'assistant',
          content: '',
          toolCalls: [1, 2].map((n) => ({ id: 'a', wireId: `w${n}`, name: 'x', arguments: '{}' })),
        },
      ],
      /toolCalls whose id is empty or stands twice/,
    ],
    [
      'arguments that are no JSON',
      [{ role: 'assistant', content: '', toolCalls: [{ id: 'a', wireId: 'w', name: 'x', arguments: '{' }] }],
      /a call that no provider takes/,
    ],
    [
      'a message of another framework',
      [{ role: 'assistant', content: 'x', tool_calls: [] }],
      /has tool_calls. Clew's form is toolCalls/,
    ],
  ])('input: %s is refused before anything happens', async (_, input, message) => {
    const model = scriptedModel(['x'])
    await expect(new Agent({ name: 'a', model }).run(input as never)).rejects.toThrow(message)
    expect(model.requests).toHaveLength(0)
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /it has no v\. Give a session/],
    ['a text', '{"v":1}', /it has no v\. Give a session/],
    ['a part of a state', { v: 1 }, /its id is undefined/],
  ])('resume: %s is refused', async (_, from, message) => {
    await expect(new Agent({ name: 'a', model: scriptedModel([]) }).resume(from as never)).rejects.toThrow(message)
  })

  it('a hand-made tool without an effect is one whose effect happens once', async () => {
    const session = memorySession('s', [
      { type: 'run-start', v: 1, id: 'r', agent: 'a', input: [{ role: 'user', content: 'go' }] },
      { type: 'turn-start', turn: 1 },
      {
        type: 'model-end',
        turn: 1,
        finishReason: 'tool-calls',
        usage: {
          requests: 1,
          inputTokens: 0,
          outputTokens: 0,
          cachedTokens: 0,
          cacheWriteTokens: 0,
          reasoningTokens: 0,
        },
        message: {
          role: 'assistant',
          content: '',
          toolCalls: [{ id: 'c', wireId: 'c', name: 'pay', arguments: '{}' }],
        },
      },
      { type: 'tool-start', id: 'c', name: 'pay', input: {} },
    ])
    const { effect: _, ...pay } = tool({
      name: 'pay',
      input: z.object({}),
      execute: () => {
        throw fatal('paid twice')
      },
    })
    const result = await new Agent({ name: 'a', model: scriptedModel([]), tools: [pay as never] }).resume(session)
    expect(result).toMatchObject({ status: 'waiting', needs: [{ for: 'verdict' }] })
  })
})
