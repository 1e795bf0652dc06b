/** `plan`: the model's list, which outlives what is compacted. */
import {
  Agent,
  checkHistory,
  type Message,
  type Middleware,
  type ModelRequest,
  memorySession,
  textOf,
  tool,
} from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { compaction, estimateTokens } from '@clew/memory'
import { describe, expect, it } from 'vitest'
import { keepPlan, plan } from '../src/index.ts'
import { resultOf } from './result-of.ts'

const items = (done: number) =>
  ['Read', 'Think', 'Write'].map((text, at) => ({ text, status: at < done ? 'done' : at === done ? 'active' : 'open' }))
const words = (count: number) => 'word '.repeat(count)
const textsOf = ({ messages }: ModelRequest) => messages.map(({ content }) => textOf(content))

describe('plan', () => {
  it('gives the whole list back, and people the items', async () => {
    expect(await resultOf(plan(), { items: items(1) })).toMatchObject({
      text: 'Plan, 1 of 3 done:\n1. [x] Read\n2. [>] Think\n3. [ ] Write',
      view: items(1),
    })
    expect((await resultOf(plan(), { items: [] })).text).toBe('The plan is empty.')
    const lines = [{ text: 'One\n2. [x] Two', status: 'open' }]
    expect((await resultOf(plan(), { items: lines })).text).toBe('Plan, 0 of 1 done:\n1. [ ] One 2. [x] Two')
  })

  it.each([
    [{ items: [{ text: 'Read', status: 'finished' }] }, 'items.0.status'],
    [{ items: [{ text: '', status: 'open' }] }, 'items.0.text'],
    [{ items: Array.from({ length: 51 }, () => ({ text: 'x', status: 'open' })) }, 'items'],
    [{}, 'items'],
  ])('tells the model what does not fit', async (input, path) => {
    const { text, isError } = await resultOf(plan(), input)
    expect(isError).toBe(true)
    expect(text).toContain(path)
  })

  it('can be made again after a crash, and needs no approval where a stranger was read', async () => {
    expect(plan()).toMatchObject({ name: 'plan', effect: 'pure' })
    const page = tool({ name: 'page', effect: 'pure', untrusted: true, execute: () => 'Hello.' })
    const model = scriptedModel([
      { calls: [{ name: 'page' }] },
      { calls: [{ name: 'plan', arguments: { items: [] } }] },
      'Done.',
    ])
    const agent = new Agent({ name: 'a', model, tools: [page, plan()], tightenOnUntrusted: true })
    expect((await agent.run('Read and plan.')).status).toBe('done')
  })
})

/** The user asks `rounds` times in one session; in the rounds of `planned` the model writes its list first, of which so many items are done (-1: an empty one). */
async function talk(use: Middleware, rounds: number, planned: { [round: number]: number }) {
  const session = memorySession()
  let round = 0
  const model = scriptedModel((request): ScriptedReply => {
    const usage = { inputTokens: estimateTokens(request) }
    const isFirst = request.messages.at(-1)?.role === 'user'
    const done = planned[round]
    if (isFirst && done !== undefined)
      return { calls: [{ name: 'plan', arguments: { items: done < 0 ? [] : items(done) } }], usage }
    return { text: words(60), usage }
  })
  for (; round < rounds; round++) {
    // A new agent each time: nothing is kept but the session.
    await new Agent({ name: 'a', model, tools: [plan()], use: [use] }).run(`Question ${round}: ${words(40)}`, {
      session,
    })
  }
  const { events } = await session.read()
  return { requests: model.requests, compacted: events.filter(({ type }) => type === 'compacted').length }
}

const lists = (request: ModelRequest) => textsOf(request).filter((text) => text.includes('Plan, '))

describe('a plan in a conversation that is compacted', () => {
  it('is lost where nobody keeps it', async () => {
    const { requests } = await talk(compaction({ window: 1_000 }), 30, { 0: 1 })
    expect(lists(requests.at(-1)!)).toEqual([])
  })

  it('is seen in every request after it was written, over many compactions', async () => {
    const { requests, compacted } = await talk(keepPlan(compaction({ window: 1_000 })), 60, { 0: 0, 7: 1, 20: 2 })
    expect(compacted).toBeGreaterThan(5)
    for (const [at, request] of requests.entries()) {
      expect(checkHistory(request.messages)).toBeUndefined()
      expect(estimateTokens(request)).toBeLessThan(1_000)
      if (at > 0) expect(lists(request).length).toBeGreaterThan(0)
    }
    expect(lists(requests.at(-1)!)).toEqual([
      '[clew-plan-1: your plan, kept when the conversation was shortened]\nPlan, 2 of 3 done:\n1. [x] Read\n2. [x] Think\n3. [>] Write',
    ])
  })

  it('changes no request between two compactions', async () => {
    const { requests, compacted } = await talk(keepPlan(compaction({ window: 1_000 })), 40, { 0: 0, 9: 1 })
    const bodies = requests.map(({ messages }) => JSON.stringify(messages).slice(0, -1))
    expect(bodies.filter((body, at) => at > 0 && !body.startsWith(bodies[at - 1]!))).toHaveLength(compacted)
  })

  it('goes behind a summary, before what the user said last', async () => {
    const summariser = scriptedModel(() => ({ text: 'They asked.', usage: { inputTokens: 1 } }))
    const { requests } = await talk(keepPlan(compaction({ window: 1_000, summariser })), 12, { 0: 1 })
    const roles = requests.at(-1)!.messages
    expect(textOf(roles[0]!.content)).toContain('They asked.')
    expect(textOf(roles[1]!.content)).toContain('Plan, 1 of 3 done:')
    expect(textOf(roles.at(-1)!.content)).toContain('Question 11')
  })

  it('that is empty by now is not kept', async () => {
    const { requests, compacted } = await talk(keepPlan(compaction({ window: 1_000 })), 30, { 0: 1, 1: -1 })
    expect(compacted).toBeGreaterThan(0)
    expect(textsOf(requests.at(-1)!).join()).not.toContain('lan')
  })
})

describe('keepPlan', () => {
  const call = (id: string, name = 'plan'): Message => ({
    role: 'assistant',
    content: '',
    toolCalls: [{ id, wireId: id, name, arguments: '{}' }],
  })
  const result = (callId: string, content: string, isError?: true): Message => ({
    role: 'tool',
    callId,
    name: 'plan',
    content,
    ...(isError && { isError }),
  })
  const note: Message = { role: 'user', content: 'What was before.' }
  const later: Message = { role: 'user', content: 'And now?' }
  const compacted = (made: { upTo: number; replacement: Message[] }, messages: Message[]) =>
    keepPlan({ name: 'c', compact: () => made }).compact!({ messages, tools: [], signal: new AbortController().signal })

  it('puts a list that was shortened back into its result', async () => {
    const whole = result('1', 'Plan, 0 of 1 done:\n1. [ ] Read')
    const made = { upTo: 2, replacement: [call('1'), result('1', 'Plan, 0')] }
    expect(await compacted(made, [call('1'), whole, later])).toEqual({ upTo: 2, replacement: [call('1'), whole] })
  })

  it('takes the latest list, and none that was refused', async () => {
    const messages = [
      call('1'),
      result('1', 'Plan:\nold'),
      call('2'),
      result('2', 'Plan:\nnew'),
      call('3'),
      result('3', 'Plan:\nno', true),
      later,
    ]
    const made = await compacted({ upTo: 6, replacement: [note] }, messages)
    expect(made?.replacement.map(({ content }) => content)).toEqual([
      note.content,
      expect.stringMatching(/\nPlan:\nnew$/),
    ])
  })

  it('puts the list before what the user said since', async () => {
    const messages = [call('1'), result('1', 'Plan:\nnew'), later, { ...later }]
    const made = await compacted({ upTo: 3, replacement: [note, later] }, messages)
    expect(made?.replacement.map(({ content }) => content)).toEqual([
      note.content,
      expect.stringMatching(/Plan/),
      later.content,
    ])
  })

  it('puts nothing beside a list that was kept before and still stands', async () => {
    const kept = await compacted({ upTo: 2, replacement: [note] }, [call('1'), result('1', 'Plan:\nnew'), later])
    const messages = [...kept!.replacement, later]
    const made = { upTo: 2, replacement: [kept!.replacement[1]!] }
    expect(await compacted(made, messages)).toBe(made)
  })

  it('leaves a list alone that stands behind the compacted part', async () => {
    const made = { upTo: 1, replacement: [note] }
    expect(await compacted(made, [later, call('1'), result('1', 'Plan:\nnew')])).toEqual(made)
  })

  it('says nothing where nothing was compacted', async () => {
    expect(await compacted(undefined as never, [call('1'), result('1', 'Plan:\nnew')])).toBeUndefined()
  })

  it('keeps a compaction whose tools are others as it is', async () => {
    const made = { upTo: 1, replacement: [note] }
    expect(await compacted(made, [later])).toBe(made)
  })

  it('refuses a middleware that compacts nothing', () => {
    expect(() => keepPlan({ name: 'redact' })).toThrow('middleware "redact" has no compact()')
  })

  it('keeps the other layers of the middleware', () => {
    const result = (content: unknown) => content as string
    expect(keepPlan({ name: 'c', compact: () => undefined, result })).toMatchObject({ name: 'c', result })
  })
})

it('a plan that is written in a long piece of work is there after an overflow', async () => {
  const read = tool({ name: 'read', effect: 'pure', execute: () => words(1_000) })
  let turn = 0
  const model = scriptedModel((request): ScriptedReply => {
    const inputTokens = estimateTokens(request)
    turn += 1
    if (turn === 1) return { calls: [{ name: 'plan', arguments: { items: items(0) } }], usage: { inputTokens } }
    if (turn < 12) return { calls: [{ name: 'read' }], usage: { inputTokens } }
    return { text: 'Done.', usage: { inputTokens } }
  })
  model.contextTokens = () => 6_000
  const use = [keepPlan(compaction())]
  await new Agent({ name: 'a', model, tools: [plan(), read], use }).run('Read all of it.')
  expect(lists(model.requests.at(-1)!)).toHaveLength(1)
})
