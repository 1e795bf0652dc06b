/** `POST /embeddings` of the local server. */
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { readRecordings } from '../../../test/shared.ts'
import { type LocalOpenRouterOptions, startOpenRouter } from '../src/index.ts'

type Body = { data: { embedding: number[] | string; index: number }[]; usage: object; error?: { message: string } }

async function ask(
  body: unknown,
  options: Partial<LocalOpenRouterOptions> = {},
  headers = { authorization: 'Bearer k' },
) {
  await using server = await startOpenRouter({ respond: [], ...options })
  const response = await fetch(`${server.url}/embeddings`, { method: 'POST', headers, body: JSON.stringify(body) })
  const { requests, embeddings } = server
  return { status: response.status, body: (await response.json()) as Body, requests, embeddings }
}

/** The types of all that is in it; of lists of numbers only that. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return shapeOf(value[0])
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shapeOf(each)]))
}

const recordings = readRecordings('/embeddings')

describe('embeddings', () => {
  it.skipIf(recordings.length === 0)('a recorded request is answered in the recorded shape', async () => {
    for (const { request, response } of recordings) {
      const { status, body, requests, embeddings } = await ask(request.body)
      expect(status).toBe(response.status)
      expect(shapeOf(body)).toEqual(shapeOf(response.body))
      expect(body.data.map(({ embedding }) => embedding.length)).toEqual([request.body.dimensions])
      expect(body).toMatchObject({ model: response.body?.model })
      expect(requests).toEqual([])
      expect(embeddings.map(({ body }) => body)).toEqual([request.body])
    }
  })

  it('texts with words in common are nearer, and a text has one vector', async () => {
    const texts = ['green tea', 'a green teapot', 'stone', 'green tea', '!?']
    const { body } = await ask({ model: 'm/x', input: texts })
    const [tea, pot, stone, again, odd] = body.data.map(({ embedding }) => embedding as number[])
    const dot = (one: number[], two: number[]) => one.reduce((sum, value, at) => sum + value * two[at]!, 0)
    expect(again).toEqual(tea)
    expect(dot(tea!, pot!)).toBeGreaterThan(dot(tea!, stone!))
    for (const vector of [tea, pot, stone, odd]) {
      expect(vector).toHaveLength(1536)
      expect(dot(vector!, vector!)).toBeCloseTo(1)
    }
    expect(body.data.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4])
  })

  it('the openai client, which asks for base64, reads what was given', async () => {
    await using server = await startOpenRouter({ respond: [], embeddings: () => [[0.5, -1]] })
    const client = new OpenAI({ baseURL: server.url, apiKey: 'k' })
    const { data } = await client.embeddings.create({ model: 'm/x', input: 'tea' })
    expect(Array.from(data[0]!.embedding)).toEqual([0.5, -1])
    expect(server.embeddings[0]?.body).toMatchObject({ encoding_format: 'base64' })
  })

  it('answers with what the script says, errors too', async () => {
    const wrong = await ask(
      { model: 'm/x', input: ['a'] },
      { embeddings: async ({ input }) => ({ status: 429, error: { message: `busy with ${input}` } }) },
    )
    expect(wrong).toMatchObject({ status: 429, body: { error: { message: 'busy with a', code: 429 } } })
    const raw = await ask({ model: 'm/x', input: 'a' }, { embeddings: () => ({ body: '{"data":[]}' }) })
    expect(raw.body).toEqual({ data: [] })
  })

  const refused: [what: string, body: unknown, message: RegExp][] = [
    ['no object', [], /no JSON object/],
    ['no model', { input: 'a' }, /model: a model id is required/],
    ['no text', { model: 'm' }, /input\[0\]: undefined is not a non-empty string/],
    ['no texts', { model: 'm', input: [] }, /1 to 2048 texts are allowed, got 0/],
    ['too many texts', { model: 'm', input: Array(2049).fill('a') }, /got 2049/],
    ['an empty text', { model: 'm', input: ['a', ''] }, /input\[1\]: "" is not a non-empty string/],
    ['a text that is too long', { model: 'm', input: 'a'.repeat(32_769) }, /maximum context length is 8192 tokens/],
    ['too much text', { model: 'm', input: Array(40).fill('a'.repeat(32_000)) }, /Requested 320000 tokens/],
    ['no dimensions', { model: 'm', input: 'a', dimensions: 0 }, /dimensions: 0 is not a positive integer/],
    ['an unknown encoding', { model: 'm', input: 'a', encoding_format: 'int8' }, /encoding_format: "int8"/],
  ]
  it.each(refused)('refuses %s', async (_, body, message) => {
    const { status, body: answer } = await ask(body)
    expect(status).toBe(400)
    expect(answer.error?.message).toMatch(message)
  })

  it('lets in by key', async () => {
    const { status } = await ask({ model: 'm', input: 'a' }, { apiKey: 'other' })
    expect(status).toBe(401)
  })
})
