/** Acceptance rows on tool calls, usage and errors as they come over the wire. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  Agent,
  isClewError,
  type ModelError,
  memorySession,
  type RunError,
  type RunEvent,
  tool,
  type Usage,
} from '@clew/core'
import { type LocalReply, startOpenRouter } from '@clew/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { openrouter } from '../src/index.ts'
import { callChunk, chunk, eventsOf, play, prefixOf, sent } from './play.ts'

/** A tool that takes anything and remembers what it was run with. */
function recorder(name = 'w') {
  const ran: unknown[] = []
  const execute = (input: unknown) => `result ${ran.push(input)} of ${name}`
  return { ran, tool: tool({ name, input: { type: 'object' }, effect: 'pure', execute }) }
}

/** Plays these fragments as the calls of the first turn, "End." as the second, and tells what ran. */
async function assemble(fragments: object[], finish: string | null = 'tool_calls', ...names: string[]) {
  const recorders = (names.length ? names : ['w']).map(recorder)
  const played = await play([{ chunks: [...fragments.map(callChunk), chunk({}, finish)] }, 'End.'], {
    tools: recorders.map((each) => each.tool),
  })
  const [assistant] = sent(played.bodies[1], 'assistant')
  return {
    ...played,
    ran: recorders.flatMap((each) => each.ran),
    calls: assistant?.tool_calls ?? [],
    results: sent(played.bodies[1], 'tool'),
  }
}

/** What a run on this answer rejects with, and what ran before. */
async function fail(reply: LocalReply) {
  const { tool, ran } = recorder()
  const error: unknown = await play([reply], { tools: [tool] }).catch((caught) => caught)
  if (!isClewError(error, 'run') || !isClewError(error.cause, 'model')) throw error
  return { error: error as RunError, cause: error.cause as ModelError, details: error.cause.details, ran }
}

describe('assembling streamed calls', () => {
  it('P015: takes a name that is repeated in each chunk once', async () => {
    const fragment = (text: string) => ({
      index: 0,
      id: 'c1',
      type: 'function',
      function: { name: 'w', arguments: text },
    })
    const { calls, ran } = await assemble([fragment('{"ci'), fragment('ty":"Os'), fragment('lo"}')])
    expect(calls).toEqual([{ id: 'c1', type: 'function', function: { name: 'w', arguments: '{"city":"Oslo"}' } }])
    expect(ran).toEqual([{ city: 'Oslo' }])
  })

  it.each([
    ['missing', {}],
    ['empty', { id: '' }],
    ['null', { id: null }],
  ])('P016: makes an id that is %s, and answers under it', async (_, id) => {
    const { calls, results, ran } = await assemble([
      { index: 0, ...id, function: { name: 'w', arguments: '{"n":1}' } },
      { index: 1, ...id, function: { name: 'w', arguments: '{"n"' } },
      { index: 1, ...id, function: { arguments: ':2}' } },
    ])
    expect(ran).toEqual([{ n: 1 }, { n: 2 }])
    const ids = calls.map((call) => call.id)
    expect(new Set(ids).size).toBe(2)
    for (const id of ids) expect(id).toMatch(/^\S+$/)
    expect(results.map((message) => [message.tool_call_id, message.content])).toEqual([
      [ids[0], 'result 1 of w'],
      [ids[1], 'result 2 of w'],
    ])
  })

  it('P017: keeps calls without an index apart by their ids', async () => {
    const { calls, ran } = await assemble([
      { id: 'c1', function: { name: 'w', arguments: '{"n":1}' } },
      { id: 'c2', function: { name: 'w', arguments: '{"n":2}' } },
    ])
    expect(calls.map((call) => [call.id, call.function.arguments])).toEqual([
      ['c1', '{"n":1}'],
      ['c2', '{"n":2}'],
    ])
    expect(ran).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('P017: joins interleaved fragments without an index by their ids', async () => {
    const { calls, ran } = await assemble([
      { id: 'c1', function: { name: 'w', arguments: '{"n"' } },
      { id: 'c2', function: { name: 'w', arguments: '{"n"' } },
      { id: 'c1', function: { arguments: ':1}' } },
      { id: 'c2', function: { arguments: ':2}' } },
    ])
    expect(calls.map((call) => call.id)).toEqual(['c1', 'c2'])
    expect(ran).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('P018: makes no hole when the first index is 1', async () => {
    const { calls, ran, result } = await assemble([
      { index: 1, id: 'c1', function: { name: 'w', arguments: '' } },
      { index: 1, function: { arguments: '{"n":1}' } },
    ])
    expect(calls).toEqual([{ id: 'c1', type: 'function', function: { name: 'w', arguments: '{"n":1}' } }])
    expect(ran).toEqual([{ n: 1 }])
    expect(result.state.messages.filter((message) => message.role === 'tool')).toHaveLength(1)
  })

  it('P020: ties each result to its own call when ids repeat in a turn', async () => {
    const { calls, results, ran } = await assemble([
      { index: 0, id: 'call_0', function: { name: 'w', arguments: '{"n":1}' } },
      { index: 1, id: 'call_0', function: { name: 'w', arguments: '{"n":2}' } },
    ])
    expect(ran).toEqual([{ n: 1 }, { n: 2 }])
    expect(calls[0]!.id).not.toBe(calls[1]!.id)
    expect(results.map((message) => message.tool_call_id)).toEqual(calls.map((call) => call.id))
    expect(results.map((message) => message.content)).toEqual(['result 1 of w', 'result 2 of w'])
  })

  it('P020: ties each result to its own call when an id repeats over turns', async () => {
    const { tool, ran } = recorder()
    const again = (n: number): LocalReply => ({ calls: [{ id: 'call_0', name: 'w', arguments: { n } }] })
    const { bodies, events } = await play([again(1), again(2), 'End.'], { tools: [tool] })
    expect(ran).toEqual([{ n: 1 }, { n: 2 }])
    expect(
      bodies[2]!.messages.slice(1).map((message) => message.tool_calls?.[0]?.function.arguments ?? message.content),
    ).toEqual(['{"n":1}', 'result 1 of w', '{"n":2}', 'result 2 of w'])
    expect(new Set(eventsOf(events, 'tool-end').map((event) => event.id)).size).toBe(2)
  })

  it('P021: runs a call once with all its arguments when they come before its name', async () => {
    const { ran, calls } = await assemble([
      { index: 0, id: 'c1', function: { arguments: '{"city":' } },
      { index: 0, function: { name: 'w' } },
      { index: 0, function: { arguments: '"Oslo"}' } },
    ])
    expect(ran).toEqual([{ city: 'Oslo' }])
    expect(calls).toHaveLength(1)
  })

  it('P022: runs nothing on the first part of the arguments that parses', async () => {
    const { ran, events } = await assemble([
      { index: 0, id: 'c1', function: { name: 'w', arguments: '1' } },
      { index: 0, function: { arguments: '2' } },
    ])
    expect(ran).toEqual([])
    expect(eventsOf(events, 'model-end')[0]!.message.toolCalls).toMatchObject([{ raw: { arguments: '12' } }])
    const whole = await assemble([
      { index: 0, id: 'c1', function: { name: 'w', arguments: '{}' } },
      { index: 0, function: { arguments: '{"n":' } },
      { index: 0, function: { arguments: '12}' } },
    ])
    expect(whole.ran).toEqual([{ n: 12 }])
  })

  it.each(['stop', 'other', 'error_free_nonsense', null])(
    'P025: runs calls whatever the finish reason says (%s)',
    async (finish) => {
      const { ran, result, events } = await assemble(
        [{ index: 0, id: 'c1', function: { name: 'w', arguments: '{"n":1}' } }],
        finish,
      )
      expect(ran).toEqual([{ n: 1 }])
      expect(eventsOf(events, 'model-end')[0]!.finishReason).toBe('tool-calls')
      expect(result.text).toBe('End.')
    },
  )

  it.each([
    ['length', /cut off at its length limit/],
    ['content_filter', /content filter/],
  ])('P026: runs no call of an answer that was cut (%s), and tells the model', async (finish, why) => {
    const { ran, results, events } = await assemble(
      [{ index: 0, id: 'c1', function: { name: 'w', arguments: '{"n":1}' } }],
      finish,
    )
    expect(ran).toEqual([])
    expect(eventsOf(events, 'tool-start')).toEqual([])
    expect(results.map((message) => message.content)).toEqual([expect.stringMatching(why)])
  })

  it('P027: keeps the text beside calls, in the history and in the next request', async () => {
    const { tool } = recorder()
    const { bodies, result } = await play([{ text: 'Let me look.', calls: [{ id: 'c1', name: 'w' }] }, 'End.'], {
      tools: [tool],
    })
    expect(sent(bodies[1], 'assistant')).toMatchObject([{ content: 'Let me look.', tool_calls: [{ id: 'c1' }] }])
    expect(result.state.messages[1]).toMatchObject({
      role: 'assistant',
      content: 'Let me look.',
      toolCalls: [{ wireId: 'c1' }],
    })
  })

  it('P028: sends content null, not "", with an assistant message of calls alone', async () => {
    const { bodies } = await assemble([{ index: 0, id: 'c1', function: { name: 'w', arguments: '{}' } }])
    expect(sent(bodies[1], 'assistant')[0]).toHaveProperty('content', null)
  })

  it('P029: tells start, deltas, end, call and result of each call in this order', async () => {
    const { events } = await assemble(
      [
        { index: 0, id: 'c1', function: { arguments: '{"n"' } },
        { index: 0, function: { name: 'w' } },
        { index: 1, id: 'c2', function: { name: 'v', arguments: '' } },
        { index: 0, function: { arguments: ':1}' } },
        { index: 1, function: { arguments: '{"n":2}' } },
      ],
      'tool_calls',
      'w',
      'v',
    )
    const calls = eventsOf(events, 'model-end')[0]!.message.toolCalls!
    expect(calls.map((call) => call.name)).toEqual(['w', 'v'])
    for (const call of calls) {
      const own = events.filter((event) => 'id' in event && event.id === call.id)
      const order = own.map((event) => event.type).filter((type, index, all) => type !== all[index - 1])
      expect(order).toEqual(['tool-input-start', 'tool-input-delta', 'tool-input-end', 'tool-start', 'tool-end'])
      expect(
        eventsOf(own, 'tool-input-delta')
          .map((event) => event.text)
          .join(''),
      ).toBe(call.arguments)
      const at = (type: RunEvent['type']) =>
        events.findIndex((event) => event.type === type && 'id' in event && event.id === call.id)
      const asked = events.findIndex((event) => event.type === 'model-end')
      expect(at('tool-input-end')).toBeLessThan(asked)
      expect(asked).toBeLessThan(at('tool-start'))
    }
  })

  it.each([
    ['null', { name: 'w', arguments: null }],
    ['absent', { name: 'w' }],
    ['empty', { name: 'w', arguments: '' }],
  ])('P039: runs a call once with {} when its arguments are %s', async (_, fn) => {
    const { ran, calls } = await assemble([{ index: 0, id: 'c1', function: fn }])
    expect(ran).toEqual([{}])
    expect(calls[0]!.function.arguments).toBe('{}')
  })

  it('P044: sends no broken arguments back', async () => {
    const { ran, calls, results, result } = await assemble([
      { index: 0, id: 'c1', function: { name: 'w', arguments: '{bad' } },
    ])
    expect(ran).toEqual([])
    expect(JSON.parse(calls[0]!.function.arguments)).toEqual({})
    expect(results[0]).toMatchObject({ tool_call_id: 'c1', content: expect.stringContaining('{bad') })
    expect(result.text).toBe('End.')
  })
})

describe('the next request', () => {
  it('P030: holds the results in the order asked, not in the order of completion', async () => {
    const fastDone = Promise.withResolvers<void>()
    const slow = tool({ name: 'slow', effect: 'pure', execute: () => fastDone.promise.then(() => 'slow result') })
    const fast = tool({ name: 'fast', effect: 'pure', execute: () => 'fast result' })
    const { tool: first } = recorder('first')
    const server = await startOpenRouter({
      respond: [
        {
          calls: [
            { id: 'a', name: 'slow' },
            { id: 'b', name: 'fast' },
            { id: 'c', name: 'first' },
          ],
        },
        'End.',
      ],
    })
    onTestFinished(server.close)
    const agent = new Agent({
      name: 'a',
      model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }),
      tools: [slow, fast, first],
    })
    const ended: string[] = []
    agent.on('tool-end', (event) => {
      ended.push(event.name)
      if (event.name === 'fast') fastDone.resolve()
    })
    await agent.run('Go.')
    expect(ended.at(-1)).toBe('slow')
    expect(sent(server.requests[1]!.body, 'tool').map((message) => [message.tool_call_id, message.content])).toEqual([
      ['a', 'slow result'],
      ['b', 'fast result'],
      ['c', 'result 1 of first'],
    ])
  })

  it('P034: carries neither tool_choice nor parallel_tool_calls when there are no tools', async () => {
    for (const toolChoice of ['auto', 'none', 'required']) {
      const { bodies, result } = await play(['Hello.'], { toolChoice })
      expect(result.text).toBe('Hello.')
      for (const key of ['tools', 'tool_choice', 'parallel_tool_calls']) expect(bodies[0]).not.toHaveProperty(key)
    }
  })

  it('P034: leaves a set parallelToolCalls out when there are no tools, and sends it when there are', async () => {
    const settings = { parallelToolCalls: false }
    const { bodies: withTools } = await play(['Hello.'], { settings, tools: [recorder().tool] })
    expect(withTools[0]).toHaveProperty('parallel_tool_calls', false)
    const { bodies } = await play(['Hello.'], { settings })
    expect(bodies[0]).not.toHaveProperty('parallel_tool_calls')
  })

  it('P063: asks for tools and for an output of a shape at once; strict only where it was asked for', async () => {
    const output = z.object({ year: z.number() })
    const { tool } = recorder()
    const answer: LocalReply[] = [{ calls: [{ name: 'w' }] }, '{"year":1999}']
    const { bodies, result } = await play(answer, { tools: [tool], output })
    for (const body of bodies) {
      expect(body.tools).toHaveLength(1)
      expect(body.response_format).toMatchObject({
        type: 'json_schema',
        json_schema: {
          name: expect.any(String),
          schema: { type: 'object', properties: { year: { type: 'number' } }, required: ['year'] },
        },
      })
      expect((body.response_format as { json_schema: { strict?: boolean } }).json_schema.strict ?? false).toBe(false)
    }
    expect(result).toMatchObject({ status: 'done', output: { year: 1999 } })
    const format = {
      type: 'json_schema',
      json_schema: { name: 'y', schema: { type: 'object', properties: {} }, strict: true },
    } as const
    const strict = await play(['{"year":1999}'], { tools: [tool], output, settings: { responseFormat: format } })
    expect(strict.bodies[0]!.response_format).toEqual(format)
  })

  it('P119: begins with the messages and tools of the one before, byte for byte', async () => {
    const { tool: zebra } = recorder('zebra')
    const { tool: apple } = recorder('apple')
    const broken = tool({ name: 'broken', execute: () => Promise.reject(new Error('Ünglück 💥')) })
    await using server = await startOpenRouter({
      respond: [
        { text: 'Wait…', calls: [{ id: 'c1', name: 'zebra', arguments: '{ "b": 1,\n "a": 2.0 }' }] },
        {
          calls: [
            { id: 'c2', name: 'apple', arguments: '{bad' },
            { id: 'c2', name: 'nope', arguments: '' },
            { name: 'un.known' },
          ],
        },
        {
          reasoningDetails: [{ type: 'reasoning.text', index: 0, text: 'Hm.', signature: 's' }],
          calls: [{ name: 'broken' }],
        },
        'End. 💥',
        'Again.',
      ],
    })
    const make = () =>
      new Agent({
        name: 'a',
        model: openrouter('m/x', { baseURL: server.url, apiKey: 'k', temperature: 0, seed: 7 }),
        instructions: 'Be brief.',
        tools: [zebra, apple, broken],
        toolChoice: 'required',
        limits: { turns: 3 },
      })
    const session = memorySession('s')
    await make().run('Go.', { session })
    await make().run('Again.', { session: memorySession('s', (await session.read()).events) })
    const texts = server.requests.map((request) => request.text)
    expect(texts).toHaveLength(5)
    for (const [index, text] of texts.slice(0, -1).entries()) {
      const kept = prefixOf(text)
      expect(kept.length).toBeLessThan(text.length)
      expect(kept).toMatch(/"tools":\[.*zebra.*apple.*broken.*"messages":\[/s)
      expect(texts[index + 1]!.slice(0, kept.length)).toBe(kept)
    }
    expect(server.requests.map((request) => request.body.tool_choice)).toEqual([
      'required',
      'auto',
      'auto',
      'none',
      'required',
    ])
  })

  it('P155: sends tool messages of role, tool_call_id and content', async () => {
    const { results } = await assemble([{ index: 0, id: 'c1', function: { name: 'w', arguments: '{}' } }])
    const { name: _, ...rest } = results[0]!
    expect(rest).toEqual({ role: 'tool', tool_call_id: 'c1', content: 'result 1 of w' })
  })

  it('P079: breaking out of a run closes the request', async () => {
    const pieces = Array.from({ length: 400 }, (_, index) => chunk({ content: `word ${index} ` }))
    await using server = await startOpenRouter({ respond: [{ chunks: pieces, pace: 25 }] })
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }) })
    for await (const event of agent.run('Go.')) if (event.type === 'text-delta') break
    expect(await server.requests[0]!.closed).toBe('aborted')
    expect(server.requests).toHaveLength(1)
  })

  it('P077: aborting while the answer streams rejects once, and nothing is left unhandled', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    onTestFinished(() => void process.off('unhandledRejection', note))
    const pieces = Array.from({ length: 400 }, (_, index) => chunk({ content: `word ${index} ` }))
    await using server = await startOpenRouter({ respond: [{ chunks: pieces, pace: 25 }] })
    const run = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }) }).run('Go.')
    const iterate = async () => {
      for await (const event of run) if (event.type === 'text-delta') run.abort()
    }
    await expect(iterate()).rejects.toSatisfy((error) => isClewError(error, 'abort'))
    expect(await server.requests[0]!.closed).toBe('aborted')
    await new Promise(setImmediate)
    expect(unhandled).toEqual([])
  })
})

describe('usage', () => {
  it('P111: counts cached tokens inside the input, and takes the cost as reported', async () => {
    const usage = { prompt_tokens: 100, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 90 }, cost: 0.01 }
    const { result } = await play([{ text: 'Hello.', usage }])
    expect(result.usage).toMatchObject({ requests: 1, inputTokens: 100, cachedTokens: 90, outputTokens: 5, usd: 0.01 })
    const { tool } = recorder()
    const two = await play(
      [
        { calls: [{ name: 'w' }], usage },
        { text: 'End.', usage },
      ],
      { tools: [tool] },
    )
    expect(two.result.usage).toMatchObject({
      requests: 2,
      inputTokens: 200,
      cachedTokens: 180,
      outputTokens: 10,
      usd: 0.02,
    })
  })

  it('P112: counts tokens written to the cache', async () => {
    const { result } = await play([
      { text: 'Hello.', usage: { prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 50 } } },
    ])
    expect(result.usage).toMatchObject({ cacheWriteTokens: 50, cachedTokens: 0 })
  })

  const usage = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14, cost: 0.5 }
  it.each([
    ['a last chunk without choices', [chunk({}, 'stop'), { id: 'gen-1', choices: [], usage }]],
    ['a last chunk with an empty choice', [chunk({}, 'stop'), chunk({ content: '' }, null, { usage })]],
    ['the finish chunk', [chunk({}, 'stop', { usage })]],
    ['the finish chunk and once more', [chunk({}, 'stop', { usage }), { id: 'gen-1', choices: [], usage }]],
  ])('P113: counts usage once when it comes in %s', async (_, end) => {
    const { result } = await play([{ chunks: [chunk({ content: 'Hello.' }), ...end] }])
    expect(result).toMatchObject({ text: 'Hello.', usage: { requests: 1, inputTokens: 10, outputTokens: 4, usd: 0.5 } })
    expect(result.usage).not.toHaveProperty('unreported')
  })

  const unusable: [string, unknown][] = [
    ['no usage', undefined],
    ['usage null', null],
    ['usage without fields', {}],
    [
      'usage of null fields',
      {
        prompt_tokens: null,
        completion_tokens: null,
        cost: null,
        prompt_tokens_details: null,
        completion_tokens_details: { reasoning_tokens: null },
      },
    ],
    [
      'usage of wrong types',
      {
        prompt_tokens: 'many',
        completion_tokens: {},
        cost: 'NaN',
        prompt_tokens_details: [],
        completion_tokens_details: 7,
      },
    ],
  ]
  const answerWith = (given: unknown) => chunk({}, 'stop', given === undefined ? {} : { usage: given })
  it.each(unusable)('P115: makes no NaN of %s, and counts the request', async (_, given) => {
    const { result } = await play([{ chunks: [chunk({ content: 'Hello.' }), answerWith(given)] }])
    expect(result.usage.requests).toBe(1)
    for (const value of Object.values(result.usage)) expect(value).toSatisfy(Number.isFinite)
    expect(result.usage).not.toHaveProperty('usd')
    expect(JSON.parse(JSON.stringify(result.usage))).toEqual(result.usage)
  })

  it.each(unusable)('P115: says of %s that usage is unknown', async (_, given) => {
    const { result } = await play([{ chunks: [chunk({ content: 'Hello.' }), answerWith(given)] }])
    expect(result.usage.unreported).toBe(1)
  })

  it('P115: counts the requests whose usage is unknown beside those that told it', async () => {
    const { tool } = recorder()
    const { result } = await play(
      [
        { calls: [{ name: 'w' }], usage: null },
        { text: 'End.', usage: { ...usage } },
      ],
      { tools: [tool] },
    )
    expect(result.usage).toMatchObject({
      requests: 2,
      unreported: 1,
      inputTokens: 10,
      usd: 0.5,
    } satisfies Partial<Usage>)
  })
})

describe('errors', () => {
  const callOfW = callChunk({ index: 0, id: 'c1', function: { name: 'w', arguments: '{"n":1}' } })
  const error = { code: 502, message: 'Upstream went away', metadata: { provider_name: 'SomeHost' } }

  it.each([
    ['a chunk without choices', [{ id: 'gen-1', choices: [], error }]],
    ['a bare event', [{ error, user_id: 'u' }]],
    ['a finish of stop', [chunk({}, 'stop', { error }), chunk({ content: '' }, null)]],
    ['the choice', [{ id: 'gen-1', choices: [{ index: 0, delta: {}, finish_reason: 'error', error }] }]],
  ])('P086: takes an error in mid-stream (%s) for an error, and runs no call', async (_, end) => {
    const {
      error: thrown,
      details,
      cause,
      ran,
    } = await fail({ chunks: [chunk({ content: 'Let me ' }), callOfW, ...end] })
    expect(details).toMatchObject({ code: 502, provider: 'SomeHost', retryable: true, partial: { text: 'Let me ' } })
    expect(cause.message).toContain('Upstream went away')
    expect(ran).toEqual([])
    expect(thrown.state.messages).toEqual([{ role: 'user', content: 'Hi' }])
  })

  it('P086: counts what the failed answer cost', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 4, cost: 0.5 }
    const { error: thrown } = await fail({
      chunks: [chunk({ content: 'Let me ' }), { choices: [], error }, { choices: [], usage }],
    })
    expect(thrown.state.usage).toMatchObject({ requests: 1, inputTokens: 10, outputTokens: 4, usd: 0.5 })
  })

  it('P086: takes finish_reason "error" without an error object for an error', async () => {
    const end = {
      choices: [{ index: 0, delta: {}, finish_reason: 'error', native_finish_reason: 'MALFORMED_FUNCTION_CALL' }],
    }
    const { cause, ran } = await fail({ chunks: [chunk({ content: 'Let me ' }), callOfW, end] })
    expect(cause.message).toContain('MALFORMED_FUNCTION_CALL')
    expect(ran).toEqual([])
  })

  it('P088: takes a stream that ends without a finish for incomplete', async () => {
    const { details, ran } = await fail({ chunks: [chunk({ content: 'Once upon' }), callOfW], done: false })
    expect(details).toMatchObject({ code: 'incomplete-stream', retryable: true, partial: { text: 'Once upon' } })
    expect(ran).toEqual([])
  })

  it('P088: takes a socket that closes in mid-stream for an incomplete stream', async () => {
    const server = createServer((request, response) => {
      request.resume().once('end', () => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`data: ${JSON.stringify(chunk({ content: 'Once upon' }))}\n\n`, () => response.socket!.destroy())
      })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL, apiKey: 'k' }) })
    const thrown: unknown = await agent.run('Hi').then(
      () => undefined,
      (caught) => caught,
    )
    if (!isClewError(thrown, 'run')) throw thrown
    expect((thrown.cause as ModelError).details).toMatchObject({
      code: 'incomplete-stream',
      retryable: true,
      partial: { text: 'Once upon' },
    })
  })

  it.each<[string, LocalReply]>([
    ['one JSON text', { body: JSON.stringify({ error: { code: 502, message: 'Bad gateway' }, user_id: 'u' }) }],
    [
      'an event',
      {
        chunks: [': OPENROUTER PROCESSING', { error: { code: 502, message: 'Bad gateway' }, user_id: 'u' }],
        done: false,
      },
    ],
    ['a code that is a text', { body: JSON.stringify({ error: { code: '502', message: 'Bad gateway' } }) }],
  ])('P089: takes status 200 with an error (%s) for a retryable error', async (_, reply) => {
    const { details, cause } = await fail(reply)
    expect(details).toMatchObject({ status: 502, retryable: true })
    expect(String(details.code)).toBe('502')
    expect(cause.message).toContain('Bad gateway')
  })

  it('P090: keeps a finish reason that nobody knew, and takes null for metadata', async () => {
    const end = {
      choices: [
        { index: 0, delta: null, finish_reason: 'guardrail_intervened', native_finish_reason: null, logprobs: 3 },
      ],
      usage: null,
      service_tier: null,
    }
    const { result, events } = await play([
      {
        chunks: [
          {
            ...chunk({ content: 'Hello.', tool_calls: null, annotations: null, images: null, refusal: null }),
            provider: null,
          },
          end,
        ],
      },
    ])
    expect(result).toMatchObject({ status: 'done', text: 'Hello.', finishReason: 'other' })
    expect(eventsOf(events, 'model-end')[0]!.rawFinishReason).toBe('guardrail_intervened')
  })

  it('P090: keeps an unknown finish reason also beside a native one', async () => {
    const end = {
      choices: [{ index: 0, delta: {}, finish_reason: 'guardrail_intervened', native_finish_reason: 'blocked' }],
    }
    const { result, events } = await play([{ chunks: [chunk({ content: 'Hello.' }), end] }])
    expect(result.finishReason).toBe('other')
    expect(eventsOf(events, 'model-end')[0]!.rawFinishReason).toContain('guardrail_intervened')
  })

  it.each([
    ['a text', 'max_tokens is too large'],
    ['JSON text', JSON.stringify({ error: { message: 'max_tokens is too large', type: 'invalid_request_error' } })],
    ['an object', { error: { message: 'max_tokens is too large' } }],
  ])("P092: tells the upstream's own reason (%s) and its name", async (_, raw) => {
    const {
      cause,
      details,
      error: thrown,
    } = await fail({
      status: 400,
      error: { message: 'Provider returned error', code: 400, metadata: { provider_name: 'DeepInfra', raw } },
    })
    for (const message of [cause.message, thrown.message]) expect(message).toMatch(/DeepInfra.*max_tokens is too large/)
    expect(details).toMatchObject({
      status: 400,
      provider: 'DeepInfra',
      retryable: false,
      raw: typeof raw === 'string' ? raw : JSON.stringify(raw),
    })
  })

  it('P095: ends with an empty text and its reason when the last answer is empty', async () => {
    const { tool, ran } = recorder()
    const { result } = await play(
      [
        { text: 'Let me look.', calls: [{ name: 'w' }] },
        { text: '', finishReason: 'stop' },
      ],
      { tools: [tool] },
    )
    expect(ran).toHaveLength(1)
    expect(result).toMatchObject({ status: 'done', text: '', output: '', finishReason: 'stop' })
  })

  it('P095: takes an empty answer without any reason for a failure that may be tried again', async () => {
    const { details } = await fail({ text: '', finishReason: null })
    expect(details).toMatchObject({ code: 'empty-answer', retryable: true })
  })

  it('P096: gives a refusal as such, streamed or whole', async () => {
    const streamed = await play([
      { chunks: [chunk({ content: '', refusal: 'I cannot ' }), chunk({ refusal: 'help.' }), chunk({}, 'stop')] },
    ])
    expect(streamed.result).toMatchObject({ text: '', refusal: 'I cannot help.' })
    const message = { role: 'assistant', content: null, refusal: 'I cannot help.' }
    const whole = await play([
      { body: JSON.stringify({ id: 'gen-1', choices: [{ index: 0, message, finish_reason: 'stop' }] }) },
    ])
    expect(whole.result).toMatchObject({ text: '', refusal: 'I cannot help.' })
    expect((await play(['Hello.'])).result).not.toHaveProperty('refusal')
  })

  it('P096: says nothing of a refusal that an earlier run of the session met', async () => {
    await using server = await startOpenRouter({ respond: [{ refusal: 'I cannot help.' }] })
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }) })
    const session = memorySession()
    expect(await agent.run('Do harm.', { session })).toMatchObject({ refusal: 'I cannot help.' })
    const next = await agent.run('Do good.', { session, limits: { usd: 0 } })
    expect(next).toMatchObject({ status: 'stopped', stop: 'usd', text: '' })
    expect(next).not.toHaveProperty('refusal')
  })
})
