/** Real traffic of `../shared/recordings`: each answer is what a second reading makes of it, however its bytes arrive. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Recording, readRecordings } from '../../../test/shared.ts'
import { type Chunk, expectReading, type Reading, readBody, readEventText, sentBack } from './reading.ts'
import {
  answerOf,
  cutAt,
  cutAtRandom,
  events,
  exactly,
  insideCharacters,
  json,
  named,
  plain,
  type Served,
  secondRequest,
  startServing,
} from './serve.ts'

type Read = { name: string; recording: Recording; served: Served; reading: Reading }

const recordings = readRecordings()
const streams = recordings.flatMap((recording): Read[] => {
  const { sse } = recording.response
  if (sse === undefined) return []
  return [{ name: recording.name, recording, served: events(sse), reading: readEventText(sse) }]
})
const bodies = recordings.flatMap((recording): Read[] => {
  const { body, status, raw_prefix = '' } = recording.response
  if (!body || status !== 200) return []
  const reading = readBody(body as Chunk)
  return [{ name: recording.name, recording, served: json(raw_prefix + JSON.stringify(body)), reading }]
})
const failures = recordings.filter((recording) => recording.response.status >= 400)
const sendable = [...streams, ...bodies].filter(({ reading }) => reading.details && reading.calls.length > 0)
const seeds = Array.from({ length: 20 }, (_, index) => index + 1)

describe.skipIf(recordings.length === 0)('recordings', () => {
  let server: Awaited<ReturnType<typeof startServing>>
  beforeAll(async () => {
    server = await startServing()
  })
  afterAll(() => server.close())

  it.each(named(bodies))('not streamed, %s is what a second reading makes of it', async (_, { served, reading }) => {
    expectReading(await answerOf(server.play([served]).model()), reading)
  })

  it.each(named(streams))('streamed, %s is what a second reading makes of it', async (_, { served, reading }) => {
    expectReading(await answerOf(server.play([served]).model()), reading)
  })

  it.each(named(streams))('%s is the same, cut over HTTP', async (_, { recording, served }) => {
    const bytes = served.pieces[0]!
    const whole = await answerOf(server.play([served]).model())
    const { sse_chunk_bytes: sizes } = recording.response
    const pieces = sizes ? cutAt(bytes, sizes) : cutAtRandom(bytes, 21)
    const play = server.play([{ pieces }])
    expect(await answerOf(play.model())).toStrictEqual(whole)
    // Otherwise nothing would have been cut.
    expect(play.arrived).toEqual(pieces.map((piece) => piece.length))
  })

  it.each(named(streams))('%s is the same, cut at random', async (_, { served }) => {
    const bytes = served.pieces[0]!
    const whole = await answerOf(exactly([bytes]))
    for (const seed of seeds) {
      const pieces = cutAtRandom(bytes, seed)
      expect(await answerOf(exactly(pieces)), `cut by seed ${seed}`).toStrictEqual(whole)
    }
  })

  it('some recordings hold their edges, and details that go back with calls', () => {
    expect(streams.some(({ recording }) => recording.response.sse_chunk_bytes)).toBe(true)
    expect(sendable.length).toBeGreaterThan(0)
  })

  it('the random cuts are inside a character wherever there is one of several bytes', () => {
    const wide = streams.map(({ served }) => served.pieces[0]!).filter((bytes) => insideCharacters(bytes).length > 0)
    expect(wide.length).toBeGreaterThan(0)
    for (const bytes of wide) {
      const starts = seeds.flatMap((seed) => cutAtRandom(bytes, seed).map((piece) => piece[0]!))
      expect(starts.some((byte) => (byte & 0xc0) === 0x80)).toBe(true)
    }
  })

  it.each(named(sendable))('the details of %s go back with its calls', async (_, { served, reading }) => {
    const play = server.play([served, plain])
    const names = reading.calls.map((call) => call.name)
    const { messages } = await secondRequest(play, reading.model, names)
    const turn = messages.filter((message) => message.role === 'assistant')
    expect(turn).toHaveLength(1)
    expect(turn[0]?.reasoning_details).toStrictEqual(sentBack(reading))
    const ids = reading.calls.map((call) => call.id)
    expect(turn[0]?.tool_calls?.map((call) => call.id)).toEqual(ids)
    expect(messages.flatMap((message) => message.tool_call_id ?? [])).toEqual(ids)
  })

  it.each(named(failures))('%s is an error of its status', async (_, { response }) => {
    const play = server.play([json(JSON.stringify(response.body ?? {}), response.status)])
    const { error, reply } = await answerOf(play.model())
    expect(reply).toBeUndefined()
    expect(error?.details.status).toBe(response.status)
    expect(error?.details.retryable).toBe([408, 429].includes(response.status) || response.status >= 500)
  })
})
