/** A model call, from the moment it is made to its answer or its failure. */
import { describeError, type EventOf, isClewError, type ModelRequest, type Source, type Usage } from '@clew/core'
import { type Attributes, type Context, SpanKind } from '@opentelemetry/api'
import { finishWord } from './content.ts'
import { errorType } from './error-type.ts'
import type { Lens } from './lens.ts'
import { measure } from './metrics.ts'
import type { Facts, OpenSpan } from './open-span.ts'
import { breakIn } from './prefix.ts'

export type ChatStart = { model: string | undefined; provider: string; parent: Context; facts: Facts }

export class ChatSpan {
  readonly span: OpenSpan
  readonly #lens: Lens
  readonly #named: Attributes
  readonly #began = performance.now()
  #lastChunk: number | undefined
  #firstChunk: number | undefined
  readonly #chunks: number[] = []
  #isShown = false
  #retries = 0
  #restarts = 0
  #lostUsd: number | undefined
  #error: unknown

  constructor(lens: Lens, { model, provider, parent, facts }: ChatStart) {
    this.#lens = lens
    this.#named = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': provider,
      ...(model !== undefined && { 'gen_ai.request.model': model }),
    }
    const name = model === undefined ? 'chat' : `chat ${model}`
    this.span = lens.open({ name, kind: SpanKind.CLIENT, parent, facts: { ...this.#named, ...facts } })
  }

  /** What is sent, where a layer of ours stands before the model; `before` is the run's request before this one. */
  asked(request: ModelRequest, before: ModelRequest | undefined): void {
    const { content } = this.#lens
    this.span.show(() => ({
      'gen_ai.output.type': request.output && 'json',
      'clew.cache_prefix.break': before && breakIn(before, request),
      'gen_ai.system_instructions': content?.instructions(request.instructions),
      'gen_ai.input.messages': content?.input(request.messages),
      'gen_ai.tool.definitions': content?.tools(request.tools),
    }))
  }

  /** What the layer before the model caught; the event that comes of it has only its message. */
  caught(error: unknown): void {
    this.#error = error
  }

  chunk(): void {
    const now = performance.now()
    this.#isShown = true
    this.#firstChunk ??= (now - this.#began) / 1000
    if (this.#lastChunk !== undefined && this.#lens.instruments) this.#chunks.push((now - this.#lastChunk) / 1000)
    this.#lastChunk = now
  }

  /** Before anything was shown it is a retry; afterwards, what was shown is void. */
  restart(usage: Usage | undefined): void {
    if (this.#isShown) this.#restarts += 1
    else this.#retries += 1
    this.span.note(this.#isShown ? 'clew.restart' : 'clew.retry')
    this.#isShown = false
    this.#firstChunk = this.#lastChunk = undefined
    this.#lost(usage)
  }

  end({ message, usage, finishReason }: EventOf<'model-end'>, budget: Facts): void {
    const { source } = message
    const { content } = this.#lens
    if (content) this.span.show(() => ({ 'gen_ai.output.messages': content.output(message, finishReason) }))
    const hidden = message.reasoningDetails?.filter(isEncrypted).length
    const told = usage.unreported ? undefined : usage
    this.#finish(told, source, {
      ...budget,
      'gen_ai.response.finish_reasons': [finishWord(finishReason)],
      'clew.cost.usd': usage.usd,
      'clew.reasoning.encrypted': hidden || undefined,
    })
  }

  /** The answer was left before its end. */
  abort(): void {
    this.#finish(undefined, undefined, { 'clew.aborted': true })
  }

  fail({ error, usage }: EventOf<'model-failed'>): void {
    const details = isClewError(this.#error, 'model') ? this.#error.details : {}
    const type = this.#error === undefined ? 'ModelError' : errorType(this.#error)
    this.span.fail(type, () => this.#lens.content?.text(error))
    this.#lost(usage)
    const { provider, generationId } = details
    this.#finish(undefined, undefined, { 'clew.upstream.provider': provider, 'clew.generation.id': generationId }, type)
  }

  /** The run broke off around it. */
  break(error: unknown): void {
    const type = errorType(error)
    this.span.fail(type, () => this.#lens.content?.text(describeError(error)))
    this.#finish(undefined, undefined, {}, type)
  }

  #lost(usage: Usage | undefined): void {
    if (usage?.usd !== undefined) this.#lostUsd = (this.#lostUsd ?? 0) + usage.usd
  }

  #finish(usage: Usage | undefined, source: Source | undefined, facts: Facts, type?: string): void {
    this.span.set({
      'gen_ai.request.stream': this.#firstChunk === undefined ? undefined : true,
      'gen_ai.response.time_to_first_chunk': this.#firstChunk,
      'gen_ai.response.model': source?.model,
      'gen_ai.response.id': source?.generationId,
      'clew.upstream.provider': source?.provider,
      'clew.generation.id': source?.generationId,
      'gen_ai.usage.input_tokens': usage?.inputTokens,
      'gen_ai.usage.output_tokens': usage?.outputTokens,
      'gen_ai.usage.cache_read.input_tokens': usage?.cachedTokens,
      'gen_ai.usage.cache_creation.input_tokens': usage?.cacheWriteTokens,
      'gen_ai.usage.reasoning.output_tokens': usage?.reasoningTokens,
      'clew.retries': this.#retries,
      'clew.restarts': this.#restarts,
      'clew.lost.cost.usd': this.#lostUsd,
      ...facts,
    })
    this.span.end()
    if (!this.#lens.instruments) return
    const seconds = (performance.now() - this.#began) / 1000
    const measured = { seconds, firstChunk: this.#firstChunk, chunks: this.#chunks }
    const named = { ...this.#named, ...(source && { 'gen_ai.response.model': source.model }) }
    measure(this.#lens.instruments, measured, usage, named, type)
  }
}

function isEncrypted(detail: unknown): boolean {
  return (detail as { type?: unknown } | null)?.type === 'reasoning.encrypted'
}
