/** Images, files, audio and video: checked before they are sent, and where a tool result cannot hold them (section 5.1 of the wire contract). */
import { Agent, type ContentPart, isClewError, tool } from '@clew/core'
import { startOpenRouter } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import { catalogue, image, openrouter } from '../src/index.ts'
import { ask } from './ask.ts'
import { play } from './play.ts'

const png = 'data:image/png;base64,iVBORw0KGgo='
const asking = (...parts: ContentPart[]) => ask('ok', { messages: [{ role: 'user', content: parts }] })

describe('before anything is sent', () => {
  it.each<[string, ContentPart, RegExp]>([
    [
      'an image in a format that no model takes',
      { type: 'image', url: 'data:image/bmp;base64,AAAA' },
      /of the type image\/bmp; models take image\/png/,
    ],
    ['an image at a path', { type: 'image', url: './cat.png' }, /whose address is "\.\/cat\.png"; give an https URL/],
    ['an image without bytes', { type: 'image', url: 'data:image/png;base64,' }, /without a single byte/],
    [
      'an image that is too large',
      { type: 'image', url: `data:image/png;base64,${'A'.repeat(14_000_000)}` },
      /image of 10\.0 MiB; hosts take up to 10 MiB/,
    ],
    ['a file as plain text', { type: 'file', filename: 'a.txt', data: 'hello' }, /a file whose address is "hello"/],
    [
      'audio by URL',
      { type: 'audio', data: 'https://x.example/a.wav', format: 'wav' },
      /audio by URL; give its bytes as base64/,
    ],
    ['audio of an unknown format', { type: 'audio', data: 'AAAA', format: 'midi' }, /format "midi"; known are wav/],
    ['video of an unknown type', { type: 'video', url: 'data:video/avi;base64,AAAA' }, /of the type video\/avi/],
  ])('%s is refused', async (_, part, message) => {
    const { error, text } = await asking({ type: 'text', text: 'What is it?' }, part)
    expect(isClewError(error, 'input')).toBe(true)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).toMatch(/^Message 0 \(user\): part 1 is /)
    expect(text).toBe('')
  })

  it('what is well formed goes out', async () => {
    const { body, error } = await asking(
      { type: 'image', url: png, detail: 'high' },
      { type: 'image', url: 'https://x.example/a.png' },
      { type: 'file', filename: 'a.pdf', data: 'data:application/pdf;base64,JVBERi0=' },
      { type: 'audio', data: 'AAAA', format: 'mp3' },
      { type: 'video', url: 'https://x.example/a.mp4' },
    )
    expect(error).toBeUndefined()
    expect((body.messages as { content: unknown[] }[])[0]!.content).toHaveLength(5)
  })

  it('the default model takes images and video, but no audio', async () => {
    const audio: ContentPart = { type: 'audio', data: 'AAAA', format: 'wav' }
    const refused = await ask('ok', { messages: [{ role: 'user', content: [audio] }] }, {}, 'qwen/qwen3.5-9b')
    expect((refused.error as Error).message).toMatch(
      /part 0 is audio, but qwen\/qwen3\.5-9b takes text, image, video only/,
    )
    const video: ContentPart = { type: 'video', url: 'https://x.example/a.mp4' }
    const taken = await ask('ok', { messages: [{ role: 'user', content: [video] }] }, {}, 'qwen/qwen3.5-9b')
    expect(taken.error).toBeUndefined()
  })

  it('a model that takes text only refuses images, where the catalogue knows it', async () => {
    const card = { id: 'm/x', architecture: { input_modalities: ['text'] }, supported_parameters: ['tools'] }
    const known = catalogue({
      apiKey: 'k',
      cacheFolder: false,
      fetch: async () => Response.json({ data: [card] }),
    })
    const { error } = await ask(
      'ok',
      { messages: [{ role: 'user', content: [{ type: 'image', url: png }] }] },
      { catalogue: known },
    )
    expect((error as Error).message).toMatch(/is image, but m\/x takes text only/)
  })

  it('a history without a user message is refused, and says so', async () => {
    const { error, text } = await ask('ok', { messages: [{ role: 'assistant', content: 'Hello.' }] })
    expect(isClewError(error, 'input')).toBe(true)
    expect((error as Error).message).toMatch(/no user message/)
    expect(text).toBe('')
  })
})

describe('an image in a tool result', () => {
  const shoot = tool({
    name: 'shoot',
    effect: 'pure',
    execute: async () => [
      { type: 'text' as const, text: 'Here it is.' },
      await image(Uint8Array.from([0x89, 0x50, 0x4e, 0x47])),
    ],
  })
  const look = tool({ name: 'look', effect: 'pure', execute: () => 'a text' })
  const photo = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw==' } }
  const calls = [
    { name: 'shoot', arguments: {} },
    { name: 'look', arguments: {} },
    { name: 'shoot', arguments: {} },
  ]

  it('follows the results in a user message, and stays there', async () => {
    const { bodies, texts } = await play([{ calls }, { calls: [calls[1]!] }, 'A cat.'], { tools: [shoot, look] })
    const note = 'Here it is.\n[1 attachment of this result: see the message behind the results.]'
    expect(bodies[1]!.messages.slice(2)).toEqual([
      { role: 'tool', tool_call_id: 'call_1_0', content: note },
      { role: 'tool', tool_call_id: 'call_1_1', content: 'a text' },
      { role: 'tool', tool_call_id: 'call_1_2', content: note },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'From the result of the tool "shoot":' },
          photo,
          { type: 'text', text: 'From the result of the tool "shoot":' },
          photo,
        ],
      },
    ])
    const before = texts[1]!.slice(0, texts[1]!.lastIndexOf(']'))
    expect(texts[2]!.startsWith(before)).toBe(true)
  })

  it('that a middleware took out is not sent with the results of the turn', async () => {
    await using server = await startOpenRouter({ respond: ['one', 'two'] })
    const model = openrouter('m/x', { baseURL: server.url, apiKey: 'k' })
    const calls = ['1', '2'].map((id) => ({ id, wireId: id, name: 'look', arguments: '{}' }))
    const [first, second] = calls.map(({ id }) => ({
      role: 'tool' as const,
      callId: id,
      name: 'look',
      content: [{ type: 'image' as const, url: `https://x.example/${id}.png` }],
    }))
    const results = [
      [first!, second!],
      [{ ...first!, content: 'taken out' }, second!],
    ]
    const turn = { role: 'assistant' as const, content: '', toolCalls: calls }
    for (const each of results) {
      const messages = [{ role: 'user' as const, content: 'Hi' }, turn, ...each]
      for await (const _ of model.generate({ messages, tools: [], signal: new AbortController().signal })) void _
    }
    const [before, after] = server.requests.map(({ text }) => text)
    expect(before).toContain('1.png')
    expect(after).not.toContain('1.png')
    expect(after).toContain('2.png')
  })

  it('stays in the result for Claude', async () => {
    const { bodies } = await play([{ calls: [calls[0]!] }, 'A cat.'], {
      tools: [shoot],
      model: 'anthropic/claude-haiku-4.5',
    })
    expect(bodies[1]!.messages.at(-1)).toEqual({
      role: 'tool',
      tool_call_id: 'call_1_0',
      content: [{ type: 'text', text: 'Here it is.' }, photo],
    })
  })

  it('of a tool loop does not end its pin on the provider', async () => {
    const details = [{ type: 'reasoning.encrypted', data: 'x', format: 'google-gemini-v1', index: 0 }]
    const { bodies } = await play([{ calls: [calls[0]!], reasoningDetails: details, provider: 'Google' }, 'A cat.'], {
      tools: [shoot],
    })
    expect(bodies[1]!.provider).toEqual({ only: ['google-vertex'] })
  })
})

describe('what an answer held', () => {
  it('goes back as it came: generated images beside the text, a parsed file by its annotation', async () => {
    const file = { type: 'file', file: { hash: 'h', name: 'a.pdf', content: [] } }
    const citation = { type: 'url_citation', url_citation: { url: 'https://x.example' } }
    const drawn = { type: 'image_url', image_url: { url: png } }
    await using server = await startOpenRouter({
      respond: [
        {
          chunks: [
            {
              choices: [
                { delta: { content: 'See.', images: [drawn], annotations: [file, citation] }, finish_reason: 'stop' },
              ],
            },
          ],
        },
        'ok',
      ],
    })
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }) })
    const { state } = await agent.run('Draw.')
    await agent.run([...state.messages, { role: 'user', content: 'Again.' }])
    expect(server.requests[1]!.body.messages[1]).toEqual({
      role: 'assistant',
      content: 'See.',
      images: [drawn],
      annotations: [file],
    })
  })

  it('was nothing: it is left out', async () => {
    const { body } = await ask('ok', {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: '' },
        { role: 'user', content: 'b' },
      ],
    })
    expect(body.messages).toEqual([
      { role: 'user', content: 'a' },
      { role: 'user', content: 'b' },
    ])
  })
})
