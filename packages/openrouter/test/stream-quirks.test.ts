/** Every scripted stream of `../shared/cases/stream-quirks`, over real HTTP, through the loop. */
import { Agent, isClewError, type Message, type RunEvent, type RunState, tool } from '@clew/core'
import { startOpenRouter } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import { openrouter } from '../src/index.ts'

type Quirk = {
  id: string
  chunks: string[]
  done: boolean
  expected: {
    content: string
    toolCalls: { id: string; name: string; arguments: string }[]
    finish: string
    finishAny?: string[]
    reasoning?: string
    replay?: unknown[]
    usage?: {
      input: number
      output: number
      cached?: number
      cacheWrite?: number
      reasoning?: number
      cost?: number
    } | null
    error?: true | { code: number }
    execute?: false
    parsedArguments?: (object | 'invalid')[]
    partialCallsOptional?: boolean
    unknownTool?: string
    trimArguments?: boolean
  }
}

/** Plays the stream as the first answer, "end" as the next, and tells what the loop made of it. */
async function play(quirk: Quirk) {
  const ran: { name: string; input: unknown }[] = []
  const names = [...new Set(quirk.expected.toolCalls.map((call) => call.name))].filter(
    (name) => name !== quirk.expected.unknownTool,
  )
  const tools = names.map((name) =>
    tool({ name, input: { type: 'object' }, effect: 'pure', execute: (input) => void ran.push({ name, input }) }),
  )
  await using server = await startOpenRouter({ respond: [{ chunks: quirk.chunks, done: quirk.done }, { text: 'end' }] })
  const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL: server.url, apiKey: 'k' }), tools })
  const events: RunEvent[] = []
  let state: RunState | undefined
  let error: unknown
  try {
    const run = agent.run('go')
    for await (const event of run) events.push(event)
    state = (await run).state
  } catch (caught) {
    error = caught
  }
  return { ran, events, state, error, requests: server.requests }
}

describe.skipIf(readCases('stream-quirks').length === 0)('stream quirks', () => {
  it.each(readCases<Quirk>('stream-quirks').map((quirk) => [quirk.id, quirk] as const))('%s', async (_, quirk) => {
    const { expected } = quirk
    const { ran, events, state, error, requests } = await play(quirk)
    const allowed = expected.finishAny ?? [expected.finish]

    if (error) {
      expect(allowed).toContain('error')
      expect(isClewError(error, 'run')).toBe(true)
      const cause = (error as Error).cause
      if (!isClewError(cause, 'model')) throw cause
      expect(cause.details.partial?.text).toBe(expected.content)
      if (typeof expected.error === 'object') expect(cause.details.code).toBe(expected.error.code)
      expect(ran).toEqual([])
      return
    }
    expect(expected.error).toBeUndefined()

    const first = events.find((event) => event.type === 'model-end')!
    expect(first.message.content).toBe(expected.content)
    const calls = first.message.toolCalls ?? []
    expect(calls.map((call) => call.name)).toEqual(expected.toolCalls.map((call) => call.name))
    for (const [index, call] of expected.toolCalls.entries()) {
      const got = calls[index]!
      const text = got.raw?.arguments ?? got.arguments
      expect(expected.trimArguments ? text.trim() : text).toBe(call.arguments)
      if (call.id === '*') expect(got.wireId).not.toBe('')
      else expect(got.wireId).toBe(call.id)
    }
    expect(new Set(calls.map((call) => call.wireId)).size).toBe(calls.length)

    const results = (state?.messages ?? []).filter(
      (message): message is Extract<Message, { role: 'tool' }> => message.role === 'tool',
    )
    expect(results).toHaveLength(calls.length)
    if (expected.execute === false || expected.unknownTool) {
      expect(ran).toEqual([])
      expect(results.every((result) => result.isError)).toBe(true)
    } else {
      const inputs = (expected.parsedArguments ?? expected.toolCalls.map((call) => JSON.parse(call.arguments))).filter(
        (input) => input !== 'invalid',
      )
      expect(ran.map((call) => call.input)).toEqual(inputs)
    }
    if (expected.reasoning !== undefined) expect(first.message.reasoning ?? '').toBe(expected.reasoning)
    if (expected.replay && calls.length > 0) {
      expect(requests[1]!.body.messages.find((message) => message.role === 'assistant')!.reasoning_details).toEqual(
        expected.replay,
      )
    } else if (expected.replay) {
      expect(first.message.reasoningDetails).toEqual(expected.replay)
    }
    if (expected.usage === null) expect(first.usage).toMatchObject({ requests: 1, unreported: 1 })
    if (expected.usage) {
      const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens, usd } = first.usage
      expect({ input: inputTokens, output: outputTokens }).toEqual({
        input: expected.usage.input,
        output: expected.usage.output,
      })
      if (expected.usage.cached !== undefined) expect(cachedTokens).toBe(expected.usage.cached)
      if (expected.usage.cacheWrite !== undefined) expect(cacheWriteTokens).toBe(expected.usage.cacheWrite)
      if (expected.usage.reasoning !== undefined) expect(reasoningTokens).toBe(expected.usage.reasoning)
      if (expected.usage.cost !== undefined) expect(usd).toBe(expected.usage.cost)
    }
    const finish = {
      stop: 'stop',
      'tool-calls': 'tool_calls',
      length: 'length',
      'content-filter': 'content_filter',
      other: 'other',
    }[first.finishReason]
    expect(allowed).toContain(finish)
  })
})
