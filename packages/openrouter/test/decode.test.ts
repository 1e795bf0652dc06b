/** Answers that are none, and reasoning that must stay apart. */
import { isClewError } from '@clew/core'
import { describe, expect, it } from 'vitest'
import { ask } from './ask.ts'

const chunk = (delta: object, finish: string | null = null) => ({
  id: 'gen-1',
  choices: [{ index: 0, delta, finish_reason: finish }],
})

describe('an answer that is none', () => {
  it.each<[string, Parameters<typeof ask>[0], object]>([
    ['nothing, and no reason', { chunks: [chunk({ content: '' })] }, { code: 'empty-answer', retryable: true }],
    ['only [DONE]', { chunks: [] }, { code: 'empty-answer', retryable: true }],
    [
      'calls that got lost',
      { chunks: [chunk({ content: '', tool_calls: [] }, 'tool_calls')] },
      { code: 'lost-calls', retryable: true },
    ],
    ['no JSON in the stream', { chunks: ['{"id":'] }, { code: 'bad-stream', retryable: true }],
    [
      'a page of a gateway',
      { body: '<html><body>Bad gateway</body></html>', status: 502, contentType: 'text/html' },
      { status: 502, retryable: true },
    ],
    ['a page under status 200', { body: '<!doctype html>', contentType: 'text/html' }, { status: 200 }],
    ['an empty body', { body: '' }, { status: 200 }],
    [
      'an error under status 200',
      { body: '{"error":{"code":502,"message":"down"}}' },
      { code: 502, status: 502, retryable: true },
    ],
  ])('%s', async (_, reply, details) => {
    const { error, reply: got } = await ask(reply)
    expect(got).toBeUndefined()
    if (!isClewError(error, 'model')) throw error
    expect(error.details).toMatchObject(details)
    expect(error.message).not.toMatch(/502 502|<html/)
  })

  it('blank events and comments are no answer and no error', async () => {
    const { reply } = await ask({
      body: ': hi\n\ndata: \n\ndata:{"choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]',
      contentType: 'text/event-stream',
    })
    expect(reply).toMatchObject({ content: 'ok', finishReason: 'stop' })
  })
})

describe('reasoning', () => {
  const text = (part: object) =>
    chunk({ reasoning_details: [{ type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0, ...part }] })

  it('two signed blocks of one index stay two', async () => {
    const { reply } = await ask({
      chunks: [
        text({ text: 'A' }),
        text({ signature: 'S1' }),
        text({ text: 'B' }),
        text({ signature: 'S2' }),
        chunk({ content: 'ok' }, 'stop'),
      ],
    })
    expect(reply?.reasoningDetails).toMatchObject([
      { text: 'A', signature: 'S1' },
      { text: 'B', signature: 'S2' },
    ])
  })

  it('an empty list of details is kept as such', async () => {
    const { reply } = await ask({
      chunks: [chunk({ reasoning_details: [], reasoning: 'hm' }), chunk({ content: 'ok' }, 'stop')],
    })
    expect(reply).toMatchObject({ reasoningDetails: [], reasoning: 'hm' })
  })
})
