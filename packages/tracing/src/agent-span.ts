/** An agent at work, and what it and those below it spent. */
import { addUsage, describeError, type EventOf, isClewError, type Message, noUsage, type Usage } from '@clew/core'
import { type Context, type Link, SpanKind } from '@opentelemetry/api'
import { errorType } from './error-type.ts'
import type { Lens } from './lens.ts'
import type { Facts, OpenSpan } from './open-span.ts'

export type AgentStart = {
  name: string
  parent: Context
  facts: Facts
  links?: Link[]
  /** The agent that it works for or took over from: what is spent here is spent there. */
  above?: AgentSpan | undefined
}

/** What is said of a model that does not say who serves it. */
export const unknownProvider = 'unknown'

export class AgentSpan {
  readonly name: string
  readonly span: OpenSpan
  readonly #lens: Lens
  readonly #above: AgentSpan | undefined
  #usage: Usage = noUsage
  #end: EventOf<'run-end'> | undefined
  #isAsked = false

  constructor(lens: Lens, { name, parent, facts, links, above }: AgentStart) {
    this.name = name
    this.#lens = lens
    this.#above = above
    this.span = lens.open({
      name: `invoke_agent ${name}`,
      kind: SpanKind.INTERNAL,
      parent,
      ...(links && { links }),
      facts: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': name, ...facts },
    })
  }

  /** Its model calls tell what it works with. */
  asks(model: string | undefined, provider: string): void {
    this.#isAsked = true
    this.span.set({ 'gen_ai.request.model': model, 'gen_ai.provider.name': provider })
  }

  spend(usage: Usage | undefined): void {
    if (!usage) return
    this.#usage = addUsage(this.#usage, usage)
    this.#above?.spend(usage)
  }

  begun(instructions: string | undefined, input: readonly Message[]): void {
    const { content } = this.#lens
    if (!content) return
    this.span.show(() => ({
      'gen_ai.system_instructions': content.instructions(instructions),
      'gen_ai.input.messages': content.input(input),
    }))
  }

  /** Its last words so far. */
  said({ message, finishReason }: EventOf<'model-end'>): void {
    const { content } = this.#lens
    if (content) this.span.show(() => ({ 'gen_ai.output.messages': content.output(message, finishReason) }))
  }

  ended(event: EventOf<'run-end'>): void {
    this.#end = event
  }

  finish(facts: Facts, failure?: { error: unknown }): void {
    if (!this.#isAsked) this.asks(undefined, unknownProvider)
    const isAborted = failure !== undefined && isClewError(failure.error, 'abort')
    const status = failure && !isAborted ? 'failed' : (this.#end?.status ?? 'aborted')
    const { requests, inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens, usd } = this.#usage
    this.span.set({
      'clew.status': status,
      'clew.stop': this.#end?.stop,
      'clew.usage.requests': requests,
      'clew.usage.input_tokens': inputTokens,
      'clew.usage.output_tokens': outputTokens,
      'clew.usage.cache_read.input_tokens': cachedTokens,
      'clew.usage.cache_creation.input_tokens': cacheWriteTokens,
      'clew.usage.reasoning.output_tokens': reasoningTokens,
      'clew.usage.cost.usd': usd,
      ...facts,
    })
    if (status === 'failed') {
      this.span.fail(errorType(failure?.error), () => this.#lens.content?.text(describeError(failure?.error)))
    }
    this.span.end()
  }
}
