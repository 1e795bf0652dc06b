/** `askForVectors()`: one request to `/embeddings`, and the vectors of its answer (section 12 of the wire contract). */
import { ModelError } from '@clew/core'
import type OpenAI from 'openai'
import { brokenOff } from './answer.ts'
import type { StreamLimits } from './bounded-reader.ts'
import { fromClientError, toModelError, type WireError, wrongPath } from './errors.ts'
import { fieldsOf } from './json.ts'
import type { Attempt } from './retry.ts'
import { readText } from './sse.ts'

export type VectorsRequest = {
  client: OpenAI
  texts: string[]
  body: string
  signal: AbortSignal
  limits: StreamLimits | undefined
}

/** In the order of the texts. @throws ModelError for every kind of failure. */
export async function askForVectors(request: VectorsRequest, attempt: Attempt): Promise<number[][]> {
  const { client, texts, limits } = request
  attempt.whole = false
  const response = await post(request)
  const text = await readText(response.body, limits).catch((error) => {
    throw brokenOff(error)
  })
  // Told in words of its own, under a good status: that is its last word.
  attempt.whole = true
  const answer = fieldsOf(parse(text, client.baseURL))
  if (answer.error) throw toModelError(answer.error as WireError, { headers: response.headers })
  return readVectors(answer.data, texts.length)
}

async function post({ client, body, signal }: VectorsRequest): Promise<Response> {
  try {
    const headers = { 'content-type': 'application/json' }
    return await client.post('/embeddings', { body, headers, signal, maxRetries: 0 }).asResponse()
  } catch (error) {
    throw fromClientError(error, client.baseURL)
  }
}

function parse(text: string, baseURL: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const hint = /<html|<!doctype/i.test(text) ? ` ${wrongPath(baseURL)}` : ''
    throw bad(`is no JSON: ${JSON.stringify(text.slice(0, 200))}.${hint}`, cause)
  }
}

/** Each says by `index` which text it is for; without one they stand in the order of the texts. */
function readVectors(data: unknown, count: number): number[][] {
  if (!Array.isArray(data)) throw bad('has no list of vectors (data). Does the model make embeddings?')
  if (data.length !== count)
    throw bad(`has ${data.length} vectors for ${count} texts. Ask again, or for fewer at a time.`)
  const vectors = Array<number[] | undefined>(count).fill(undefined)
  for (const [position, entry] of data.entries()) {
    const { index, embedding } = fieldsOf(entry)
    const at = (index ?? position) as number
    if (!Number.isInteger(at) || at < 0 || at >= count)
      throw bad(`has a vector for text ${String(at)} of ${count}, which there is not.`)
    if (vectors[at]) throw bad(`has two vectors for text ${at}, and none for another.`)
    vectors[at] = readVector(embedding, at)
  }
  return vectors as number[][]
}

function readVector(embedding: unknown, index: number): number[] {
  if (!Array.isArray(embedding) || embedding.length === 0)
    throw bad(`has no vector for text ${index}. Does the model make embeddings?`)
  const at = embedding.findIndex((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
  if (at < 0) return embedding
  throw bad(`has ${String(embedding[at])} at ${at} of the vector for text ${index}, which is no finite 32-bit number.`)
}

function bad(what: string, cause?: unknown): ModelError {
  return new ModelError(`The answer ${what}`, { code: 'bad-vectors' }, cause === undefined ? undefined : { cause })
}
