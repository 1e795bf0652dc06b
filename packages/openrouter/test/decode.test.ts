/** Answers that are none, and reasoning that must stay apart. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isClewError } from '@clew/core'
import { startOpenRouter } from '@clew/testing'
import { describe, expect, it, vi } from 'vitest'
import { openrouter } from '../src/index.ts'
import { aRequest, ask } from './ask.ts'

const chunk = (delta: object, finish: string | null = null) => ({
  id: 'gen-1',
  choices: [{ index: 0, delta, finish_reason: finish }],
})

describe('an answer that is none', () => {
  it.each<[string, Parameters<typeof ask>[0], object]>([
    ['nothing, and no reason', { chunks: [chunk({ content: '' })] }, { code: 'empty-answer', retryable: true }],
    ['only [DONE]', { chunks: [] }, { code: 'no-choice', retryable: true }],
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

describe('a server that does not close', () => {
  const finish = { ...chunk({ content: '' }, 'stop'), usage: { prompt_tokens: 1, completion_tokens: 1 } }

  it.each<[string, object[], object, string?]>([
    [
      'after finish and usage: the answer is taken',
      [chunk({ content: 'whole' }), finish],
      { reply: { content: 'whole' } },
    ],
    [
      'after finish and usage, with signs of life: the answer is taken',
      [chunk({ content: 'whole' }), finish],
      { reply: { content: 'whole' } },
      ': OPENROUTER PROCESSING\n\n',
    ],
    [
      'after an error: the error is told',
      [{ error: { code: 502, message: 'down' } }],
      { error: { details: { code: 502 } } },
    ],
  ])('%s', async (_, chunks, expected, comment) => {
    // Its last piece never comes: the stream stays open until the client leaves.
    const open = createServer((request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const each of chunks) response.write(`data: ${JSON.stringify(each)}\n\n`)
      const signs = comment && setInterval(() => response.write(comment), 500)
      response.on('close', () => signs && clearInterval(signs))
    })
    await new Promise<void>((resolve) => open.listen(0, '127.0.0.1', resolve))
    const baseURL = `http://127.0.0.1:${(open.address() as AddressInfo).port}/v1`
    expect(await ask('unused', {}, { baseURL })).toMatchObject(expected)
    open.closeAllConnections()
    open.close()
  })

  it('an empty finish reason is none, and a connection that breaks after the end breaks nothing', async () => {
    const begun = { ...chunk({ content: 'Hello ' }, ''), usage: finish.usage }
    expect((await ask({ chunks: [begun], done: false })).error).toMatchObject({
      details: { code: 'incomplete-stream', partial: { text: 'Hello ' } },
    })
    const broken = createServer((request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const pieces = [chunk({ content: 'whole' }), finish].map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')
      response.write(pieces, () => setImmediate(() => response.destroy()))
    })
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
    const baseURL = `http://127.0.0.1:${(broken.address() as AddressInfo).port}/v1`
    const { reply, error } = await ask('unused', {}, { baseURL })
    // Whether the pieces or the break came first is the network's choice; half an answer is never taken for a whole one.
    if (reply) expect(reply).toMatchObject({ content: 'whole', finishReason: 'stop' })
    else expect(error).toMatchObject({ details: { retryable: true } })
    broken.close()
  })

  it('loses nothing to a slow reader of an answer that says its end in every piece', async () => {
    const pieces = ['a', 'b', 'c'].map((content) => ({
      ...finish,
      choices: [{ index: 0, delta: { content }, finish_reason: 'stop' }],
    }))
    await using server = await startOpenRouter({ respond: [{ chunks: pieces, pace: 30 }] })
    const answer = openrouter('m/x', { baseURL: server.url, apiKey: 'k', retries: 0 }).generate(aRequest())
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await answer.next()
    // The reader takes an hour over the first piece.
    await vi.advanceTimersByTimeAsync(3_600_000)
    vi.useRealTimers()
    let text = 'a'
    for (;;) {
      const next = await answer.next()
      if (next.done) break
      text += next.value.map((delta) => ('text' in delta ? delta.text : '')).join('')
    }
    expect(text).toBe('abc')
  })
})

describe('a stream that ends with the whole message', () => {
  it.each([
    ['text', { content: 'Hello' }, { content: 'Hello' }],
    [
      'a call',
      { content: '', tool_calls: [{ index: 0, id: 'c1', function: { name: 'w', arguments: '{}' } }] },
      { content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'w', arguments: '{}' } }] },
    ],
  ])('has its %s once', async (_, delta, message) => {
    const { reply } = await ask({
      chunks: [chunk(delta), { id: 'gen-1', choices: [{ index: 0, message, finish_reason: 'stop' }] }],
    })
    expect(reply!.content).toBe(delta.content)
    expect(reply!.toolCalls ?? []).toHaveLength('tool_calls' in delta ? 1 : 0)
  })
})
