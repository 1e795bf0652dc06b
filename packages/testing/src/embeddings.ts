/** `answerEmbeddings()`: `POST /embeddings` of the local server: refused as providers do, or answered with vectors. */
import type { LocalError, LocalRaw } from './reply.ts'
import { isRecord } from './strict-schema.ts'

/** A request that was not refused, with its texts as a list. */
export type EmbeddingsRequest = { model: string; input: string[]; dimensions?: number; [field: string]: unknown }
/** One vector for each text, or a body or an error as it is. */
export type RespondEmbeddings = (
  request: EmbeddingsRequest,
) => number[][] | LocalError | LocalRaw | Promise<number[][] | LocalError | LocalRaw>

/** The limits of OpenAI's endpoint; of others some are lower. */
const maxTexts = 2048
const maxTokens = { text: 8192, request: 300_000 }
const defaultDimensions = 1536
const usdPerToken = 0.02e-6

export async function answerEmbeddings(
  body: unknown,
  turn: number,
  respond: RespondEmbeddings | undefined,
): Promise<LocalError | LocalRaw> {
  const problem = refusal(body)
  if (problem) return { status: 400, error: { message: problem, code: 400, metadata: { provider_name: 'Localhost' } } }
  const given = body as EmbeddingsRequest
  // A single text may stand for itself.
  const request = { ...given, input: [given.input].flat() }
  const vectors = await (respond ?? byWords)(request)
  return Array.isArray(vectors) ? { body: JSON.stringify(toBody(vectors, request, turn)) } : vectors
}

/** The shape of August 2026. */
function toBody(
  vectors: number[][],
  { model, input, encoding_format: format }: EmbeddingsRequest,
  turn: number,
): object {
  const tokens = input.reduce((sum, text) => sum + tokensOf(text), 0)
  const cost = tokens * usdPerToken
  const data = vectors.map((vector, index) => {
    const embedding = format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector
    return { object: 'embedding', embedding, index }
  })
  const details = { upstream_inference_prompt_cost: cost, upstream_inference_completions_cost: 0 }
  return {
    object: 'list',
    data,
    // Without its maker.
    model: model.slice(model.lastIndexOf('/') + 1),
    usage: {
      prompt_tokens: tokens,
      total_tokens: tokens,
      cost,
      is_byok: false,
      cost_details: { upstream_inference_cost: cost, ...details },
    },
    provider: 'Localhost',
    id: `gen-emb-${turn}`,
  }
}

function refusal(body: unknown): string | undefined {
  if (!isRecord(body)) return 'The body is no JSON object'
  const { model, input, dimensions, encoding_format: format } = body
  if (typeof model !== 'string' || model === '') return 'model: a model id is required'
  const texts: unknown[] = Array.isArray(input) ? input : [input]
  if (texts.length === 0 || texts.length > maxTexts)
    return `input: 1 to ${maxTexts} texts are allowed, got ${texts.length}`
  const bad = texts.findIndex((text) => typeof text !== 'string' || text === '')
  if (bad >= 0) return `input[${bad}]: ${JSON.stringify(texts[bad])} is not a non-empty string`
  const sizes = (texts as string[]).map(tokensOf)
  const most = Math.max(...sizes)
  if (most > maxTokens.text)
    return `This model's maximum context length is ${maxTokens.text} tokens, however you requested ${most} tokens. Please reduce your prompt.`
  const sum = sizes.reduce((total, size) => total + size, 0)
  if (sum > maxTokens.request) return `Requested ${sum} tokens, max ${maxTokens.request} tokens per request`
  if (dimensions !== undefined && !(Number.isInteger(dimensions) && (dimensions as number) > 0))
    return `dimensions: ${JSON.stringify(dimensions)} is not a positive integer`
  if (format !== undefined && format !== 'float' && format !== 'base64')
    return `encoding_format: ${JSON.stringify(format)} is not one of float, base64`
  return undefined
}

const tokensOf = (text: string) => Math.ceil(text.length / 4)

/** Texts with words in common are near each other: each word has a place and a sign of its own, found by its hash (FNV-1a). */
function byWords({ input, dimensions = defaultDimensions }: EmbeddingsRequest): number[][] {
  return input.map((text) => {
    const vector = Array<number>(dimensions).fill(0)
    for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]) {
      let hash = 0x811c9dc5
      for (const unit of Buffer.from(word)) hash = Math.imul(hash ^ unit, 0x01000193)
      const at = (hash >>> 1) % dimensions
      vector[at] = (vector[at] as number) + (hash & 1 ? 1 : -1)
    }
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
    return length === 0 ? vector : vector.map((value) => value / length)
  })
}
