/** How many tokens a request is taken to have. */
import type { ContentPart, Message } from '@clew/core'
import { describe, expect, it } from 'vitest'
import { estimateMessage, estimateNextTokens, estimateTokens } from '../src/index.ts'

const user = (content: string | ContentPart[]): Message => ({ role: 'user', content })
/** Without what each message has. */
const ofText = (text: string) => estimateMessage(user(text)) - 4
const assistant = (rest: object): Message => ({ role: 'assistant', content: '', ...rest })

describe('an estimate', () => {
  it('counts ASCII by three and a half characters, other alphabets by two, all else by one', () => {
    expect(ofText('')).toBe(0)
    expect(ofText('x'.repeat(350))).toBe(100)
    expect(ofText('x')).toBe(1)
    expect(ofText('ж'.repeat(100))).toBe(50)
    expect(ofText('é\u08ff')).toBe(1)
    expect(ofText('天気'.repeat(50))).toBe(100)
    expect(ofText('\u0900')).toBe(1)
    expect(ofText('🧶')).toBe(2)
    expect(ofText('xxxxxxx天жж')).toBe(4)
  })

  it('counts what stands behind a URL with a flat figure, however long it is', () => {
    const data = 'A'.repeat(100_000)
    const parts: [ContentPart, number][] = [
      [{ type: 'image', url: `data:image/png;base64,${data}` }, 1_500],
      [{ type: 'file', filename: 'a.pdf', data }, 3_000],
      [{ type: 'audio', data, format: 'wav' }, 1_500],
      [{ type: 'video', url: 'https://example.org/a.mp4' }, 5_000],
      [{ type: 'text', text: 'x'.repeat(35) }, 10],
    ]
    for (const [part, tokens] of parts) expect(estimateMessage(user([part]))).toBe(4 + tokens)
    expect(estimateMessage(user(parts.map(([part]) => part)))).toBe(4 + 11_010)
  })

  it('counts calls, and reasoning by its details or else by its text', () => {
    expect(estimateMessage(assistant({}))).toBe(4)
    const toolCalls = [
      { id: 'a', wireId: 'b', name: 'x'.repeat(7), arguments: 'x'.repeat(70), raw: { arguments: 'x'.repeat(999) } },
    ]
    expect(estimateMessage(assistant({ toolCalls: [...toolCalls, ...toolCalls] }))).toBe(4 + 2 * (10 + 2 + 20))
    const detail = { type: 'reasoning.text', text: 'x'.repeat(350) }
    const ofDetail = Math.ceil(JSON.stringify(detail).length / 3.5)
    expect(estimateMessage(assistant({ reasoningDetails: [detail, detail], reasoning: 'x'.repeat(999) }))).toBe(
      4 + 2 * ofDetail,
    )
    expect(estimateMessage(assistant({ reasoning: 'x'.repeat(35) }))).toBe(14)
  })

  it('counts instructions and tools of a request', () => {
    const parameters = { type: 'object', properties: { a: { type: 'string' } } }
    const messages = [user('x'.repeat(35)), user('y')]
    expect(estimateTokens({ messages, tools: [] })).toBe(14 + 5)
    expect(estimateTokens({ messages: [], instructions: 'x'.repeat(35), tools: [] })).toBe(14)
    expect(estimateTokens({ messages: [], instructions: '', tools: [] })).toBe(0)
    const ofSchema = Math.ceil(JSON.stringify(parameters).length / 3.5)
    const tools = [
      { name: 'x'.repeat(7), description: 'x'.repeat(70), parameters },
      { name: 'x', parameters: {} },
    ]
    expect(estimateTokens({ messages: [], tools })).toBe(10 + 2 + 20 + ofSchema + 10 + 1 + 1)
  })

  it('builds on what the provider told of an earlier request', () => {
    const messages = [user('x'.repeat(3_500)), user('y'.repeat(35)), user('z')]
    expect(estimateNextTokens({ inputTokens: 2_000, messages: 1 }, messages)).toBe(2_000 + 14 + 5)
    expect(estimateNextTokens({ inputTokens: 2_000, messages: 3 }, messages)).toBe(2_000)
  })
})
