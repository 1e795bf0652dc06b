/** Other servers that speak Chat Completions: what is data in a profile, seen on the wire (section 14 of the wire contract). */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, tool } from '@clew/core'
import { type LocalReply, startOpenRouter } from '@clew/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { readRecordings } from '../../../test/shared.ts'
import { type CompatibleOptions, compatible, type ProfileName, profiles } from '../src/index.ts'
import { aRequest } from './ask.ts'
import { chunk, sent } from './play.ts'

afterEach(() => vi.unstubAllEnvs())

const look = tool({ name: 'look', input: z.object({ at: z.string() }), effect: 'pure', execute: () => 'seen' })
const thinking: LocalReply = {
  chunks: [
    chunk({ reasoning_content: 'Let me ' }),
    chunk({ reasoning_content: 'look.' }),
    chunk({ content: '', tool_calls: [{ index: 0, id: 'c1', function: { name: 'look', arguments: '{"at":"it"}' } }] }),
    chunk({}, 'tool_calls'),
    { choices: [], usage: { prompt_tokens: 5, completion_tokens: 2 } },
  ],
}

async function talk(profile: ProfileName, settings: Partial<CompatibleOptions> = {}, agent: object = {}) {
  await using server = await startOpenRouter({ respond: [thinking, '{"ok":true}'] })
  const model = compatible({ profile, baseURL: server.url, apiKey: 'k', ...settings })('some-model')
  const result = await new Agent({ name: 'a', model, tools: [look], ...agent }).run('Go.')
  return { result, bodies: server.requests.map(({ body }) => body) }
}
const names = Object.keys(profiles) as ProfileName[]

describe('every profile', () => {
  it.each(names)('%s: gets nothing that only OpenRouter knows, and asks for usage', async (name) => {
    const { bodies, result } = await talk(name)
    for (const body of bodies) {
      for (const field of [
        'provider',
        'plugins',
        'models',
        'session_id',
        'reasoning',
        'usage',
        'transforms',
        'cache_control',
      ])
        expect(body).not.toHaveProperty(field)
      expect(body.stream_options).toEqual({ include_usage: true })
      expect(JSON.stringify(body.messages)).not.toContain('reasoning_details')
    }
    expect(result.usage).toMatchObject({ requests: 2, inputTokens: expect.any(Number) })
  })

  it.each(names)('%s: reasoning is shown, and goes back in its field', async (name) => {
    const { result, bodies } = await talk(name)
    expect(result.state.messages[1]).toMatchObject({ reasoning: 'Let me look.' })
    const { reasoningOut } = profiles[name]
    const { content, role, tool_calls, ...rest } = sent(bodies[1], 'assistant')[0]!
    expect(rest).toEqual((reasoningOut as string) === 'none' ? {} : { [reasoningOut]: 'Let me look.' })
    expect({ content, role, calls: tool_calls!.length }).toEqual({ content: null, role: 'assistant', calls: 1 })
  })
})

describe('the reasoning switch', () => {
  it.each<[ProfileName, object, object]>([
    ['ollama', { enabled: false }, { reasoning_effort: 'none' }],
    ['ollama', { effort: 'low' }, { reasoning_effort: 'low' }],
    ['groq', { enabled: true }, {}],
    ['cerebras', { effort: 'high' }, { reasoning_effort: 'high' }],
    ['xai', { effort: 'high' }, { reasoning_effort: 'high' }],
    ['openai', { effort: 'minimal' }, { reasoning_effort: 'minimal' }],
    ['llama.cpp', { enabled: false }, { chat_template_kwargs: { enable_thinking: false } }],
    ['vllm', { enabled: true }, { chat_template_kwargs: { enable_thinking: true } }],
    ['alibaba', { enabled: false }, { enable_thinking: false }],
    ['deepseek', { effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['zai', { enabled: true }, { thinking: { type: 'enabled' } }],
  ])('%s: %j is %j', async (name, reasoning, expected) => {
    const { bodies } = await talk(name, { reasoning })
    expect(bodies[0]).toMatchObject(expected)
    expect(Object.keys(bodies[0]!).filter((field) => /think|reason|template/.test(field))).toEqual(
      Object.keys(expected),
    )
  })

  it.each<[ProfileName, object, RegExp]>([
    ['lmstudio', { enabled: false }, /reasoning cannot be set on lmstudio/],
    ['ollama', { maxTokens: 100 }, /reasoning\.max_tokens cannot be set on ollama/],
  ])('%s: %j is refused', (name, reasoning, message) => {
    expect(() => compatible({ profile: name, reasoning })('m')).toThrow(message)
  })
})

describe('other peculiarities', () => {
  it('a named choice is "required" where only words are taken', async () => {
    const { bodies } = await talk('llama.cpp', {}, { toolChoice: 'look' })
    expect(bodies[0]!.tool_choice).toBe('required')
    const named = await talk('vllm', {}, { toolChoice: 'look' })
    expect(named.bodies[0]!.tool_choice).toEqual({ type: 'function', function: { name: 'look' } })
  })

  it('an output is asked for by its schema, or as JSON and in words', async () => {
    const output = z.object({ ok: z.boolean() })
    const bySchema = await talk('ollama', {}, { output })
    expect(bySchema.bodies[0]!.response_format).toMatchObject({ type: 'json_schema' })
    const byWords = await talk('deepseek', {}, { output, instructions: 'Be brief.' })
    expect(byWords.bodies[0]!.response_format).toEqual({ type: 'json_object' })
    expect(byWords.bodies[0]!.messages[0]).toMatchObject({
      role: 'system',
      content: expect.stringMatching(/^Be brief\.\n\nYour final answer is one JSON object.*"ok"/s),
    })
    expect(byWords.result.output).toEqual({ ok: true })
    expect(byWords.bodies[1]!.messages[0]).toEqual(byWords.bodies[0]!.messages[0])
  })

  it('a limit on the answer has another name at OpenAI', async () => {
    expect((await talk('openai', { maxTokens: 9 })).bodies[0]).toMatchObject({ max_completion_tokens: 9 })
    expect((await talk('groq', { maxTokens: 9 })).bodies[0]).toMatchObject({ max_tokens: 9 })
  })

  it('settings of the server hold for its models, and give way to theirs', async () => {
    await using server = await startOpenRouter({ respond: ['a', 'b'] })
    const local = compatible({ profile: 'vllm', baseURL: server.url, temperature: 0, topP: 0.5, apiKey: 'k' })
    for (const model of [local('m1'), local('m2', { temperature: 1 })]) {
      for await (const _ of model.generate(aRequest())) void _
    }
    expect(server.requests.map(({ body }) => [body.model, body.temperature, body.top_p])).toEqual([
      ['m1', 0, 0.5],
      ['m2', 1, 0.5],
    ])
  })

  it('a server that nobody knows is an object', async () => {
    const profile = { ...profiles.vllm, name: 'mine', reasoningOut: 'none' as const }
    await using server = await startOpenRouter({ respond: ['a'] })
    const model = compatible({ profile, baseURL: server.url, apiKey: 'k' })('m')
    for await (const _ of model.generate(aRequest())) void _
    expect(server.requests).toHaveLength(1)
  })

  it.each<[object, RegExp]>([
    [{ profile: 'olama' }, /profile is "olama"; give one of ollama, llama\.cpp, vllm/],
    [{}, /profile is undefined; give one of/],
    [{ profile: 'ollama', plugins: [] }, /compatible\(\): plugins is for OpenRouter only; leave it out/],
    [{ profile: 'ollama', topK: -1 }, /topK is -1/],
    [{ profile: 'ollama', catalogue: {} }, /catalogue is for OpenRouter only/],
    [
      { profile: { ...profiles.vllm, reasoningOut: 'xx' } },
      /profile\.reasoningOut is "xx"; it must be one of reasoning_details/,
    ],
    [
      { profile: { ...profiles.vllm, reasoningSwich: 'none' } },
      /no field profile\.reasoningSwich\. Known: name, baseURL/,
    ],
    [{ profile: { name: 'mine', baseURL: 'http://x/v1' } }, /profile\.reasoningOut is undefined; it must be one of/],
    [{ profile: 'ollama', baseURL: 'localhost:1' }, /baseURL is "localhost:1"; it must be a whole URL/],
    [{ profile: { ...profiles.vllm, baseURL: undefined } }, /has no address of its own; give a baseURL/],
  ])('%j is refused', (options, message) => {
    expect(() => compatible(options as never)('m')).toThrow(message)
  })
})

describe('the key of another server', () => {
  /** The Authorization header that arrives at a server. */
  async function keySent(options: Partial<CompatibleOptions>): Promise<string | undefined> {
    let key: string | undefined
    const server = createServer((request, response) => {
      key = request.headers.authorization
      response.setHeader('content-type', 'application/json').end('{"choices":[{"message":{"content":"ok"}}]}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const model = compatible({ profile: 'ollama', baseURL, ...options })('m')
      for await (const _ of model.generate(aRequest())) void _
    } finally {
      server.close()
    }
    return key
  }

  it('is its own, from the settings or its variable, and never OpenRouter’s', async () => {
    vi.stubEnv('OPENROUTER_API_KEY', 'sk-or-secret')
    vi.stubEnv('GROQ_API_KEY', 'gsk-secret')
    expect(await keySent({})).toBe('Bearer no-key')
    expect(await keySent({ apiKey: 'mine' })).toBe('Bearer mine')
    expect(await keySent({ profile: 'groq' })).toBe('Bearer gsk-secret')
    expect(await keySent({ profile: 'deepseek' })).toBe('Bearer no-key')
  })

  it('is missing: the error names the variable', async () => {
    vi.stubEnv('GROQ_API_KEY', '')
    const model = compatible({ profile: 'groq' })('m')
    await expect(model.generate(aRequest()).next()).rejects.toThrow(
      /no groq API key\. Set GROQ_API_KEY or pass \{ apiKey \}/,
    )
  })
})

/** Whose recordings go with which profile. */
const hosts: { [prefix: string]: ProfileName } = {
  alibaba: 'alibaba',
  cerebras: 'cerebras',
  deepseek: 'deepseek',
  groq: 'groq',
  llamacpp: 'llama.cpp',
  ollama: 'ollama',
  ollamacloud: 'ollama',
  xai: 'xai',
  zai: 'zai',
}
const recorded = readRecordings().flatMap((recording) => {
  const profile = hosts[recording.name.split('--')[0]!]
  const calls = JSON.stringify(recording.response.sse ?? recording.response.body ?? '').includes('tool_calls')
  return profile && calls && recording.response.status === 200 ? [{ recording, profile }] : []
})

describe.skipIf(recorded.length === 0)('real answers of other servers with calls', () => {
  it.each(recorded.map((each) => [each.recording.name, each] as const))('%s', async (_, { recording, profile }) => {
    const { response } = recording
    const type = { contentType: response.sse ? 'text/event-stream' : 'application/json' }
    await using server = await startOpenRouter({
      respond: [{ body: response.sse ?? JSON.stringify(response.body), ...type }, 'Done.'],
    })
    const text = response.sse ?? JSON.stringify(response.body)
    const called = [...text.matchAll(/"name":\s?"(\w+)"/g)].map((match) => match[1]!)
    const tools = [...new Set(called)].map((name) =>
      tool({ name, input: { type: 'object' }, effect: 'pure', execute: () => 'ok' }),
    )
    const model = compatible({ profile, baseURL: server.url, apiKey: 'k' })('m')
    const result = await new Agent({ name: 'a', model, tools }).run('Go.')
    expect(result).toMatchObject({ status: 'done', text: 'Done.' })
    const [assistant] = sent(server.requests[1]!.body, 'assistant')
    expect(assistant!.tool_calls!.length).toBeGreaterThan(0)
    const { reasoningOut } = profiles[profile]
    const told = /"reasoning(_content)?":\s?"[^"]/.test(text)
    if (told) expect(assistant![reasoningOut]).toMatch(/\S/)
    expect(sent(server.requests[1]!.body, 'tool')).toHaveLength(assistant!.tool_calls!.length)
  })
})
