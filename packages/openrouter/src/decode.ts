/**
 * An answer out of its chunks (sections 6 to 9 of the wire contract). Lenient: unknown fields, types and reasons pass.
 * Strict in one thing: what failed or was cut is never taken for an answer.
 */
import type { Content, FinishReason, Json, ModelDelta, ModelReply, Source, Usage } from '@clew/core'
import { ModelError } from '@clew/core'
import type { WireError } from './errors.ts'
import { toModelError } from './errors.ts'
import { type Fields, isObject } from './json.ts'
import { mergeDetail, readableDetails } from './reasoning.ts'
import { ThinkTags } from './think-tags.ts'
import { ToolCallAssembly } from './tool-calls.ts'
import { readUsage } from './usage.ts'

type Shown = { reasoning: string; text: string }

export class AnswerDecoder {
  #text = ''
  #reasoning = ''
  #refusal = ''
  #details: Json[] | undefined
  /** The reasoning shown last came from the details, not from the plain string. */
  #isReadable = false
  #annotations: Json[] = []
  #images: string[] = []
  #finish: string | undefined
  #nativeFinish: string | undefined
  #usage: Usage | undefined
  #logprobs: Json[] = []
  #hasChoice = false
  #index: unknown
  #failure: WireError | undefined
  readonly #source: Source
  readonly #calls = new ToolCallAssembly()

  readonly #headerId: string | undefined
  readonly #thinkTags: ThinkTags | undefined

  /**
   * `headerId`: the generation id of the response's header, for answers that tell none themselves; `thinkTags`: reasoning
   * may stand before the content in `<think>`.
   */
  constructor(model: string, { headerId, thinkTags }: { headerId?: string | undefined; thinkTags?: boolean } = {}) {
    this.#source = { model }
    this.#headerId = headerId
    if (thinkTags) this.#thinkTags = new ThinkTags()
  }

  /** Takes one parsed chunk (or a whole answer that was not streamed) and returns what it showed. */
  push(chunk: unknown): ModelDelta[] {
    const deltas: ModelDelta[] = []
    if (!isObject(chunk)) return deltas
    this.#readEnvelope(chunk)
    const choice = this.#choiceOf(chunk)
    if (!choice) return deltas
    this.#hasChoice = true
    if (isObject(choice.logprobs) && Array.isArray(choice.logprobs.content))
      for (const each of choice.logprobs.content) this.#logprobs.push(each as Json)
    if (choice.error) this.#failure ??= choice.error as WireError
    const native = choice.native_finish_reason
    if (choice.finish_reason === 'error') {
      const reason = typeof native === 'string' ? native : 'no reason given'
      this.#failure ??= { message: `The provider gave up (${reason}).` }
    }
    if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '') this.#finish = choice.finish_reason
    if (typeof native === 'string') this.#nativeFinish = native
    if (isObject(choice.delta)) this.#readDelta(choice.delta, deltas, true)
    else if (isObject(choice.message) && !this.#isSaid(choice.message)) this.#readDelta(choice.message, deltas, false)
    return deltas
  }

  /** `complete`: the server said that it was done. @throws ModelError with what had arrived, when this is no whole answer. */
  finish(complete: boolean): { deltas: ModelDelta[]; reply: ModelReply } {
    const deltas: ModelDelta[] = []
    if (this.#thinkTags) this.#showSplit(this.#thinkTags.end(), deltas)
    if (this.#failure) throw this.failed(toModelError(this.#failure))
    if (!complete && this.#finish === undefined) {
      throw this.failed(
        new ModelError('The answer broke off: the stream ended before the model was done.', {
          code: 'incomplete-stream',
          retryable: true,
        }),
      )
    }
    if (!this.#hasChoice)
      throw this.failed(new ModelError('The answer holds no choice.', { code: 'no-choice', retryable: true }))
    const toolCalls = this.#calls.calls
    if (this.#finish === undefined && toolCalls.length === 0 && this.#isEmpty()) {
      throw this.failed(
        new ModelError('The answer is empty: no text, no calls and no reason.', {
          code: 'empty-answer',
          retryable: true,
        }),
      )
    }
    if (this.#finish === 'tool_calls' && toolCalls.length === 0 && this.#isEmpty()) {
      const message = 'The provider says that the model called tools, but sent no call.'
      throw this.failed(new ModelError(message, { code: 'lost-calls', retryable: true }))
    }
    const reason = finishReason(this.#finish, toolCalls.length > 0)
    // A word that only the provider knows says more than its neighbour's.
    const raw = reason === 'other' ? this.#finish : (this.#nativeFinish ?? this.#finish)
    const generationId = this.#source.generationId ?? this.#headerId
    const reply: ModelReply = {
      content: this.#content(),
      ...(this.#reasoning !== '' && { reasoning: this.#reasoning }),
      ...(this.#details && { reasoningDetails: this.#details }),
      ...(toolCalls.length > 0 && { toolCalls }),
      ...(this.#refusal !== '' && { refusal: this.#refusal }),
      ...(this.#annotations.length > 0 && { annotations: this.#annotations }),
      ...(this.#logprobs.length > 0 && { logprobs: this.#logprobs }),
      finishReason: reason,
      ...(raw !== undefined && { rawFinishReason: raw }),
      ...(this.#usage && { usage: this.#usage }),
      source: { ...this.#source, ...(generationId !== undefined && { generationId }) },
    }
    return { deltas: [...deltas, ...this.#calls.end()], reply }
  }

  /** It failed, or it told finish and usage: by the contract nothing that matters can follow. */
  get isSettled(): boolean {
    return this.#failure !== undefined || (this.#finish !== undefined && this.#usage !== undefined)
  }

  /** What had arrived, for an error or an abort. */
  get partial(): { text: string; reasoning: string } {
    return { text: this.#text, reasoning: this.#reasoning }
  }

  /** One alternative of the answer, always the same one: the first that came, or number 0 where several come at once. */
  #choiceOf({ choices }: Fields): Fields | undefined {
    if (!Array.isArray(choices)) return undefined
    const only: unknown = choices.length === 1 ? choices[0] : undefined
    // Nearly always there is one, and this is asked for every chunk.
    if (isObject(only) && (only.index ?? 0) === (this.#index ?? 0)) {
      this.#index ??= 0
      return only
    }
    const all = choices.filter(isObject)
    const found = all.find(({ index }) => (index ?? 0) === (this.#index ?? 0))
    const choice = found ?? (this.#index === undefined ? all[0] : undefined)
    if (choice) this.#index ??= choice.index ?? 0
    return choice
  }

  /** Some servers end a stream with the whole message: what it says again was said, and its calls were made. */
  #isSaid({ content }: Fields): boolean {
    const hasBegun = this.#text !== '' || this.#calls.calls.length > 0
    return hasBegun && textIn(content) === this.#text
  }

  #readEnvelope(chunk: Fields): void {
    if (chunk.error) this.#failure ??= chunk.error as WireError
    // vLLM and its like send the error itself.
    else if (chunk.choices === undefined && typeof chunk.message === 'string') this.#failure ??= chunk as WireError
    if (typeof chunk.id === 'string' && chunk.id !== '') this.#source.generationId ??= chunk.id
    if (typeof chunk.provider === 'string' && chunk.provider !== '') this.#source.provider ??= chunk.provider
    if (typeof chunk.model === 'string' && chunk.model !== '') this.#source.model = chunk.model
    // Some servers repeat a running total: the last one counts, they are never added up.
    this.#usage = readUsage(chunk.usage) ?? this.#usage
  }

  #readDelta(delta: Fields, deltas: ModelDelta[], isFragment: boolean): void {
    const details = Array.isArray(delta.reasoning_details) ? (delta.reasoning_details as Json[]) : undefined
    if (details) {
      this.#details ??= []
      // Fragments are merged; the entries of a whole message stay as they are.
      if (isFragment) for (const detail of details) mergeDetail(this.#details, detail)
      else for (const detail of details) this.#details.push(detail)
    }
    // The plain string repeats the details: one of the two is shown, the string where they bring no text.
    const readable = readableDetails(details)
    const plain = textIn(delta.reasoning) || textIn(delta.reasoning_content)
    // Some hosts stream the one, and end with the whole of the other.
    const isRepeated = (readable || plain) === this.#reasoning && (readable !== '') !== this.#isReadable
    const reasoning = isRepeated ? '' : readable || plain
    if (reasoning !== '') this.#isReadable = readable !== ''
    const text = textIn(delta.content)
    this.#show(reasoning, this.#thinkTags ? '' : text, deltas)
    if (this.#thinkTags) this.#showSplit(this.#thinkTags.push(text), deltas)
    this.#refusal += textIn(delta.refusal)
    if (Array.isArray(delta.annotations)) for (const each of delta.annotations) this.#annotations.push(each as Json)
    if (Array.isArray(delta.images)) for (const url of delta.images.flatMap(imageUrl)) this.#images.push(url)
    if (Array.isArray(delta.tool_calls))
      for (const each of delta.tool_calls) this.#calls.push(each, deltas, !isFragment)
    // The form before there were several calls; old gateways still speak it.
    else if (isObject(delta.function_call)) this.#calls.push({ function: delta.function_call }, deltas)
  }

  #showSplit({ reasoning, text }: Shown, deltas: ModelDelta[]): void {
    this.#show(reasoning, text, deltas)
  }

  #show(reasoning: string, text: string, deltas: ModelDelta[]): void {
    if (reasoning !== '') {
      this.#reasoning += reasoning
      deltas.push({ type: 'reasoning-delta', text: reasoning })
    }
    if (text !== '') {
      this.#text += text
      deltas.push({ type: 'text-delta', text })
    }
  }

  #content(): Content {
    if (this.#images.length === 0) return this.#text
    const images = this.#images.map((url) => ({ type: 'image' as const, url }))
    return this.#text === '' ? images : [{ type: 'text', text: this.#text }, ...images]
  }

  #isEmpty(): boolean {
    return this.#text === '' && this.#refusal === '' && this.#images.length === 0
  }

  /** `error` with all that had arrived before it. */
  failed(error: ModelError): ModelError {
    const { provider, generationId = this.#headerId } = this.#source
    return new ModelError(
      error.message,
      {
        ...(provider && { provider }),
        ...error.details,
        ...(generationId && { generationId }),
        partial: this.partial,
        ...(this.#usage && { usage: this.#usage }),
      },
      { cause: error.cause },
    )
  }
}

/** Calls count, whatever the reason says; but a cut answer is a cut answer. */
function finishReason(reason: string | undefined, hasCalls: boolean): FinishReason {
  if (/^(length|max_(output_)?tokens|model_context_window_exceeded)$/i.test(reason ?? '')) return 'length'
  if (reason === 'content_filter') return 'content-filter'
  if (hasCalls) return 'tool-calls'
  return reason === undefined || reason === 'stop' || reason === 'tool_calls' ? 'stop' : 'other'
}

function textIn(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  return value.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('')
}

function imageUrl(image: unknown): string[] {
  const url = isObject(image) && isObject(image.image_url) ? image.image_url.url : undefined
  return typeof url === 'string' ? [url] : []
}
