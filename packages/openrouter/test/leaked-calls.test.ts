/** Calls and reasoning that stand in the text of an answer (sections 9.3 and 14 of the wire contract). */
import { type Tool, tool } from '@clew/core'
import { startOpenRouter } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compatible } from '../src/index.ts'
import { ThinkTags } from '../src/think-tags.ts'
import { aRequest } from './ask.ts'
import { chunk, eventsOf, play } from './play.ts'

const ran: unknown[] = []
const write = tool({
  name: 'write',
  input: z.object({ path: z.string(), lines: z.number().optional(), tags: z.array(z.string()).optional() }),
  execute: (input) => void ran.push(input),
}) as Tool<never, unknown>

async function inputs(text: string, extra: object = {}) {
  ran.length = 0
  const { result, events, bodies } = await play([{ text, ...extra }, 'Done.'], { tools: [write] })
  return { ran: [...ran], result, events, bodies }
}

describe('a call in the text', () => {
  it.each<[string, string, object[]]>([
    [
      'in the syntax of Qwen, with values typed by the schema',
      '<tool_call>\n<function=write>\n<parameter=path>\n42\n</parameter>\n<parameter=lines>\n7\n</parameter>\n<parameter=tags>\n["a"]\n</parameter>\n</function>\n</tool_call>',
      [{ path: '42', lines: 7, tags: ['a'] }],
    ],
    [
      'without its outer tag',
      '<function=write>\n<parameter=path>\na\nb\n</parameter>\n</function>',
      [{ path: 'a\nb' }],
    ],
    ['as JSON', '<tool_call>{"name": "write", "arguments": {"path": "x"}}</tool_call>', [{ path: 'x' }]],
    [
      'behind words, and several of them',
      'I will write.\n\n<tool_call>{"name":"write","arguments":{"path":"x"}}</tool_call>\n<tool_call>{"name":"write","arguments":{"path":"y"}}</tool_call>\n',
      [{ path: 'x' }, { path: 'y' }],
    ],
  ])('%s runs', async (_, text, expected) => {
    const { ran, events, bodies } = await inputs(text)
    expect(ran).toEqual(expected)
    const starts = eventsOf(events, 'tool-input-start').map(({ id }) => id)
    expect(starts).toEqual(eventsOf(events, 'tool-start').map(({ id }) => id))
    expect(JSON.stringify(bodies[1]!.messages)).not.toMatch(/tool_call>|<function/)
    expect(bodies[1]!.messages[1]!.tool_calls).toHaveLength(expected.length)
  })

  it('that is not closed goes back to the model as a call that cannot be read', async () => {
    const { ran, bodies } = await inputs('<tool_call>\n<function=write>\n<parameter=path>\nhalf')
    expect(ran).toEqual([])
    expect(bodies[1]!.messages.at(-1)).toMatchObject({ role: 'tool', content: expect.stringMatching(/JSON/) })
  })

  it.each([
    ['is talked about', 'Qwen writes <tool_call>{"name":"write","arguments":{}}</tool_call> and then waits.'],
    ['names no tool of the request', '<tool_call>{"name":"rm","arguments":{}}</tool_call>'],
    ['is something else', '<tool_call>later</tool_call>'],
  ])('that %s stays text', async (_, text) => {
    const { ran, result } = await inputs(text)
    expect(ran).toEqual([])
    expect(result.text).toBe(text)
  })

  it('of an answer that was cut, or that has calls, stays text as well', async () => {
    const text = '<tool_call>{"name":"write","arguments":{"path":"x"}}</tool_call>'
    expect((await inputs(text, { finishReason: 'length' })).ran).toEqual([])
    const both = await inputs(text, { calls: [{ name: 'write', arguments: { path: 'real' } }] })
    expect(both.ran).toEqual([{ path: 'real' }])
  })
})

describe('reasoning in the content', () => {
  it('of LM Studio is taken out, wherever the stream is cut', async () => {
    const content = '<think>\nTwo and <two>…\n</think>\n\nFour </think> four'
    for (let cut = 1; cut < content.length; cut++) {
      const chunks = [content.slice(0, cut), content.slice(cut)].map((piece) => chunk({ content: piece }))
      await using server = await startOpenRouter({ respond: [{ chunks: [...chunks, chunk({}, 'stop')] }] })
      const model = compatible({ profile: 'lmstudio', baseURL: server.url, apiKey: 'k' })('m')
      const answer = model.generate(aRequest())
      let next = await answer.next()
      while (!next.done) next = await answer.next()
      expect(next.value).toMatchObject({
        content: 'Four </think> four',
        reasoning: expect.stringMatching(/^\s*Two and <two>…\s*$/),
      })
    }
  })

  it.each([
    [['Hello'], '', 'Hello'],
    [['<thi'], '', '<thi'],
    [['<th', 'ing>'], '', '<thing>'],
    [['<think>never', ' closed'], 'never closed', ''],
    [['<think>a</', 'think>', '\n', '\nb'], 'a', 'b'],
  ])('%j is the reasoning %j and the text %j', (pieces, reasoning, text) => {
    const tags = new ThinkTags()
    const shown = [...pieces.map((piece) => tags.push(piece)), tags.end()]
    expect(shown.map((each) => each.reasoning).join('')).toBe(reasoning)
    expect(shown.map((each) => each.text).join('')).toBe(text)
  })
})
