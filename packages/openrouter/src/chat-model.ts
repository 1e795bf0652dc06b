/** A model behind Chat Completions: asks, decodes, and asks again where that may help. */
import type { Model, ModelDelta, ModelReply } from '@clew/core'
import { DefinitionError, isClewError } from '@clew/core'
import type OpenAI from 'openai'
import { answer } from './answer.ts'
import type { ModelCard } from './card.ts'
import { costOf, estimateOf } from './card.ts'
import { outputStrategy, warn, warnOfUnknown } from './card-use.ts'
import { makeClient } from './client.ts'
import { RequestEncoder } from './encode.ts'
import { withLeakedCalls } from './leaked-calls.ts'
import { toWireParameters } from './parameters.ts'
import type { Profile } from './profile.ts'
import { remedyFor } from './remedy.ts'
import { type Attempt, defaultRetries, retryAfter } from './retry.ts'
import type { OpenRouterSettings } from './settings.ts'
import { unlessAborted } from './unless-aborted.ts'
import { wait } from './wait.ts'

export type ChatModelOptions = {
  id: string
  profile: Profile
  settings: OpenRouterSettings
  /** Who is told off in errors: `openrouter("…")`. */
  where: string
  /** The card that is known without asking anybody. */
  card?: ModelCard | undefined
  /** Fields over those of the settings, where the settings leave them out. */
  defaults?: { [field: string]: unknown }
}

/**
 * The request is streamed always, so that an abort ends it everywhere and a long answer never looks dead.
 * @throws DefinitionError for a setting that cannot be sent. A missing key is told at the first request.
 */
export function chatModel({ id, profile, settings, where, defaults, card: known }: ChatModelOptions): Model {
  if (typeof id !== 'string' || id.trim() === '')
    throw new DefinitionError(`${where}: give a model id such as "qwen/qwen3.5-9b".`)
  const parameters = { ...defaults, ...toWireParameters(settings, profile, where) }
  const { catalogue, retries = defaultRetries } = settings
  let card = known
  let setUp: Promise<{ client: OpenAI; encoder: RequestEncoder }> | undefined
  const prepare = async () => {
    const client = await makeClient(settings, profile)
    // Without its card a model works as well; the card only knows some things before.
    if (catalogue) card = await catalogue.model(id).catch((error) => withoutCard(error, known))
    if (card) warnOfUnknown(card, parameters)
    const output = card ? outputStrategy(card) : profile.output
    // A model of the fallback list may take more.
    const takes = settings.models ? undefined : card?.inputModalities
    return { client, encoder: new RequestEncoder({ model: id, profile, settings, parameters, output, takes }) }
  }
  return {
    id,
    provider: profile.name,
    contextTokens: () => card?.contextLength,
    estimateUsd: (request) => card && estimateOf(card, request),
    async *generate(request) {
      // A client that could not be made (no key yet) is tried again at the next request.
      setUp ??= prepare().catch((error) => {
        setUp = undefined
        throw error
      })
      const { client, encoder } = await unlessAborted(setUp, request.signal)
      const { signal } = request
      const { thinkTags = false } = profile
      const exchange = { client, model: id, signal, limits: settings.streamLimits, thinkTags }
      for (let failures = 0; ; ) {
        const attempt: Attempt = { shown: false, whole: false }
        const pieces = answer({ ...exchange, body: encoder.encode(request) }, attempt)
        try {
          // By hand, because each `yield*` on the way costs every piece of a long stream.
          let next = await pieces.next()
          for (; !next.done; next = await pieces.next()) yield next.value
          const reply = withLeakedCalls(next.value, request.tools)
          if (reply !== next.value) yield reply.toolCalls!.flatMap(asDeltas)
          return withCost(reply, card)
        } catch (error) {
          if (signal.aborted) throw error
          const remedy = attempt.shown ? undefined : remedyFor(error, encoder, request)
          const again = remedy ?? retryAfter(error, attempt, failures, retries)
          if (!again) throw error
          if (!remedy) failures++
          yield [again.restart]
          await wait(again.ms, signal)
        } finally {
          await pieces.return(undefined as never)
        }
      }
    },
  }
}

/** A call that was found at the end is shown as if it had come as one. */
function asDeltas({ name, arguments: text }: { name: string; arguments: string }, index: number): ModelDelta[] {
  return [
    { type: 'tool-input-start', index, name },
    { type: 'tool-input-delta', index, text },
    { type: 'tool-input-end', index },
  ]
}

/** A model that the catalogue does not have may be misspelt: its request will say so, this says what is near. */
function withoutCard(error: unknown, known: ModelCard | undefined): ModelCard | undefined {
  if (isClewError(error, 'input')) warn(error.message)
  return known
}

function withCost(reply: ModelReply, card: ModelCard | undefined): ModelReply {
  if (!reply.usage || reply.usage.usd !== undefined || !card) return reply
  const usd = costOf(card, reply.usage)
  return usd === undefined ? reply : { ...reply, usage: { ...reply.usage, usd } }
}
