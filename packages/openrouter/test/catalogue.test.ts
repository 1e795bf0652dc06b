/** The catalogue over real HTTP, its cache on disk, and what a model makes of a card (section 12 of the wire contract). */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, isClewError, tool } from '@clew/core'
import { startOpenRouter } from '@clew/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { hasShared } from '../../../test/shared.ts'
import { type CatalogueOptions, catalogue, openrouter } from '../src/index.ts'
import { ask } from './ask.ts'
import { play } from './play.ts'

vi.mock('../src/wait.ts', () => ({ wait: () => Promise.resolve() }))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clew-catalogue-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
  vi.useRealTimers()
})

const claude = {
  id: 'anthropic/claude-sonnet-4',
  name: 'Claude Sonnet 4',
  context_length: 1_000_000,
  architecture: { input_modalities: ['image', 'text', 'file'], output_modalities: ['text'] },
  pricing: {
    prompt: '0.000003',
    completion: '0.000015',
    input_cache_read: '0.0000003',
    input_cache_write: '0.00000375',
    overrides: [{ min_prompt_tokens: 200_000, prompt: '0.000006', completion: '0.0000225' }],
  },
  top_provider: { context_length: 200_000, max_completion_tokens: 64_000 },
  supported_parameters: ['max_tokens', 'reasoning', 'temperature', 'tool_choice', 'tools'],
  reasoning: { mandatory: false, supported_efforts: ['high', 'low'], default_effort: 'high' },
}
const small = { id: 'small/one', supported_parameters: ['temperature', 'response_format', 'tools'] }
const free = { ...small, id: 'small/one:free' }

type Answers = {
  [path: string]: unknown | ((request: IncomingMessage) => [status: number, headers: object, body: unknown])
}

/** A server with these answers by path and query. */
async function serve(answers: Answers) {
  const asked: { path: string; key: string | undefined }[] = []
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/api/v1', '')
    asked.push({ path, key: request.headers.authorization })
    const answer = answers[path]
    const [status, headers, body] =
      typeof answer === 'function'
        ? answer(request)
        : answer === undefined
          ? [404, {}, { error: { code: 404, message: 'Not found' } }]
          : [200, {}, answer]
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  const open = (options: CatalogueOptions = {}) =>
    catalogue({ baseURL: url, apiKey: 'k', cacheFolder: folder, ...options })
  return { url, asked, open, [Symbol.asyncDispose]: close }
}

describe('models', () => {
  it('are cards: limits, abilities, prices', async () => {
    await using server = await serve({ '/models': { data: [claude, small] } })
    const [card, other] = await server.open().models()
    expect(card).toMatchObject({
      id: 'anthropic/claude-sonnet-4',
      contextLength: 1_000_000,
      maxOutputTokens: 64_000,
      inputModalities: ['image', 'text', 'file'],
      prices: { input: 3e-6, output: 15e-6, cacheRead: 3e-7, cacheWrite: 3.75e-6 },
      higherPrices: [{ fromInputTokens: 200_000, input: 6e-6, output: 22.5e-6, cacheRead: 3e-7 }],
      reasoning: { mandatory: false, efforts: ['high', 'low'], defaultEffort: 'high' },
      raw: claude,
    })
    expect(Date.now() - Date.parse(card!.asOf)).toBeLessThan(60_000)
    expect(other).toMatchObject({ name: 'small/one', inputModalities: ['text'] })
    expect(other).not.toHaveProperty('prices')
    expect(other).not.toHaveProperty('contextLength')
  })

  it('by id: exactly, else without the variant, else an error that names near ones', async () => {
    await using server = await serve({ '/models': { data: [claude, small, free] } })
    const { model } = server.open()
    expect((await model('small/one:free')).id).toBe('small/one:free')
    expect((await model('small/one:nitro')).id).toBe('small/one')
    await expect(model('other/claude-sonnet-4')).rejects.toThrow(
      /no model "other\/claude-sonnet-4"\. It has anthropic\/claude-sonnet-4/,
    )
    expect(server.asked).toHaveLength(1)
  })

  it('are kept on disk between catalogues, for a day or as told', async () => {
    await using server = await serve({ '/models': { data: [small] } })
    const [first] = await server.open().models()
    const [second] = await server.open().models()
    expect(second!.asOf).toBe(first!.asOf)
    expect(server.asked).toHaveLength(1)
    await server.open({ maxAgeMs: 0 }).models()
    expect(server.asked).toHaveLength(2)
    await server.open({ cacheFolder: false }).models()
    expect(server.asked).toHaveLength(3)
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('that are old are fetched again, also by a catalogue that lives on', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await using server = await serve({ '/models': { data: [small] } })
    const { models } = server.open()
    await models()
    await models()
    expect(server.asked).toHaveLength(1)
    vi.setSystemTime(Date.now() + 25 * 60 * 60_000)
    await models()
    expect(server.asked).toHaveLength(2)
  })

  it('are fetched once, however many ask for them at a time', async () => {
    await using server = await serve({ '/models': { data: [small] } })
    const cards = server.open({ cacheFolder: false })
    await Promise.all([cards.models(), cards.model('small/one'), cards.models()])
    expect(server.asked).toHaveLength(1)
  })

  it('that were kept are better than none, however old and whatever the server says', async () => {
    await using server = await serve({ '/models': { data: [small] } })
    await server.open().models()
    const [file] = readdirSync(folder)
    const kept = JSON.parse(readFileSync(join(folder, file!), 'utf8'))
    writeFileSync(join(folder, file!), JSON.stringify({ ...kept, asOf: '2020-01-01T00:00:00.000Z' }))
    await using broken = await serve({})
    const cards = await server.open({ fetch: (_, init) => fetch(`${broken.url}/models`, init) }).models()
    expect(cards).toMatchObject([{ id: 'small/one', asOf: '2020-01-01T00:00:00.000Z' }])
  })

  it('a kept list that is spoilt, and a folder that cannot be written, are no reason to fail', async () => {
    await using server = await serve({ '/models': { data: [small] } })
    await server.open().models()
    writeFileSync(join(folder, readdirSync(folder)[0]!), '{"asOf":"yester')
    expect(await server.open().models()).toHaveLength(1)
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    expect(await server.open({ cacheFolder: file }).models()).toHaveLength(1)
    expect(server.asked).toHaveLength(3)
  })

  it('offline: the default model comes with the package, others are an error', async () => {
    const offline = catalogue({
      apiKey: 'k',
      baseURL: 'http://127.0.0.1:9',
      cacheFolder: folder,
      fetch: async () => {
        throw new TypeError('fetch failed')
      },
    })
    expect(await offline.model('qwen/qwen3.5-9b')).toMatchObject({
      contextLength: 262_144,
      asOf: expect.stringMatching(/^2026-/),
    })
    await expect(offline.model('small/one')).rejects.toSatisfy((error) => isClewError(error, 'model'))
  }, 20_000)

  it('follows pages on the same server, and carries no key to another one', async () => {
    const page = { data: [claude], links: { next: '/api/v1/models?offset=1' } }
    await using server = await serve({ '/models': page, '/models?offset=1': { data: [small], links: { next: null } } })
    expect(await server.open().models()).toHaveLength(2)
    await using stranger = await serve({ '/models': { data: [] } })
    await using lured = await serve({ '/models': { data: [claude], links: { next: `${stranger.url}/models` } } })
    await expect(lured.open({ cacheFolder: false }).models()).rejects.toThrow(
      /goes on at http:.*another server\. It was not asked/,
    )
    expect(stranger.asked).toEqual([])
  })

  it.skipIf(!hasShared)('of real listings become cards', async () => {
    for (const name of ['or--models--01.json', 'or--models--02.json']) {
      const file = new URL(`../../../../shared/recordings/${name}`, import.meta.url)
      const { body } = (JSON.parse(readFileSync(file, 'utf8')) as { response: { body: { data: { id: string }[] } } })
        .response
      await using server = await serve({ '/models': body })
      const cards = await server.open({ cacheFolder: false }).models()
      expect(cards.map(({ id }) => id)).toEqual(body.data.map(({ id }) => id))
      for (const card of cards) {
        expect(card.contextLength).toBeGreaterThan(0)
        if (!card.prices) expect(card.id).toMatch(/^openrouter\//)
        else expect(Math.min(card.prices.input, card.prices.output)).toBeGreaterThanOrEqual(0)
      }
    }
  })
})

describe('other questions', () => {
  it('endpoints, generation, key and credits', async () => {
    const endpoint = {
      name: 'SomeHost | small/one',
      provider_name: 'SomeHost',
      tag: 'somehost/fp8',
      context_length: 32_768,
      quantization: 'fp8',
      supported_parameters: ['tools'],
      uptime_last_30m: 99.5,
      latency_last_30m: { p50: 0.4 },
      throughput_last_30m: null,
    }
    await using server = await serve({
      '/models/small/one/endpoints': { data: { id: 'small/one', endpoints: [endpoint] } },
      '/generation?id=gen-1%2F2': { data: { id: 'gen-1/2', total_cost: 0.1 } },
      '/key': { data: { label: 'k', limit_remaining: 5 } },
      '/credits': { data: { total_credits: 10, total_usage: 1 } },
    })
    const open = server.open()
    expect(await open.endpoints('small/one')).toEqual([
      {
        provider: 'SomeHost',
        tag: 'somehost/fp8',
        contextLength: 32_768,
        quantization: 'fp8',
        supportedParameters: ['tools'],
        uptime: 99.5,
        latency: 0.4,
        raw: endpoint,
      },
    ])
    expect(await open.generation('gen-1/2')).toEqual({ id: 'gen-1/2', total_cost: 0.1 })
    expect(await open.key()).toMatchObject({ limit_remaining: 5 })
    expect(await open.credits()).toEqual({ total_credits: 10, total_usage: 1 })
    expect(server.asked.every(({ key }) => key === 'Bearer k')).toBe(true)
    await expect(open.generation('gen-9')).rejects.toMatchObject({ details: { status: 404, retryable: false } })
    await expect(open.endpoints('../key')).rejects.toThrow(/404|no model id/)
    await expect(open.endpoints('one')).rejects.toThrow(/"one" is no model id; it looks like author\/name/)
  })
})

it('an option that does not exist is refused', () => {
  expect(() => catalogue({ maxAge: 5 } as never)).toThrow(/no option "maxAge"\. Known: apiKey.*maxAgeMs/)
})

describe('a generation', () => {
  it('that is not known yet is asked for again', async () => {
    let asked = 0
    const later = () =>
      (++asked < 3 ? [404, {}, { error: { message: 'Not yet' } }] : [200, {}, { data: { id: 'g' } }]) as never
    await using server = await serve({ '/generation?id=g': later })
    expect(await server.open().generation('g')).toEqual({ id: 'g' })
    expect(asked).toBe(3)
  })
})

describe('the key', () => {
  it('is not needed for the list of models, and none is sent in its place', async () => {
    vi.stubEnv('OPENROUTER_API_KEY', '')
    await using server = await serve({
      '/models': { data: [small] },
      '/key': () => [401, {}, { error: { message: 'No auth' } }],
    })
    const here: typeof fetch = (input, init) =>
      fetch(String(input).replace('https://openrouter.ai/api/v1', server.url), init)
    const open = catalogue({ fetch: here, cacheFolder: false })
    expect(await open.models()).toHaveLength(1)
    await expect(open.key()).rejects.toThrow(/401: No auth\. Check the API key/)
    expect(server.asked.map(({ key }) => key)).toEqual([undefined, undefined])
    vi.unstubAllEnvs()
  })

  it('P144: does not follow a redirect to another origin, neither for a listing nor for an answer', async () => {
    await using stranger = await serve({
      '/models': { data: [small] },
      '/chat/completions': { choices: [{ message: { content: 'ok' }, finish_reason: 'stop' }] },
    })
    const away = (path: string) => () =>
      [307, { location: stranger.url.replace('127.0.0.1', 'localhost') + path }, {}] as never
    await using server = await serve({ '/models': away('/models'), '/chat/completions': away('/chat/completions') })
    await server.open({ cacheFolder: false }).models()
    const model = openrouter('m/x', { baseURL: server.url, apiKey: 'secret' })
    await new Agent({ name: 'a', model }).run('Hi')
    expect(server.asked.map(({ key }) => key)).toEqual(['Bearer k', 'Bearer secret'])
    expect(stranger.asked.map(({ path }) => path)).toEqual(['/models', '/chat/completions'])
    expect(stranger.asked.map(({ key }) => key)).toEqual([undefined, undefined])
  })
})

describe('what a model makes of its card', () => {
  const known = (entry: object) =>
    catalogue({
      apiKey: 'k',
      cacheFolder: false,
      fetch: async () => Response.json({ data: [{ ...entry, id: 'm/x' }] }),
    })

  it('asks for an output by what the model has: its schema, some JSON, or words', async () => {
    const output = { type: 'object', properties: { a: { type: 'string' } } } as const
    const asked = async (supported: string[]) => {
      const { body } = await ask(
        'ok',
        { output },
        { catalogue: known({ supported_parameters: ['tools', ...supported] }) },
      )
      return [body.response_format, (body.messages as { content: string }[])[0]!.content] as const
    }
    const [schema] = await asked(['response_format', 'structured_outputs'])
    expect(schema).toEqual({ type: 'json_schema', json_schema: { name: 'output', schema: output } })
    const [json, words] = await asked(['response_format'])
    expect(json).toEqual({ type: 'json_object' })
    expect(words).toContain(JSON.stringify(output))
    const [nothing, sameWords] = await asked([])
    expect(nothing).toBeUndefined()
    expect(sameWords).toBe(words)
  })

  it('warns once of a parameter that the model lacks', async () => {
    const warnings: string[] = []
    const spy = vi.spyOn(process, 'emitWarning').mockImplementation((message) => void warnings.push(String(message)))
    const settings = { catalogue: known({ supported_parameters: ['temperature'] }), topK: 3, temperature: 1 }
    await ask('ok', {}, settings)
    await ask('ok', {}, settings)
    await ask('ok', {}, { parallelToolCalls: true }, 'qwen/qwen3.5-9b')
    spy.mockRestore()
    expect(warnings).toEqual([
      expect.stringMatching(/^m\/x has no "top_k" in the catalogue \(\d{4}-\d\d-\d\d\): its providers will ignore it/),
      expect.stringMatching(/^qwen\/qwen3\.5-9b has no "parallel_tool_calls"/),
    ])
  })

  it('counts the cost itself where the provider told none', async () => {
    const usage = (cost?: number) => ({
      prompt_tokens: 1000,
      completion_tokens: 100,
      prompt_tokens_details: { cached_tokens: 400, cache_write_tokens: 100 },
      cost,
    })
    const cost = async (told: number | undefined) =>
      (await ask({ text: 'ok', usage: usage(told) }, {}, { catalogue: known(claude) })).reply!.usage!.usd
    expect(await cost(undefined)).toBeCloseTo(500 * 3e-6 + 400 * 3e-7 + 100 * 3.75e-6 + 100 * 15e-6, 12)
    expect(await cost(0.5)).toBe(0.5)
    const long = { ...usage(), prompt_tokens: 250_000 }
    const { reply } = await ask({ text: 'ok', usage: long }, {}, { catalogue: known(claude) })
    expect(reply!.usage!.usd).toBeCloseTo((250_000 - 500) * 6e-6 + 400 * 3e-7 + 100 * 3.75e-6 + 100 * 22.5e-6, 9)
  })

  it('without prices it has no opinion on the cost', async () => {
    const router = { ...claude, pricing: { prompt: '-1', completion: '-1' } }
    const usage = { prompt_tokens: 1000, completion_tokens: 100, cost: undefined }
    const { reply } = await ask({ text: 'ok', usage }, {}, { catalogue: known(router) })
    expect(reply!.usage).not.toHaveProperty('usd')
    const { result } = await play(['ok', 'never'], { settings: { catalogue: known(router) }, limits: { usd: 0.0001 } })
    expect(result.status).toBe('done')
  })

  it('warns of a model that the catalogue does not have, and asks it all the same', async () => {
    const warnings: string[] = []
    const spy = vi.spyOn(process, 'emitWarning').mockImplementation((message) => void warnings.push(String(message)))
    const { reply } = await ask('ok', {}, { catalogue: known(claude) }, 'm/xx')
    spy.mockRestore()
    expect(reply!.content).toBe('ok')
    expect(warnings).toEqual([expect.stringMatching(/OpenRouter has no model "m\/xx"\. It has m\/x/)])
  })

  it('stops before a request whose input alone would go over limits.usd', async () => {
    const read = tool({
      name: 'read',
      effect: 'pure',
      input: z.object({}),
      maxResultChars: 1e6,
      execute: () => 'x'.repeat(100_000),
    })
    const { result, bodies } = await play(
      [
        { calls: [{ name: 'read', arguments: {} }], usage: { prompt_tokens: 10, completion_tokens: 1, cost: 0.00001 } },
        'never',
      ],
      { tools: [read], settings: { catalogue: known(claude) }, limits: { usd: 0.05 } },
    )
    // 100,000 characters are some 25,000 tokens, which cost 0.075 dollars.
    expect(result).toMatchObject({ status: 'stopped', stop: 'usd' })
    expect(bodies).toHaveLength(1)
  })

  it('and works without one, when the catalogue cannot be asked', async () => {
    const broken = catalogue({
      apiKey: 'k',
      cacheFolder: false,
      fetch: async () => Response.json({ error: { message: 'no' } }, { status: 400 }),
    })
    await using server = await startOpenRouter({ respond: ['ok'] })
    const model = openrouter('m/x', { baseURL: server.url, apiKey: 'k', catalogue: broken })
    expect((await new Agent({ name: 'a', model }).run('Hi')).text).toBe('ok')
    expect(existsSync(folder)).toBe(true)
  })
})
