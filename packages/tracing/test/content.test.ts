/** What was said: nowhere unless asked for, and then redacted, valid and within bounds. */
import { Agent, fatal, type Json, type Middleware, ModelError, type ModelRequest, tool } from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { type DiagLogger, diag } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { hasShared } from '../../../test/shared.ts'
import { type ContentOptions, trace, traceMemory } from '../src/index.ts'
import { problemsOf } from './check-span.ts'
import { exported, measured } from './exported.ts'
import { receiver } from './receiver.ts'

const marker = 'm4rk3r'
const said = (what: string) => `${what} ${marker}`

const echo = tool({
  name: 'echo',
  description: 'Says it again.',
  input: z.object({ text: z.string() }),
  execute: async function* ({ text }) {
    yield { progress: text }
    return `${text} ${said('result')}`
  },
})
const throwing = tool({
  name: 'throwing',
  execute: () => {
    throw Object.assign(new Error(said('tool error')), { name: marker })
  },
})
const ending = tool({
  name: 'ending',
  execute: () => {
    throw fatal(said('fatal'))
  },
})
const waiting = tool({ name: 'waiting', needsApproval: true, execute: () => said('approved') })

/** Every place where something can be said. */
const script: ScriptedReply[] = [
  {
    text: said('text'),
    reasoning: said('reasoning'),
    reasoningDetails: [
      { type: 'reasoning.text', text: said('reasoning'), signature: `signed-${marker}` },
      { type: 'reasoning.encrypted', data: `sealed-${marker}` },
    ],
    calls: [
      { name: 'echo', arguments: { text: said('argument') } },
      { name: 'echo', arguments: `{"text": ${said('bad json')}` },
      { name: 'echo', arguments: { text: 7, [marker]: 1 } },
      { name: 'throwing' },
      { name: 'helper', arguments: { task: said('task') } },
    ],
    rawFinishReason: said('finish'),
  },
  { text: said('refused'), refusal: said('refusal'), calls: [{ name: 'waiting' }, { name: 'ending' }] },
]

const broken = () =>
  Object.assign(
    new ModelError(said('model error'), {
      code: said('code'),
      raw: said('raw'),
      partial: { text: marker, reasoning: marker },
    }),
    { name: marker },
  )

async function sayEverything(layer: () => Middleware): Promise<void> {
  const helper = new Agent({
    name: 'helper',
    instructions: said('words'),
    model: scriptedModel([broken()]),
    use: [layer()],
  })
  const make = (model: ReturnType<typeof scriptedModel>) =>
    new Agent({
      name: 'desk',
      model,
      instructions: said('instructions'),
      tools: [echo, throwing, ending, waiting, helper.asTool()],
      use: [layer()],
      limits: { tokens: 1000 },
    })
  await expect(make(scriptedModel(script)).run(said('prompt')).result()).rejects.toThrow()
  await expect(
    make(scriptedModel([broken()]))
      .run(said('prompt'))
      .result(),
  ).rejects.toThrow()
  const guarding: Middleware = {
    name: 'guard',
    async *model(request, next) {
      return { ...(yield* next(request)), stop: { by: 'guard', reason: said('stopped') } }
    },
  }
  const stopped = new Agent({ ...make(scriptedModel([said('stop')])).options, use: [layer(), guarding] })
  expect((await stopped.run(said('prompt'))).status).toBe('stopped')
}

afterEach(() => diag.disable())

describe('with content off', () => {
  it('P135: a marker in prompt, argument, result, reasoning or error is in no exported byte, metric or log', async () => {
    const logged: unknown[] = []
    const log = (...given: unknown[]) => logged.push(given)
    diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log } satisfies DiagLogger)
    await using collector = await receiver()
    const exporter = new OTLPTraceExporter({ url: collector.url })
    const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
    const { meterProvider, points, close } = measured()
    await sayEverything(() => trace({ tracerProvider, meterProvider }))
    const memory = traceMemory(
      { search: async (_: { text: string }) => [{ entry: { id: 'e', text: said('found') } }] },
      { tracerProvider },
    )
    await memory.search({ text: said('query') })
    await tracerProvider.forceFlush()

    const names = collector.spans().map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['invoke_agent desk', 'invoke_agent helper', 'execute_tool echo', 'retrieval memory']),
    )
    const errors = collector.spans().flatMap((span) => span.attributes['error.type'] ?? [])
    expect(errors).toEqual(expect.arrayContaining(['ModelError', 'FatalError', 'Error', 'not_run']))
    expect(collector.bytes()).not.toContain(marker)
    expect(JSON.stringify(await points())).not.toContain(marker)
    expect(JSON.stringify(logged)).not.toContain(marker)
    await close()
  })

  it('the same marker is there with content on, so that the test above looks where it is', async () => {
    const { tracerProvider, spans } = exported()
    await sayEverything(() => trace({ tracerProvider, content: true }))
    const text = JSON.stringify(spans().map(({ attributes, status }) => [attributes, status.message]))
    for (const what of [
      'prompt',
      'text',
      'reasoning',
      'argument',
      'result',
      'tool error',
      'instructions',
      'task',
      'words',
      'refusal',
      'model error',
    ])
      expect(text).toContain(said(what))
  })
})

describe.runIf(hasShared)('with content on', () => {
  const one = async (
    content: true | ContentOptions,
    script: ScriptedReply[],
    prompt: Parameters<Agent['run']>[0] = 'go',
    instructions = 'Be kind.',
  ) => {
    const all = exported()
    const layer = trace({ tracerProvider: all.tracerProvider, content })
    const agent = new Agent({
      name: 'a',
      instructions,
      model: scriptedModel(script),
      tools: [echo, wordy],
      use: [layer],
    })
    await agent.run(prompt)
    expect(all.spans().flatMap(problemsOf)).toEqual([])
    return all
  }
  const wordy = tool({ name: 'wordy', description: 'Says secret-10 and more. '.repeat(40), execute: () => 'ok' })
  const call = (text: string): ScriptedReply => ({ calls: [{ name: 'echo', arguments: { text } }] })
  const json = (value: unknown) => JSON.parse(String(value))

  it('shows what the model read and wrote, and the calls', async () => {
    const { named, one: only } = await one(true, [{ ...(call('hi') as object), reasoning: 'thinking' }, 'bye'])
    const [first, second] = named('chat scripted').map(({ attributes }) => attributes)
    expect(json(first!['gen_ai.system_instructions'])).toEqual([{ type: 'text', content: 'Be kind.' }])
    expect(json(first!['gen_ai.input.messages'])).toEqual([{ role: 'user', parts: [{ type: 'text', content: 'go' }] }])
    const parts = [
      { type: 'reasoning', content: 'thinking' },
      { type: 'tool_call', id: expect.any(String), name: 'echo', arguments: { text: 'hi' } },
    ]
    expect(json(first!['gen_ai.output.messages'])).toEqual([{ role: 'assistant', parts, finish_reason: 'tool_call' }])
    expect(json(first!['gen_ai.tool.definitions'])).toMatchObject([
      { type: 'function', name: 'echo', description: 'Says it again.' },
      { type: 'function', name: 'wordy' },
    ])
    const response = `hi ${said('result')}`
    expect(json(second!['gen_ai.input.messages'])).toEqual([
      { role: 'user', parts: [{ type: 'text', content: 'go' }] },
      { role: 'assistant', parts },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: expect.any(String), response }] },
    ])
    const { attributes } = only('execute_tool echo')
    expect(json(attributes['gen_ai.tool.call.arguments'])).toEqual({ text: 'hi' })
    expect(attributes['gen_ai.tool.call.result']).toBe(response)
    expect(attributes['gen_ai.tool.description']).toBe('Says it again.')
    const agent = only('invoke_agent a').attributes
    expect(json(agent['gen_ai.input.messages'])).toEqual(json(first!['gen_ai.input.messages']))
    expect(json(agent['gen_ai.output.messages'])).toMatchObject([
      { parts: [{ content: 'bye' }], finish_reason: 'stop' },
    ])
  })

  it('never shows signed or encrypted reasoning, and counts what is encrypted', async () => {
    const details: Json[] = [
      { type: 'reasoning.text', text: 'thinking', signature: 'SIGNED' },
      { type: 'reasoning.encrypted', data: 'SEALED' },
    ]
    const { spans, named } = await one(true, [
      { ...(call('hi') as object), reasoning: 'thinking', reasoningDetails: details },
      'bye',
    ])
    const text = JSON.stringify(spans().map(({ attributes }) => attributes))
    expect(text).toContain('thinking')
    expect(text).not.toMatch(/SIGNED|SEALED/)
    expect(named('chat scripted').map(({ attributes }) => attributes['clew.reasoning.encrypted'])).toEqual([
      1,
      undefined,
    ])
  })

  it('redacts every text before it is cut, in arguments and their names too', async () => {
    const redact = (text: string) => text.replaceAll(/secret-\d+/g, '[redacted]')
    const long = `${'x'.repeat(250)}secret-12345`
    const { spans } = await one(
      { redact, maxChars: 400 },
      [
        { reasoning: 'secret-4', refusal: 'secret-5', ...(call(`secret-1 ${long}`) as object) },
        { calls: [{ name: 'echo', arguments: { text: 'x', 'secret-6': 1 } }] },
        'secret-2 bye',
      ],
      [
        { type: 'text', text: `secret-3 ${long}` },
        { type: 'image', url: 'https://example.com/secret-7' },
        { type: 'file', filename: 'secret-8', data: 'data:text/plain;base64,AAAA' },
      ],
      'Say secret-9 to nobody.',
    )
    const text = JSON.stringify(spans().map(({ attributes }) => attributes))
    expect(text).not.toContain('secret-')
    expect(text.split('[redacted]').length).toBeGreaterThan(9)
  })

  it('shows nothing where redaction fails', async () => {
    const redact = () => {
      throw new Error('out of order')
    }
    const { spans } = await one({ redact }, [call('hi'), 'bye'])
    const names = spans().flatMap(({ attributes }) => Object.keys(attributes))
    expect(names.filter((name) => /messages|arguments|result|instructions|definitions/.test(name))).toEqual([])
  })

  it('bytes of images and files are told, not shown', async () => {
    const data = `data:image/png;base64,${'A'.repeat(4000)}`
    const { one: only } = await one(
      true,
      ['nice'],
      [
        { type: 'text', text: 'Look.' },
        { type: 'image', url: data },
        { type: 'image', url: 'https://example.com/a.png' },
        { type: 'file', filename: 'a.pdf', data },
        { type: 'audio', data: 'AAAA', format: 'wav' },
      ],
    )
    expect(json(only('chat scripted').attributes['gen_ai.input.messages'])[0].parts).toEqual([
      { type: 'text', content: 'Look.' },
      { type: 'image', mime_type: 'image/png', chars: data.length },
      { type: 'uri', modality: 'image', uri: 'https://example.com/a.png' },
      { type: 'document', mime_type: 'image/png', chars: data.length, filename: 'a.pdf' },
      { type: 'audio', format: 'wav', chars: 4 },
    ])
  })

  it.each([256, 257, 258, 259, 1000, 32_000])(
    'is valid and within %i characters, however long what was said',
    async (maxChars) => {
      const long = '🧵"\\'.repeat(10_000)
      const many = Array.from({ length: 60 }, (_, index) => call(`${index} ${long}`))
      const wide = {
        calls: [{ name: 'echo', arguments: { text: 'x', list: Array.from({ length: 5000 }, (_, index) => index) } }],
      }
      const { spans, named } = await one(
        { maxChars },
        [...many.slice(0, 5), wide, { text: long, reasoning: long }],
        long,
      )
      for (const { attributes } of spans()) {
        for (const [name, value] of Object.entries(attributes)) {
          if (!/messages|arguments|result|instructions|definitions/.test(name)) continue
          expect(String(value).length, name).toBeLessThanOrEqual(maxChars)
          expect(String(value).isWellFormed() && !/\\ud[89a-f]/i.test(String(value)), name).toBe(true)
          if (!name.endsWith('result')) expect(() => json(value), name).not.toThrow()
        }
      }
      const definitions = json(named('chat scripted')[0]!.attributes['gen_ai.tool.definitions'])
      expect(definitions.map(({ name }: { name: string }) => name)).toEqual(['echo', 'wordy'])
      expect('parameters' in definitions[0]).toBe(maxChars > 1000)
      // The end of a conversation is what is kept of it.
      const last = json(named('chat scripted').at(-1)!.attributes['gen_ai.input.messages'])
      expect(last.at(-1).role).toBe('tool')
      expect(JSON.stringify(last)).toMatch(/\[Cut: \d+ characters\.\]|left out/)
    },
  )

  it('shows the request as it is behind the layers that stand outside', async () => {
    const { tracerProvider, one: only } = exported()
    const adding: Middleware = {
      name: 'adding',
      model: (request: ModelRequest, next) =>
        next({ ...request, messages: [...request.messages, { role: 'user', content: 'added' }] }),
    }
    const use = [adding, trace({ tracerProvider, content: true })]
    await new Agent({ name: 'a', model: scriptedModel(['hi']), use }).run('go')
    expect(only('chat scripted').attributes['gen_ai.input.messages']).toContain('added')
  })
})

describe('trace()', () => {
  it.each([
    [{ contents: true }, /no option "contents"/],
    [{ content: 'yes' }, /content is "yes"/],
    [{ content: { redact: /x/ } }, /redact is no function/],
    [{ content: { maxChars: 10 } }, /maxChars is 10/],
  ])('refuses %o', (options, message) => {
    expect(() => trace(options as never)).toThrow(message)
  })
})
