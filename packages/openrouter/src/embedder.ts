/** `embedder()`: texts to vectors by one model of one server (section 12 of the wire contract). */
import { DefinitionError, InputError, isClewError, ModelError } from '@clew/core'
import type OpenAI from 'openai'
import { makeClient } from './client.ts'
import { askForVectors, type VectorsRequest } from './embeddings.ts'
import { check, checkConnection } from './parameters.ts'
import type { Profile } from './profile.ts'
import { type Attempt, defaultRetries, retryAfter } from './retry.ts'
import { connectionRules, type Rule, whole } from './rules.ts'
import type { ConnectionSettings } from './settings.ts'
import { unlessAborted } from './unless-aborted.ts'
import { wait } from './wait.ts'

/**
 * One vector for each text, in their order, all of one dimension. For `recall(memory, { embed })` and the like.
 *
 * Rejects with `InputError` for what is no text or is empty, with `ModelError` when the server fails or answers with something
 * else than vectors that fit, and with the signal's reason when that is aborted.
 */
export type Embedder = (texts: string[], signal?: AbortSignal) => Promise<number[][]>

/** `extraBody` takes what else a model understands, as it stands on the wire: `input_type`, or OpenRouter's `provider`. */
export type EmbedderSettings = Omit<ConnectionSettings, 'catalogue'> & {
  /** How many numbers a vector has, where the model lets one choose. Default: the model's own. */
  dimensions?: number
}

/**
 * What goes into one request. Hosts take from 64 texts (Mistral) to 2,048 (OpenAI), and OpenAI 300,000 tokens; a character
 * is three at most.
 */
const perRequest = { texts: 64, characters: 100_000 }

const dimensionsRule: Rule = whole('dimensions', 1)
const ownFields = ['model', 'input', 'dimensions', 'encoding_format']

/** @throws DefinitionError for a setting that cannot be sent. A missing key is told at the first request. */
export function embedder(id: string, profile: Profile, settings: EmbedderSettings, where: string): Embedder {
  if (typeof id !== 'string' || id.trim() === '')
    throw new DefinitionError(`${where}: give a model id such as "openai/text-embedding-3-small".`)
  checkSettings(settings, where)
  const { dimensions, extraBody, retries = defaultRetries, streamLimits: limits } = settings
  let client: Promise<OpenAI> | undefined
  /** Of the first vector that came: those of another model, or of another of its sizes, cannot be compared. */
  let known = dimensions

  async function ask(request: VectorsRequest): Promise<number[][]> {
    for (let failures = 0; ; failures += 1) {
      const attempt: Attempt = { shown: false, whole: false }
      try {
        return await askForVectors(request, attempt)
      } catch (error) {
        request.signal.throwIfAborted()
        const again = retryAfter(error, attempt, failures, retries)
        if (!again) throw withAdvice(error, request.texts)
        await wait(again.ms, request.signal)
      }
    }
  }

  return async (texts, signal = new AbortController().signal) => {
    const batches = batchesOf(texts, where)
    // A client that could not be made (no key yet) is tried again the next time.
    client ??= makeClient(settings, profile).catch((error) => {
      client = undefined
      throw error
    })
    const made = await unlessAborted(client, signal)
    const vectors: number[][] = []
    for (const batch of batches) {
      const body = { ...extraBody, model: id, input: batch.length === 1 ? batch[0] : batch }
      const sized = dimensions === undefined ? body : { ...body, dimensions }
      const found = await ask({ client: made, texts: batch, body: JSON.stringify(sized), signal, limits })
      for (const vector of found) {
        known ??= vector.length
        if (vector.length !== known) throw otherDimension(where, vector.length, known, dimensions)
        vectors.push(vector)
      }
    }
    return vectors
  }
}

/** @throws DefinitionError */
export function checkSettings(settings: EmbedderSettings, where: string): void {
  const { catalogue: _, ...connection } = connectionRules
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue
    if (name === 'dimensions') check(dimensionsRule, value, where, name)
    else if (Object.hasOwn(connection, name)) checkConnection(name as keyof typeof connection, value, where)
    else {
      const names = ['dimensions', ...Object.keys(connection)].join(', ')
      throw new DefinitionError(`${where}: there is no setting "${name}". Known: ${names}.`)
    }
  }
  const own = ownFields.find((field) => Object.hasOwn(settings.extraBody ?? {}, field))
  if (own) throw new DefinitionError(`${where}: extraBody.${own} would replace what Clew sends; leave it out.`)
}

/** @throws InputError for what is no text or is empty, before anything is sent. */
function batchesOf(texts: string[], where: string): string[][] {
  if (!Array.isArray(texts)) throw new InputError(`${where}: give a list of texts, not ${typeof texts}.`)
  const batches: string[][] = []
  let room = 0
  for (const [index, text] of texts.entries()) {
    if (typeof text !== 'string' || text === '') {
      const what =
        text === '' ? 'empty, and no model gives a vector for that. Leave it out' : `no text (${typeof text})`
      throw new InputError(`${where}: text ${index} of ${texts.length} is ${what}.`)
    }
    const last = batches.at(-1)
    room -= text.length
    if (last && room >= 0 && last.length < perRequest.texts) last.push(text)
    else {
      batches.push([text])
      room = perRequest.characters - text.length
    }
  }
  return batches
}

/** Which text it was the server does not say. */
function withAdvice(error: unknown, texts: string[]): unknown {
  if (!isClewError(error, 'model') || error.details.kind !== 'context-overflow') return error
  const longest = Math.max(...texts.map(({ length }) => length))
  return new ModelError(
    `${error.message} The longest text has ${longest} characters: split it into passages, with a vector each.`,
    error.details,
    { cause: error },
  )
}

function otherDimension(where: string, found: number, known: number, asked: number | undefined): ModelError {
  const next =
    asked === undefined
      ? `vectors before had ${known}. Another model answers under that name: embed all texts anew with one model`
      : `dimensions is ${asked}. Leave dimensions out, or take a model that lets one choose`
  return new ModelError(`${where}: a vector has ${found} numbers, and ${next}.`, { code: 'bad-vectors' })
}
