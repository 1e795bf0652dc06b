/** A model that gives the answers of a script, one after the other, and remembers what it was asked. */

import type { Json } from '../json.ts'
import type { Usage } from '../message.ts'
import type { FinishReason, Model, ModelDelta, ModelReply, ModelRequest } from '../model.ts'

/**
 * One answer: a text; calls; an error to throw; or a function of the request that gives one of these.
 * `arguments` may be a text, to play a model that writes bad JSON. `chunks` splits the text into so many deltas.
 */
export type ScriptedReply =
  | string
  | Error
  | {
      text?: string
      reasoning?: string
      reasoningDetails?: Json[]
      calls?: { id?: string; name: string; arguments?: unknown }[]
      finishReason?: FinishReason
      rawFinishReason?: string
      refusal?: string
      usage?: Partial<Usage>
      chunks?: number
      /** Waits for this before it answers. */
      after?: Promise<unknown>
    }

export type ScriptedModel = Model & {
  /** The requests so far, as they stood when they came. */
  readonly requests: ModelRequest[]
  /** @throws when answers of the script were not asked for. */
  assertComplete(): void
}

type Script = readonly (ScriptedReply | ((request: ModelRequest) => ScriptedReply | Promise<ScriptedReply>))[]

/**
 * A list is played in order, and asking beyond its end is an error; a function answers every request.
 */
export function scriptedModel(
  script: Script | ((request: ModelRequest, turn: number) => ScriptedReply | Promise<ScriptedReply>),
): ScriptedModel {
  const requests: ModelRequest[] = []
  return {
    id: 'scripted',
    requests,
    async *generate(request) {
      const turn = requests.push(request)
      const entry = typeof script === 'function' ? await script(request, turn) : script[turn - 1]
      if (entry === undefined) {
        throw new Error(
          `The script has ${typeof script === 'function' ? 'no answer' : `${script.length} answers`}, but was asked for answer ${turn}.`,
        )
      }
      const reply = typeof entry === 'function' ? await entry(request) : entry
      return yield* play(reply, request)
    },
    assertComplete() {
      if (typeof script !== 'function' && requests.length < script.length) {
        throw new Error(`${script.length - requests.length} of ${script.length} scripted answers were not asked for.`)
      }
    },
  }
}

async function* play(reply: ScriptedReply, request: ModelRequest): AsyncGenerator<ModelDelta[], ModelReply> {
  if (reply instanceof Error) throw reply
  const given = typeof reply === 'string' ? { text: reply } : reply
  const { text = '', reasoning, calls = [] } = given
  if ('after' in given) await orAborted(given.after, request.signal)
  request.signal.throwIfAborted()
  if (reasoning) yield [{ type: 'reasoning-delta', text: reasoning }]
  for (const piece of split(text, given.chunks ?? 1)) {
    yield [{ type: 'text-delta', text: piece }]
    request.signal.throwIfAborted()
  }
  const toolCalls = calls.map(({ id, name, arguments: given }) => ({
    ...(id !== undefined && { id }),
    name,
    arguments: typeof given === 'string' ? given : JSON.stringify(given ?? {}),
  }))
  for (const [index, call] of toolCalls.entries()) {
    yield [
      { type: 'tool-input-start', index, name: call.name },
      { type: 'tool-input-delta', index, text: call.arguments },
      { type: 'tool-input-end', index },
    ]
  }
  return {
    content: text,
    ...(reasoning && { reasoning }),
    ...(given.reasoningDetails && { reasoningDetails: given.reasoningDetails }),
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(given.refusal !== undefined && { refusal: given.refusal }),
    finishReason: given.finishReason ?? (toolCalls.length > 0 ? 'tool-calls' : 'stop'),
    ...(given.rawFinishReason !== undefined && { rawFinishReason: given.rawFinishReason }),
    usage: {
      requests: 1,
      inputTokens: 10,
      outputTokens: 5,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      ...given.usage,
    },
    source: { model: 'scripted' },
  }
}

function split(text: string, count: number): string[] {
  if (text === '') return []
  const size = Math.ceil(text.length / count)
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  )
}

function orAborted(promise: Promise<unknown> | undefined, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    promise?.then(resolve, reject)
  })
}
