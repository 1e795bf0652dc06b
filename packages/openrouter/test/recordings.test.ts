/** Real traffic of `../shared/recordings`, served over real HTTP. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isClewError, type ModelReply } from '@clew/core'
import { describe, expect, it } from 'vitest'
import { type Recording, readRecordings } from '../../../test/shared.ts'
import { openrouter } from '../src/index.ts'
import { aRequest } from './ask.ts'

/** The reply to a body that arrives in these pieces, or the error. */
async function decode(recording: Recording, pieces: Buffer[]): Promise<ModelReply | Error> {
  const { status, headers } = recording.response
  const server = createServer((request, response) => {
    request.resume().once('end', async () => {
      response.writeHead(status, {
        'content-type': headers['content-type'] ?? (recording.response.sse ? 'text/event-stream' : 'application/json'),
      })
      for (const piece of pieces) await new Promise((written) => response.write(piece, written))
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const answer = openrouter('m/x', { baseURL, apiKey: 'k' }).generate(aRequest())
    for (;;) {
      const next = await answer.next()
      if (next.done) return next.value
    }
  } catch (error) {
    return error as Error
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const recordings = readRecordings()
const streams = recordings.filter((recording) => recording.response.sse !== undefined)
const bodies = recordings.filter(
  (recording) => recording.response.body && recording.response.status === 200 && 'choices' in recording.response.body,
)
const failures = recordings.filter((recording) => recording.response.status >= 400)

describe.skipIf(recordings.length === 0)('recordings', () => {
  it.each(bodies.map((recording) => [recording.name, recording] as const))('whole: %s', async (_, recording) => {
    const body = recording.response.body as {
      choices: { message: Record<string, never>; finish_reason: string | null; error?: unknown }[]
      error?: unknown
      usage?: { cost?: number; prompt_tokens?: number }
    }
    const text = (recording.response.raw_prefix ?? '') + JSON.stringify(body)
    const reply = await decode(recording, [Buffer.from(text)])
    const { message, finish_reason, error } = body.choices[0]!
    const isEmpty = !message.content && !message.tool_calls && finish_reason === null
    if (error || body.error || finish_reason === 'error' || isEmpty) {
      expect(isClewError(reply, 'model')).toBe(true)
      return
    }
    if (reply instanceof Error) throw reply
    expect(reply.content).toBe(message.content ?? '')
    expect(reply.reasoningDetails).toEqual(message.reasoning_details)
    const calls = (message.tool_calls ?? []) as { id: string; function: { name: string; arguments?: string } }[]
    expect(reply.toolCalls ?? []).toEqual(
      calls.map((call) => ({ id: call.id, name: call.function.name, arguments: call.function.arguments ?? '' })),
    )
    expect(reply.usage?.usd).toBe(body.usage?.cost)
    expect(reply.usage?.inputTokens ?? 0).toBe(body.usage?.prompt_tokens ?? 0)
  })

  it.each(streams.map((recording) => [recording.name, recording] as const))('streamed: %s', async (_, recording) => {
    const bytes = Buffer.from(recording.response.sse!)
    const whole = await decode(recording, [bytes])
    if (!(whole instanceof Error)) {
      for (const call of whole.toolCalls ?? []) expect(() => JSON.parse(call.arguments || '{}')).not.toThrow()
      const ids = (whole.toolCalls ?? []).map((call) => call.id)
      expect(new Set(ids).size).toBe(ids.length)
      const written = JSON.stringify(recording.response.sse).includes('reasoning_details')
      if (written) expect(whole.reasoningDetails).toBeDefined()
    } else if (!isClewError(whole, 'model')) throw whole
    const cut = await decode(recording, pieces(bytes, recording.response.sse_chunk_bytes))
    expect(cut).toEqual(whole)
  })

  it.each(failures.map((recording) => [recording.name, recording] as const))('failed: %s', async (_, recording) => {
    const error = await decode(recording, [Buffer.from(JSON.stringify(recording.response.body ?? {}))])
    expect(isClewError(error, 'model') && error.details.status).toBe(recording.response.status)
  })
})

/** At the recorded edges, else every 7 bytes of the first 2,000 (inside lines and characters), then in larger pieces. */
function pieces(bytes: Buffer, edges: number[] | undefined): Buffer[] {
  const result: Buffer[] = []
  let at = 0
  for (const size of edges ?? []) {
    result.push(bytes.subarray(at, at + size))
    at += size
  }
  while (at < bytes.length) {
    const size = at < 2000 ? 7 : 4099
    result.push(bytes.subarray(at, at + size))
    at += size
  }
  return result
}
