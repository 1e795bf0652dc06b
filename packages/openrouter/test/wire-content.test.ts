/** What a request holds, byte for byte. */
import { Agent, type Message, memorySession, tool } from '@clew/core'
import { startOpenRouter } from '@clew/testing'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { openrouter } from '../src/index.ts'
import { ask } from './ask.ts'

const messagesOf = async (messages: Message[], instructions?: string) =>
  (await ask('ok', { messages, ...(instructions !== undefined && { instructions }) })).body.messages

describe('messages on the wire', () => {
  it('P141: one system message at most, and first: instructions and leading ones together, later ones as user text', async () => {
    const system = (content: string): Message => ({ role: 'system', content })
    const user: Message = { role: 'user', content: 'Hi' }
    expect(await messagesOf([system('B'), user, system('C')], 'A')).toEqual([
      { role: 'system', content: 'A\n\nB' },
      { role: 'user', content: 'Hi' },
      { role: 'user', content: 'C' },
    ])
    const session = memorySession()
    await using server = await startOpenRouter({ respond: ['1', '2', '3', '4', '5'] })
    const agent = new Agent({
      name: 'a',
      model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }),
      instructions: 'Be brief.',
    })
    for (const question of ['a', 'b', 'c', 'd', 'e']) await agent.run(question, { session })
    const roles = server.requests[4]!.body.messages.map((message) => message.role)
    expect(roles.filter((role) => role === 'system')).toHaveLength(1)
    expect(roles[0]).toBe('system')
  })

  it('every kind of part has its shape, and texts stay apart', async () => {
    expect(
      await messagesOf([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'one' },
            { type: 'text', text: 'two' },
            { type: 'image', url: 'https://x.example/a.png', detail: 'high' },
            { type: 'file', filename: 'a.pdf', data: 'https://x.example/a.pdf' },
            { type: 'audio', data: 'AAAA', format: 'wav' },
            { type: 'video', url: 'https://x.example/a.mp4' },
          ],
        },
        { role: 'user', content: [{ type: 'text', text: 'alone' }] },
      ]),
    ).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
          { type: 'image_url', image_url: { url: 'https://x.example/a.png', detail: 'high' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'https://x.example/a.pdf' } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
          { type: 'video_url', video_url: { url: 'https://x.example/a.mp4' } },
        ],
      },
      { role: 'user', content: 'alone' },
    ])
  })

  it('strict tools and the shape of the output are sent', async () => {
    const output = { type: 'object', properties: { a: { type: 'string' } } }
    const parameters = { type: 'object', properties: {}, additionalProperties: false }
    const { body } = await ask('{}', {
      output,
      tools: [{ name: 't', description: 'd', parameters, strict: true }],
      toolChoice: 't',
    })
    expect(body).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'output', schema: output } },
      tools: [{ type: 'function', function: { name: 't', description: 'd', parameters, strict: true } }],
      tool_choice: { type: 'function', function: { name: 't' } },
    })
  })

  it('each message is serialised once in the life of a conversation', async () => {
    let reads = 0
    let readsBefore: number | undefined
    const counting = {
      role: 'user',
      get content() {
        reads += 1
        return 'Hi'
      },
    } as const
    const messages: Message[] = [counting]
    await using server = await startOpenRouter({ respond: ['a', 'b', 'c'] })
    const model = openrouter('m/x', { baseURL: server.url, apiKey: 'k' })
    const texts: string[] = []
    for (let turn = 0; turn < 3; turn++) {
      for await (const _ of model.generate({
        messages: [...messages],
        tools: [],
        signal: new AbortController().signal,
      }))
        void _
      messages.push({ role: 'assistant', content: String(turn) }, { role: 'user', content: 'more' })
      texts.push(server.requests[turn]!.text.replace(/\],"stream":true\}$/, ''))
      readsBefore ??= reads
    }
    expect(reads).toBe(readsBefore)
    expect(texts[2]!.startsWith(texts[1]!) && texts[1]!.startsWith(texts[0]!)).toBe(true)
  })
})

describe('answers', () => {
  it('keep provider, generation, annotations and what the reply came to', async () => {
    const annotations = [{ type: 'url_citation', url_citation: { url: 'https://x.example', title: 'X' } }]
    const { reply } = await ask({ text: 'ok', provider: 'SomeHost', annotations, nativeFinishReason: 'end_turn' })
    expect(reply).toMatchObject({
      content: 'ok',
      annotations,
      source: { model: 'm/x', provider: 'SomeHost', generationId: 'gen-1' },
      finishReason: 'stop',
      rawFinishReason: 'end_turn',
    })
  })

  it.each([[408], [429], [500], [503], [529]])('%i is worth another try, and the client makes none', async (status) => {
    await using server = await startOpenRouter({ respond: () => ({ status, error: { message: 'busy' } }) })
    // A client of one's own retries by default; here it must not.
    const model = openrouter('m/x', { client: new OpenAI({ baseURL: server.url, apiKey: 'k' }), retries: 0 })
    await expect(new Agent({ name: 'a', model }).run('go')).rejects.toMatchObject({
      cause: { details: { status, retryable: true } },
    })
    expect(server.requests).toHaveLength(1)
  })

  it.each([[400], [401], [402], [403], [404], [422]])('%i is not', async (status) => {
    const { error } = await ask({ status, error: { message: 'no' } })
    expect(error).toMatchObject({ details: { status, retryable: false } })
  })

  it('a server that does not begin in time is given up', async () => {
    const { error } = await ask(
      async (_, { received }) => {
        await received.closed
        return 'late'
      },
      {},
      { timeoutMs: 50 },
    )
    expect(error).toMatchObject({ name: 'ModelError', details: { retryable: true } })
  })

  it('a connection that stays open behind the answer does not hold it up, and is used again', async () => {
    await using server = await startOpenRouter({
      respond: Array.from({ length: 5 }, (_, turn) => (turn < 4 ? { calls: [{ name: 't' }] } : 'ok')),
    })
    const t = tool({ name: 't', effect: 'pure', execute: () => 1 })
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }), tools: [t] })
    expect((await agent.run('go')).text).toBe('ok')
    // The next request may leave before the end of the last answer was read: two connections take turns then.
    expect(new Set(server.requests.map((request) => request.port)).size).toBeLessThan(3)
  })
})
