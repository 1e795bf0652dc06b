/** `compaction()` in a run: what goes out fits the context, only grows between compactions, and costs what the run says. */
import { Agent, checkHistory, fold, ModelError, type ModelRequest, memorySession, type Tool, tool } from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { type CompactionOptions, compaction, estimateTokens, readArtifactTool } from '../src/index.ts'

const words = (count: number) => 'word '.repeat(count)
const sizeOf = ({ instructions, messages, tools }: ModelRequest) =>
  estimateTokens({ messages, tools, ...(instructions !== undefined && { instructions }) })

/** A model that counts as a provider does, and refuses what is longer than its context. */
function modelOf(reply: (request: ModelRequest) => ScriptedReply, contextTokens: number | undefined, told = true) {
  const model = scriptedModel((request) => {
    const inputTokens = sizeOf(request)
    if (contextTokens !== undefined && inputTokens > contextTokens) {
      return new ModelError(`This model's maximum context length is ${contextTokens} tokens.`, {
        kind: 'context-overflow',
      })
    }
    const made = reply(request)
    const usage = { inputTokens, outputTokens: 10 }
    return typeof made === 'string' ? { text: made, usage } : made instanceof Error ? made : { ...made, usage }
  })
  if (told && contextTokens !== undefined) model.contextTokens = () => contextTokens
  return model
}

/** The user asks `rounds` times. */
async function talk(model: ReturnType<typeof modelOf>, rounds: number, options: CompactionOptions, tools: Tool[] = []) {
  const session = memorySession()
  let result: Awaited<ReturnType<Agent['run']>> | undefined
  for (let round = 0; round < rounds; round++) {
    const agent = new Agent({ name: 'a', model, instructions: 'Be brief.', tools, use: [compaction(options)] })
    result = await agent.run(`Question ${round}: ${words(40)}`, { session })
  }
  return { session, events: (await session.read()).events, result: result! }
}

describe('a talk that is longer than its context', () => {
  it('goes on, every request fits, and the log has all of it', async () => {
    const model = modelOf(() => words(60), 1_000)
    const { events, result } = await talk(model, 60, {})
    expect(result.status).toBe('done')
    expect(Math.max(...model.requests.map(sizeOf))).toBeLessThan(1_000)
    expect(events.filter(({ type }) => type === 'compacted').length).toBeGreaterThan(3)
    expect(JSON.stringify(events)).toContain('Question 0: ')
    expect(JSON.stringify(result.state.messages)).not.toContain('Question 0: ')
    expect(fold(events)).toEqual(result.state)
    for (const { messages } of model.requests) expect(checkHistory(messages)).toBeUndefined()
  })

  it('changes no byte of what was sent before, between two compactions', async () => {
    const model = modelOf(() => words(60), 1_000)
    const { events } = await talk(model, 40, {})
    const bodies = model.requests.map(({ messages }) => JSON.stringify(messages).slice(0, -1))
    const broken = bodies.filter((body, at) => at > 0 && !body.startsWith(bodies[at - 1]!))
    const changed = events.filter(({ type }) => type === 'compacted')
    expect(broken).toHaveLength(changed.length)
    expect(changed.length).toBeLessThan(bodies.length / 3)
  })

  it('is summarised by a model, whose cost counts in the run', async () => {
    const asked: ModelRequest[] = []
    const summariser = scriptedModel((request) => {
      asked.push(request)
      return { text: `Summary ${asked.length}: they asked.`, usage: { inputTokens: 100, outputTokens: 7, usd: 0.25 } }
    })
    const { events, result } = await talk(
      modelOf(() => words(60), 1_000),
      12,
      { summariser },
    )
    const compacted = events.flatMap((event) => (event.type === 'compacted' ? [event] : []))
    expect(compacted.length).toBeGreaterThan(0)
    expect(compacted[0]).toMatchObject({ usage: { requests: 1, inputTokens: 100, usd: 0.25 } })
    expect(JSON.stringify(compacted[0]?.replacement)).toContain('Summary 1: they asked.')
    const first = asked[0]!
    expect(first).toMatchObject({ tools: [], instructions: expect.stringMatching(/The transcript is data/) })
    expect(first.messages).toHaveLength(1)
    expect(first.messages[0]?.content).toMatch(/^<transcript>\n\[user\] Question 0: /)
    expect(first.messages[0]?.content).toMatch(/\[assistant\] word /)
    // Not one that leaves its room in a history that has no end.
    expect(JSON.stringify(result.state.messages).match(/Summary \d+/g)).toHaveLength(1)
  })

  it.each<[string, ScriptedReply]>([
    ['fails', new Error('down')],
    ['is empty', ''],
    ['was cut off', { text: 'They', finishReason: 'length' }],
    ['is longer than what it stands for', words(2_000)],
  ])('whose summary %s goes on without it', async (_, reply) => {
    const summariser = scriptedModel(() => reply)
    const model = modelOf(() => words(60), 1_000)
    const { result, events } = await talk(model, 20, { summariser })
    expect(result.status).toBe('done')
    expect(JSON.stringify(events)).not.toContain('summary of the earlier conversation')
    expect(Math.max(...model.requests.map(sizeOf))).toBeLessThan(1_000)
  })

  it('P102: 500 kB of results are summarised in requests that fit the context themselves, and once is enough', async () => {
    const window = 20_000
    const asked: number[] = []
    const summariser = modelOf((request) => {
      asked.push(sizeOf(request))
      return 'They read a lot.'
    }, window)
    const session = memorySession()
    const read = tool({
      name: 'read',
      effect: 'pure',
      execute: ({ at }) => `${at} ${words(5_000)}`,
      input: { type: 'object', properties: { at: {} } },
    }) as Tool
    const past = scriptedModel(({ messages }) => {
      const done = messages.filter(({ role }) => role === 'tool').length
      return done < 20 ? { calls: [{ name: 'read', arguments: { at: done } }] } : 'Read.'
    })
    await new Agent({ name: 'a', model: past, tools: [read] }).run('Read all of it.', { session })
    for (const question of ['And then?', 'And now?'])
      await new Agent({ name: 'a', model: past }).run(question, { session })
    const model = modelOf(() => 'Well.', window)
    const options = { summariser, keepTurns: 1, maxResultChars: 1_000_000 }
    const agent = new Agent({ name: 'a', model, tools: [read], use: [compaction(options)] })
    const result = await agent.run('What was it?', { session })
    expect(result.text).toBe('Well.')
    const events = (await session.read()).events.filter(({ type }) => type === 'compacted')
    expect(events).toHaveLength(1)
    expect(JSON.stringify(events)).toContain('They read a lot.')
    expect(asked.length).toBeGreaterThan(5)
    expect(Math.max(...asked)).toBeLessThan(window)
    await agent.run('Thanks.', { session })
    expect((await session.read()).events.filter(({ type }) => type === 'compacted')).toHaveLength(1)
  })

  it('is left when the run is, in the middle of a summary', async () => {
    const controller = new AbortController()
    const summariser = scriptedModel(() => {
      controller.abort()
      return { text: 'late', after: new Promise(() => {}) }
    })
    const session = memorySession()
    const model = modelOf(() => words(60), 1_000)
    const agent = new Agent({ name: 'a', model, use: [compaction({ summariser })] })
    const rounds = async () => {
      for (let round = 0; round < 20; round++)
        await agent.run(`Question ${round}: ${words(40)}`, { session, signal: controller.signal })
    }
    await expect(rounds()).rejects.toThrow(/aborted/)
    expect((await session.read()).events.some(({ type }) => type === 'compacted')).toBe(false)
  })
})

describe('a request that is refused as too long', () => {
  it('P099: is made shorter and made again, when nobody knew how much the context holds', async () => {
    const model = modelOf(() => words(60), 900, false)
    const { events, result } = await talk(model, 30, {})
    expect(result.status).toBe('done')
    const restarts = events.filter(({ type }) => type === 'model-restart')
    expect(restarts.length).toBeGreaterThan(2)
    expect(events.filter(({ type }) => type === 'compacted')).toHaveLength(restarts.length)
  })

  it('is made shorter when the context holds less than it should', async () => {
    const model = modelOf(() => words(60), 900, false)
    model.contextTokens = () => 262_144
    expect((await talk(model, 30, {})).result.status).toBe('done')
  })

  it('in one long piece of work loses results that are long, behind all else', async () => {
    const read = tool({ name: 'read', effect: 'pure', execute: () => words(1_000) }) as Tool
    const stored = new Map<string, string>()
    const artifacts = {
      async put(text: string) {
        const id = `t${stored.size}`
        stored.set(id, text)
        return id
      },
    }
    const page = readArtifactTool(async (id, { from, to }) => {
      const text = stored.get(id)
      return text === undefined ? undefined : { text: text.slice(from, to), length: text.length }
    }) as Tool
    let turn = 0
    const model = modelOf(({ messages }) => {
      if (++turn < 12) return { reasoningDetails: [{ turn }], calls: [{ name: 'read', arguments: { turn } }] }
      const last = messages.at(-1)
      if (last?.role === 'tool' && last.name === 'read')
        return { calls: [{ name: 'read_artifact', arguments: { id: 't0', to: 9 } }] }
      return 'Done.'
    }, 6_000)
    const agent = new Agent({
      name: 'a',
      model,
      tools: [read, page],
      use: [compaction({ artifacts })],
      limits: { turns: 30 },
    })
    const result = await agent.run('Read all of it.')
    expect(result.text).toBe('Done.')
    expect(stored.size).toBeGreaterThan(3)
    const { messages } = result.state
    expect(
      messages.filter(
        (message) => message.role === 'assistant' && message.toolCalls && !message.reasoningDetails?.length,
      ),
    ).toHaveLength(1)
    expect(messages.find((message) => message.role === 'tool' && message.name === 'read_artifact')?.content).toMatch(
      /^<untrusted .*\n.*\nword word\n<\/untrusted .*\n\[Characters 0 to 9 of 5000\. Go on with "from": 9\.\]$/,
    )
  })

  it('and cannot be made shorter fails with the provider’s word', async () => {
    const { model, use } = { model: modelOf(() => 'never', 500, false), use: [compaction()] }
    await expect(new Agent({ name: 'a', model, use }).run(words(3_000))).rejects.toThrow(
      /maximum context length is 500/,
    )
  })
})

it.each([
  [{ window: 0 }, /window is 0/],
  [{ window: Number.NaN }, /window is NaN/],
  [{ high: 0.4 }, /high is 0.4; it must be above low/],
  [{ keepTurns: -1 }, /keepTurns is -1/],
])('%j is refused when it is defined', (options, message) => {
  expect(() => compaction(options)).toThrow(message)
})
