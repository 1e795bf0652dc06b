/** What is sent, and what is refused before it is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startOpenRouter } from '@clew/testing'
import OpenAI from 'openai'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { image, openrouter } from '../src/index.ts'
import { aRequest, ask } from './ask.ts'

afterEach(() => vi.unstubAllEnvs())

describe('settings', () => {
  it('go out under their wire names, and nothing that was not set', async () => {
    const { body } = await ask(
      'ok',
      {},
      {
        reasoning: { enabled: true, maxTokens: 100, exclude: false },
        maxTokens: 50,
        temperature: 0.5,
        topP: 0.9,
        stop: ['x'],
        frequencyPenalty: 1,
        presencePenalty: -1,
        repetitionPenalty: 1.1,
        topK: 20,
        seed: 7,
        minP: 0.1,
        logitBias: { 5: -100 },
        responseFormat: { type: 'json_object' },
        extraBody: { provider: { sort: 'price' } },
      },
    )
    expect(body).toEqual({
      model: 'm/x',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
      reasoning: { enabled: true, max_tokens: 100, exclude: false },
      max_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['x'],
      frequency_penalty: 1,
      presence_penalty: -1,
      repetition_penalty: 1.1,
      top_k: 20,
      seed: 7,
      min_p: 0.1,
      logit_bias: { 5: -100 },
      response_format: { type: 'json_object' },
      provider: { sort: 'price' },
      plugins: [{ id: 'context-compression', enabled: false }],
    })
    expect((await ask('ok')).body).toEqual({
      model: 'm/x',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
      plugins: [{ id: 'context-compression', enabled: false }],
    })
  })

  it('of the default model say that it thinks, unless told otherwise', async () => {
    expect((await ask('ok', {}, {}, 'qwen/qwen3.5-9b')).body.reasoning).toEqual({ enabled: true })
    expect((await ask('ok', {}, {}, 'qwen/qwen3.5-9b:free')).body.reasoning).toEqual({ enabled: true })
    expect((await ask('ok', {}, { reasoning: { enabled: false } }, 'qwen/qwen3.5-9b')).body.reasoning).toEqual({
      enabled: false,
    })
  })

  it.each<[object, RegExp]>([
    [{ temperature: 3 }, /temperature is 3; it must be a number from 0 to 2/],
    [{ topP: 0 }, /topP is 0; it must be a number above 0/],
    [{ maxTokens: 1.5 }, /maxTokens is 1\.5; it must be a whole number/],
    [{ max_tokens: 5 }, /there is no setting "max_tokens". Write maxTokens/],
    [{ safe_prompt: true }, /there is no setting "safe_prompt".*goes into extraBody/],
    [
      { provider: { allow_fallbacks: false } },
      /there is no setting provider\.allow_fallbacks. Write provider\.allowFallbacks/,
    ],
    [{ provider: { fallbacks: false } }, /there is no setting provider\.fallbacks. Known: order, allowFallbacks/],
    [{ provider: { sort: 'cheap' } }, /provider\.sort is "cheap"; it must be one of price, throughput/],
    [{ provider: { maxPrice: { prompts: 1 } } }, /provider\.maxPrice is .*it must be an object of numbers with prompt/],
    [{ headers: { a: 1 } }, /headers is .*it must be an object of texts/],
    [{ baseURL: 'nope' }, /baseURL is "nope"; it must be a whole URL/],
    [{ provider: { dataCollection: 'maybe' } }, /provider\.dataCollection is "maybe"; it must be one of allow, deny/],
    [{ plugins: ['web'] }, /plugins is \["web"\]; it must be a list such as/],
    [{ serverTools: [{}] }, /serverTools is/],
    [{ cacheControl: { ttl: '2h' } }, /cacheControl is .*it must be true, or \{ ttl: '5m' \}/],
    [{ metadata: { a: 1 } }, /metadata is .*up to 16 pairs/],
    [{ models: [] }, /models is \[\]; it must be a list of texts/],
    [{ topLogprobs: 21 }, /topLogprobs is 21; .* at most 20/],
    [{ retries: -1 }, /retries is -1/],
    [{ streamLimits: { bytes: 0 } }, /streamLimits\.bytes is 0/],
    [{ streamLimits: { seconds: 1 } }, /no setting streamLimits\.seconds/],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, /stop is .*up to four texts/],
    [{ reasoning: { effort: 'low', maxTokens: 5 } }, /reasoning has effort and maxTokens/],
    [{ reasoning: { max_tokens: 5 } }, /no setting reasoning\.max_tokens/],
    [{ reasoning: { effort: 'huge' } }, /reasoning\.effort is "huge"; it must be one of max/],
    [{ reasoning: [] }, /reasoning is \[\]; it must be an object/],
    [{ logitBias: [1] }, /logitBias is \[1\]; it must be an object/],
    [{ app: { name: 'x' } }, /no setting app\.name/],
    [{ timeoutMs: -1 }, /timeoutMs is -1/],
    [{ extraBody: { messages: [] } }, /extraBody\.messages would replace/],
    [{ temperature: 1, extraBody: { temperature: 2 } }, /extraBody\.temperature is also set/],
  ])('%j is refused', (settings, message) => {
    expect(() => openrouter('m/x', settings as never)).toThrow(message)
  })

  it('name the app in the headers', async () => {
    await using server = await startOpenRouter({ respond: ['ok'] })
    const model = openrouter('m/x', {
      baseURL: server.url,
      apiKey: 'k',
      app: { url: 'https://a.example', title: 'A' },
      headers: { 'x-mine': '1' },
    })
    for await (const _ of model.generate(aRequest())) void _
    expect(server.requests[0]!.headers).toMatchObject({
      'http-referer': 'https://a.example',
      'x-openrouter-title': 'A',
      'x-title': 'A',
      'x-mine': '1',
    })
  })
})

describe('the key', () => {
  const generate = async (settings: Parameters<typeof openrouter>[1]) => {
    for await (const _ of openrouter('m/x', settings).generate(aRequest())) void _
  }

  it('is missing: the error says where to get one and where to put it', async () => {
    vi.stubEnv('OPENROUTER_API_KEY', '')
    await expect(generate({})).rejects.toThrow(
      /no OpenRouter API key.*https:\/\/openrouter\.ai\/keys.*OPENROUTER_API_KEY.*apiKey/,
    )
  })

  it('is wrong: 401, and where it comes from', async () => {
    await using server = await startOpenRouter({ respond: [], apiKey: 'right' })
    await expect(generate({ baseURL: server.url, apiKey: 'wrong' })).rejects.toMatchObject({
      message: expect.stringMatching(/401: User not found\. Check the API key/),
      details: { status: 401, retryable: false },
    })
  })

  it('of the environment goes to OpenRouter and to this machine, and to nobody else', async () => {
    vi.stubEnv('OPENROUTER_API_KEY', 'secret')
    const sent: (string | null)[] = []
    const fetch: typeof globalThis.fetch = async (_, init) => {
      sent.push(new Headers(init?.headers).get('authorization'))
      return new Response('data: {"choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n', {
        headers: { 'content-type': 'text/event-stream' },
      })
    }
    for (const baseURL of [
      undefined,
      'http://localhost:1/v1',
      'http://127.0.0.1:1/v1',
      'https://openrouter.ai.evil.example/v1',
      'https://evil.example/openrouter.ai',
    ]) {
      await generate({ fetch, ...(baseURL && { baseURL }) })
    }
    expect(sent).toEqual(['Bearer secret', 'Bearer secret', 'Bearer secret', 'Bearer no-key', 'Bearer no-key'])
  })

  it('may be that of a client of your own', async () => {
    await using server = await startOpenRouter({ respond: ['ok'], apiKey: 'mine' })
    await generate({ client: new OpenAI({ baseURL: server.url, apiKey: 'mine' }) })
    expect(server.requests).toHaveLength(1)
  })

  it('a host that cannot be reached is named', async () => {
    await expect(generate({ baseURL: 'http://127.0.0.1:1/v1', apiKey: 'k' })).rejects.toMatchObject({
      message: expect.stringContaining('http://127.0.0.1:1/v1 could not be reached'),
      details: { retryable: true, code: 'unreachable' },
    })
  })
})

describe('images', () => {
  const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0])
  const dataURL = 'data:image/png;base64,iVBORw0KGgoA'

  it('of a URL, a data URL, bytes, a Blob, a path and a file URL', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-image-'))
    const path = join(folder, 'picture.jpg')
    writeFileSync(path, png)
    expect(await image('https://x.example/a.png', { detail: 'low' })).toEqual({
      type: 'image',
      url: 'https://x.example/a.png',
      detail: 'low',
    })
    expect(await image(new URL('https://x.example/a.png'))).toEqual({ type: 'image', url: 'https://x.example/a.png' })
    for (const source of [
      dataURL,
      png,
      png.buffer,
      new Blob([png]),
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
    ]) {
      expect(await image(source)).toEqual({ type: 'image', url: dataURL })
    }
    rmSync(folder, { recursive: true })
  })

  it('what is no image, or not there, is refused by name', async () => {
    await expect(image(new Uint8Array(4))).rejects.toThrow(/An image of 4 bytes is not png/)
    await expect(image('/no/such.png')).rejects.toThrow(/"\/no\/such\.png" could not be read/)
  })

  it('go out as parts', async () => {
    const { body } = await ask('ok', {
      messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }, await image(png)] }],
    })
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What?' },
          { type: 'image_url', image_url: { url: dataURL } },
        ],
      },
    ])
  })
})
