/** Acceptance rows on reasoning: what the model thought comes back to it whole, once, and nowhere else. */
import { Agent, isClewError, type LoggedEvent, memorySession, tool } from '@clew/core'
import { type LocalAnswer, startOpenRouter } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import { defaultModel, openrouter } from '../src/index.ts'
import { callChunk, chunk, eventsOf, play, prefixOf, sent } from './play.ts'

const look = tool({ name: 'look', effect: 'pure', execute: () => 'seen' })
const callLook = callChunk({ index: 0, id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } })

/** A turn with signed reasoning, as Claude gives it. */
const signed = (text: string, ids: string[], signature = `sig-${text}`): LocalAnswer => ({
  reasoningDetails: [{ type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0, text, signature }],
  calls: ids.map((id) => ({ id, name: 'look' })),
})
const block = (text: string) => signed(text, []).reasoningDetails![0]

/** What goes back after a streamed turn of these fragments and a call. */
async function replayed(...fragments: object[]): Promise<unknown> {
  const chunks = fragments.map((fragment) => chunk({ role: 'assistant', content: '', reasoning_details: [fragment] }))
  const { bodies } = await play([{ chunks: [...chunks, callLook, chunk({}, 'tool_calls')] }, 'End.'], { tools: [look] })
  return sent(bodies[1], 'assistant')[0]?.reasoning_details
}

const occurrences = (text: string, part: string) => text.split(part).length - 1

describe('reasoning', () => {
  it('P001: sends reasoning_details back deep-equal and in order, beside the calls that they led to', async () => {
    const details = [
      { type: 'reasoning.summary', format: 'openai-responses-v1', index: 0, summary: 'I ask the tool.' },
      { type: 'reasoning.encrypted', format: 'openai-responses-v1', index: 0, id: 'rs_1', data: 'gAAAA==' },
      {
        type: 'reasoning.text',
        format: null,
        index: 1,
        future: { deep: [1, null] },
        text: ' Let  me\n',
        signature: 'EqA1',
      },
      { type: 'reasoning.of_tomorrow', payload: [{ a: 1 }], id: null },
    ]
    const { bodies } = await play([{ reasoningDetails: details, calls: [{ id: 'c1', name: 'look' }] }, 'End.'], {
      tools: [look],
    })
    expect(bodies[1]!.messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: null,
        reasoning_details: details,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'seen' },
    ])
  })

  it('P001: sends back the details of an answer that was not streamed, in the order of its keys', async () => {
    const details = [
      { type: 'reasoning.text', text: 'Hm.', signature: 'EqA1', format: 'anthropic-claude-v1', index: 0, id: null },
    ]
    const message = {
      role: 'assistant',
      content: '',
      reasoning: 'Hm.',
      reasoning_details: details,
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
    }
    const body = JSON.stringify({ id: 'gen-1', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] })
    const { texts } = await play([{ body }, 'End.'], { tools: [look] })
    expect(texts[1]).toContain(`"reasoning_details":${JSON.stringify(details)}`)
  })

  it('P001: sends back an empty list of details, which is a value too', async () => {
    const { bodies } = await play(
      [{ chunks: [chunk({ reasoning: 'Hm.', reasoning_details: [] }), callLook, chunk({}, 'tool_calls')] }, 'End.'],
      { tools: [look] },
    )
    expect(sent(bodies[1], 'assistant')[0]).toHaveProperty('reasoning_details', [])
  })

  it('P002: replays the fragments of one block as one block, its signature complete', async () => {
    const shared = { type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0 }
    const details = await replayed(
      { ...shared, text: 'Let' },
      { ...shared, text: ' me…' },
      { ...shared, signature: 'EqA1==' },
    )
    expect(details).toEqual([{ ...shared, text: 'Let me…', signature: 'EqA1==' }])
  })

  it('P003: keeps a summary and an encrypted block of one index apart', async () => {
    const summary = { type: 'reasoning.summary', format: 'openai-responses-v1', index: 0 }
    const encrypted = { type: 'reasoning.encrypted', format: 'openai-responses-v1', index: 0, id: 'rs_1', data: 'x9' }
    const details = await replayed({ ...summary, summary: 'A' }, { ...summary, summary: 'B' }, encrypted)
    expect(details).toEqual([{ ...summary, summary: 'AB' }, encrypted])
  })

  it('P003: keeps two pairs of summary and encrypted block in their order', async () => {
    const pair = (id: string) => [
      { type: 'reasoning.summary', index: 0, summary: `why ${id}` },
      { type: 'reasoning.encrypted', index: 0, id, data: `data of ${id}` },
    ]
    expect(await replayed(...pair('rs_1'), ...pair('rs_2'))).toEqual([...pair('rs_1'), ...pair('rs_2')])
  })

  it('P005: sends each block once, beside parallel calls and over five turns', async () => {
    const turns = [1, 2, 3, 4, 5].map((turn) => signed(`thought-${turn}.`, [`a${turn}`, `b${turn}`]))
    const { bodies, texts } = await play([...turns, 'End.'], { tools: [look] })
    expect(sent(bodies[1], 'assistant')).toMatchObject([
      { reasoning_details: [block('thought-1.')], tool_calls: [{ id: 'a1' }, { id: 'b1' }] },
    ])
    for (const turn of [1, 2, 3, 4, 5]) {
      expect(occurrences(texts[5]!, `"text":"thought-${turn}."`)).toBe(1)
      expect(occurrences(texts[5]!, `sig-thought-${turn}.`)).toBe(1)
    }
  })

  it('P006: shows reasoning once when a chunk carries it in both fields', async () => {
    const both = { reasoning: 'Think.', reasoning_details: [{ type: 'reasoning.text', text: 'Think.', index: 0 }] }
    const { events } = await play([{ chunks: [chunk(both), chunk({ content: 'Hello.' }), chunk({}, 'stop')] }])
    expect(eventsOf(events, 'reasoning-delta').map((event) => event.text)).toEqual(['Think.'])
    expect(eventsOf(events, 'model-end')[0]!.message).toMatchObject({ content: 'Hello.', reasoning: 'Think.' })
  })

  it('P007: shows nothing of an encrypted block, and replays it', async () => {
    const encrypted = {
      type: 'reasoning.encrypted',
      data: 'gAAAABo=',
      id: 'rs_9',
      format: 'openai-responses-v1',
      index: 0,
    }
    const { events, bodies } = await play(
      [
        {
          chunks: [
            chunk({ content: '', reasoning: null, reasoning_details: [encrypted] }),
            callLook,
            chunk({}, 'tool_calls'),
          ],
        },
        'End.',
      ],
      { tools: [look] },
    )
    expect(eventsOf(events, 'reasoning-delta')).toEqual([])
    expect(eventsOf(events, 'model-end')[0]!.message.reasoning ?? '').toBe('')
    expect(sent(bodies[1], 'assistant')[0]!.reasoning_details).toEqual([encrypted])
  })

  it('P008: drops the unsigned block of an answer that was aborted, and the talk goes on', async () => {
    const half = { type: 'reasoning.text', text: 'Half a thought', format: 'anthropic-claude-v1', index: 0 }
    const slow = {
      chunks: [
        chunk({ content: '', reasoning: half.text, reasoning_details: [half] }),
        ...Array(200).fill(': OPENROUTER PROCESSING'),
      ],
      pace: 50,
    }
    await using server = await startOpenRouter({ respond: [slow, 'Here I am.'] })
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }) })
    const session = memorySession()
    const run = agent.run('Think hard.', { session })
    const iterate = async () => {
      for await (const event of run) if (event.type === 'reasoning-delta') run.abort()
    }
    await expect(iterate()).rejects.toSatisfy((error) => isClewError(error, 'abort'))
    const next = await agent.run('Never mind. Are you there?', { session })
    expect(next.text).toBe('Here I am.')
    expect(server.requests[1]!.text).not.toContain('Half a thought')
    expect(sent(server.requests[1]!.body, 'user').map((message) => message.content)).toEqual([
      'Think hard.',
      'Never mind. Are you there?',
    ])
  })

  it('P008: drops the unsigned block of an answer that was cut at its length, and keeps signed ones', async () => {
    const shared = { type: 'reasoning.text', format: 'anthropic-claude-v1' }
    const whole = { ...shared, index: 0, text: 'Whole', signature: 'EqA1' }
    const half = { ...shared, index: 1, text: 'Half' }
    const cut = [
      chunk({ reasoning_details: [whole] }),
      chunk({ reasoning_details: [half] }),
      chunk({ content: 'I' }),
      chunk({}, 'length'),
    ]
    await using server = await startOpenRouter({ respond: [{ chunks: cut }, 'Yes.'] })
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }) })
    const session = memorySession()
    await agent.run('Think.', { session })
    await agent.run('Go on.', { session })
    expect(sent(server.requests[1]!.body, 'assistant')).toEqual([
      { role: 'assistant', content: 'I', reasoning_details: [whole] },
    ])
  })

  it.each([
    [
      'details',
      { reasoning: 'Secret plan', reasoning_details: [{ type: 'reasoning.text', text: 'Secret plan', index: 0 }] },
    ],
    ['reasoning', { reasoning: 'Secret plan' }],
    ['reasoning_content', { reasoning_content: 'Secret plan' }],
  ])('P010: never replays reasoning (%s) as text', async (_, delta) => {
    const { bodies } = await play(
      [{ chunks: [chunk(delta), chunk({ content: 'Let me look.' }), callLook, chunk({}, 'tool_calls')] }, 'End.'],
      { tools: [look] },
    )
    expect(sent(bodies[1], 'assistant').map((message) => message.content)).toEqual(['Let me look.'])
    for (const { content } of bodies[1]!.messages) expect(JSON.stringify(content)).not.toMatch(/Secret plan|<think/)
  })

  it('P011: drops the details together with the turn that held them, and keeps those of other turns', async () => {
    const first = await play([signed('one', ['a1']), signed('two', ['a2']), 'End.'], { tools: [look] })
    const [question, , , ...kept] = first.result.state.messages
    const { bodies } = await play(['Yes.'], {
      tools: [look],
      input: [question!, ...kept, { role: 'user', content: 'And?' }],
    })
    expect(bodies[0]!.messages.map((message) => message.role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ])
    expect(sent(bodies[0], 'assistant')[0]).toMatchObject({
      reasoning_details: [block('two')],
      tool_calls: [{ id: 'a2' }],
    })
    expect(JSON.stringify(bodies[0])).not.toContain('sig-one')
  })

  it('P012: keeps the details through a session saved as JSON and read again', async () => {
    await using server = await startOpenRouter({ respond: [signed('one', ['a1', 'b1']), 'End.', 'Again.'] })
    const make = () =>
      new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }), tools: [look] })
    const session = memorySession('s')
    await make().run('Look.', { session })
    const saved = JSON.parse(JSON.stringify((await session.read()).events)) as LoggedEvent[]
    const result = await make().run('And again?', { session: memorySession('s', saved) })
    expect(result.text).toBe('Again.')
    expect(sent(server.requests[2]!.body, 'assistant')[0]!.reasoning_details).toEqual([block('one')])
    expect(server.requests[2]!.text).toContain(prefixOf(server.requests[1]!.text))
  })

  it('P012: keeps the details through a bare state saved as JSON', async () => {
    const ask = tool({ name: 'look', needsApproval: true, execute: () => 'seen' })
    await using server = await startOpenRouter({ respond: [signed('one', ['a1']), 'End.'] })
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }), tools: [ask] })
    const paused = await agent.run('Look.')
    if (paused.status !== 'waiting') throw new Error(paused.status)
    const result = await agent.resume(JSON.parse(JSON.stringify(paused.state)), {
      [paused.needs[0]!.id]: { type: 'approve' },
    })
    expect(result.text).toBe('End.')
    expect(sent(server.requests[1]!.body, 'assistant')[0]!.reasoning_details).toEqual([block('one')])
  })

  it('P013: says nothing of reasoning unless it was set, but for the default model', async () => {
    const keys = async (model: string, settings = {}) => (await play(['Hello.'], { model, settings })).bodies[0]!
    for (const key of ['reasoning', 'reasoning_effort', 'include_reasoning'])
      expect(await keys('openai/gpt-5')).not.toHaveProperty(key)
    expect((await keys(defaultModel)).reasoning).toEqual({ enabled: true })
    expect((await keys(`${defaultModel}:free`)).reasoning).toEqual({ enabled: true })
    expect((await keys(defaultModel, { reasoning: { enabled: false } })).reasoning).toEqual({ enabled: false })
    expect((await keys('openai/gpt-5', { reasoning: { effort: 'low' } })).reasoning).toEqual({ effort: 'low' })
  })

  it('P014: shows reasoning_content', async () => {
    const pieces = ['I ', 'think', '.']
    const chunks = pieces.map((reasoning_content) => chunk({ content: null, reasoning_content }))
    const { events, result } = await play([{ chunks: [...chunks, chunk({ content: 'Hello.' }), chunk({}, 'stop')] }])
    expect(eventsOf(events, 'reasoning-delta').map((event) => event.text)).toEqual(pieces)
    expect(result.state.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'Hello.', reasoning: 'I think.' })
  })
})
