/** A talk with an agent: what the server tells, and what the page makes of it. */
import { Agent, type Json, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { startStudio } from '../src/index.ts'
import { type Entry, follow } from '../src/page/talk-log.ts'
import type { TalkLine } from '../src/wire.ts'
import { openWorld } from './store.ts'

async function talker(agents: Agent[]) {
  const world = await openWorld()
  const studio = await startStudio({ traces: world.traces, agents })
  const say = async (body: object, headers: object = { origin: new URL(studio.url).origin }) => {
    const response = await fetch(`${studio.url}api/talk`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { ...headers },
    })
    const lines = (await response.text()).split('\n').filter(Boolean)
    return { status: response.status, lines: lines.map((line) => JSON.parse(line) as TalkLine) }
  }
  return {
    studio,
    say,
    async [Symbol.asyncDispose]() {
      await studio.close()
      await world[Symbol.asyncDispose]()
    },
  }
}

const shown = (lines: TalkLine[], before: Entry[] = []) => lines.reduce(follow, before)
const outline = (entries: Entry[]) =>
  entries.map((entry) => {
    if (entry.type === 'answer') return `answer ${entry.reasoning}|${entry.text}`
    if (entry.type === 'call') return `call ${entry.agents.join('/')} ${entry.name} ${entry.result}`
    return entry.type === 'need' ? `need ${entry.need.tool}` : entry.type
  })

const pay = (done: Json[]) =>
  tool({
    name: 'pay',
    input: { type: 'object', properties: { euros: { type: 'number' } } },
    needsApproval: true,
    execute: (input) => {
      done.push(input as Json)
      return 'paid'
    },
  })

describe('a talk', () => {
  it('goes on in its session, and streams what happens', async () => {
    const model = scriptedModel([
      { reasoning: 'Hm.', text: 'Hello there', chunks: 3 },
      { calls: [{ name: 'clock' }] },
      'Noon.',
    ])
    const agent = new Agent({ name: 'a', model, tools: [tool({ name: 'clock', execute: () => '12:00' })] })
    await using talk = await talker([agent])
    const first = await talk.say({ agent: 'a', talk: 't', input: 'Hi' })
    expect(outline(shown(first.lines))).toEqual(['answer Hm.|Hello there'])
    const second = await talk.say({ agent: 'a', talk: 't', input: [{ type: 'text', text: 'Time?' }] })
    expect(outline(shown(second.lines))).toEqual(['call  clock 12:00', 'answer |Noon.'])
    expect(model.requests[1]?.messages).toHaveLength(3)
    expect(second.lines.at(-1)).toEqual({ type: 'talk-end', status: 'done', needs: [] })
  })

  it('waits for answers: approved with another input, denied with a reason', async () => {
    const done: Json[] = []
    const both = [
      { name: 'pay', arguments: { euros: 80 } },
      { name: 'pay', arguments: { euros: 9 } },
    ]
    const model = scriptedModel([{ calls: both }, 'Done.'])
    await using talk = await talker([new Agent({ name: 'a', model, tools: [pay(done)] })])
    const first = await talk.say({ agent: 'a', talk: 't', input: 'Pay.' })
    const waiting = shown(first.lines)
    expect(outline(waiting)).toEqual(['need pay', 'need pay'])
    const ids = waiting.flatMap((entry) => (entry.type === 'need' ? [entry.need.id] : []))
    const second = await talk.say({
      agent: 'a',
      talk: 't',
      answers: { [ids[0]!]: { type: 'approve', input: { euros: 8 } } },
    })
    const half = shown(second.lines, waiting)
    expect(outline(half).filter((line) => line.startsWith('need'))).toEqual(['need pay'])
    const third = await talk.say({
      agent: 'a',
      talk: 't',
      answers: { [ids[1]!]: { type: 'deny', reason: 'Too much.' } },
    })
    const all = outline(shown(third.lines, half))
    expect(done).toEqual([{ euros: 8 }])
    expect(all.filter((line) => line.startsWith('need'))).toEqual([])
    expect(all.some((line) => line.includes('Too much.'))).toBe(true)
    expect(all.at(-1)).toBe('answer |Done.')
  })

  it('shows the tools of a sub-agent with the way to them', async () => {
    const clock = tool({ name: 'clock', execute: () => '12:00' })
    const helper = new Agent({
      name: 'helper',
      model: scriptedModel([{ calls: [{ name: 'clock' }] }, 'Noon']),
      tools: [clock],
    })
    const model = scriptedModel([{ calls: [{ name: 'helper', arguments: { task: 'Time?' } }] }, 'Noon.'])
    await using talk = await talker([new Agent({ name: 'a', model, tools: [helper.asTool()] })])
    const { lines } = await talk.say({ agent: 'a', talk: 't', input: 'Time?' })
    expect(outline(shown(lines))).toEqual(['call  helper Noon', 'call a/helper clock 12:00', 'answer |Noon.'])
  })

  it('tells what went wrong, and goes on', async () => {
    const model = scriptedModel([new Error('No credit is left.'), 'Back.'])
    await using talk = await talker([new Agent({ name: 'a', model })])
    const failed = await talk.say({ agent: 'a', talk: 't', input: 'Hi' })
    expect(failed.lines.at(-1)).toMatchObject({
      type: 'talk-failed',
      error: expect.stringContaining('No credit is left.'),
    })
    expect((await talk.say({ agent: 'b', talk: 't', input: 'Hi' })).lines).toEqual([
      { type: 'talk-failed', error: 'There is no agent "b" here.' },
    ])
    expect((await talk.say({ agent: 'a', talk: 'other', input: 'Hi' })).lines.at(-1)).toMatchObject({
      type: 'talk-end',
    })
  })

  it('is for its own page only', async () => {
    const model = scriptedModel(['Hello.'])
    await using talk = await talker([new Agent({ name: 'a', model })])
    for (const headers of [{}, { origin: 'http://evil.example' }, { origin: 'null' }])
      expect(await talk.say({ agent: 'a', talk: 't', input: 'Hi' }, headers)).toEqual({ status: 404, lines: [] })
    expect(model.requests).toEqual([])
  })
})

it('an answer that begins again replaces what was shown of it', () => {
  const text = (text: string): TalkLine => ({ type: 'text-delta', text })
  expect(outline(shown([text('He'), { type: 'model-restart', reason: 'x' }, text('Ho')]))).toEqual(['answer |Ho'])
})
