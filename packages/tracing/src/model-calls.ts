/** The model calls of a run: one after the other, never two at once. */
import type { EventOf, ModelRequest, RunEvent } from '@clew/core'
import { type AgentSpan, unknownProvider } from './agent-span.ts'
import { ChatSpan } from './chat-span.ts'
import type { Lens } from './lens.ts'
import type { Facts } from './open-span.ts'

export class ModelCalls {
  /** The one under way. */
  current: ChatSpan | undefined
  /** How many were begun. */
  count = 0
  readonly #lens: Lens
  readonly #budget: () => Facts
  #request: ModelRequest | undefined

  /** `budget`: what is left of the run's, for the span of each call. */
  constructor(lens: Lens, budget: () => Facts) {
    this.#lens = lens
    this.#budget = budget
  }

  begin({ model, provider = unknownProvider }: EventOf<'turn-start'>, agent: AgentSpan, facts: Facts): void {
    this.count += 1
    agent.asks(model, provider)
    this.current = new ChatSpan(this.#lens, {
      model,
      provider,
      parent: agent.span.context,
      facts: { ...facts, 'gen_ai.agent.name': agent.name },
    })
  }

  asked(request: ModelRequest): void {
    this.current?.asked(request, this.#request)
    this.#request = request
  }

  /** `agent` is the one that asks. */
  see(event: RunEvent, agent: AgentSpan): void {
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'tool-input-start':
      case 'tool-input-delta':
        this.current?.chunk()
        return
      case 'model-restart':
        agent.spend(event.usage)
        this.current?.restart(event.usage)
        return
      case 'model-end':
        agent.spend(event.usage)
        agent.said(event)
        this.current?.end(event, this.#budget())
        break
      case 'model-failed':
        agent.spend(event.usage)
        this.current?.fail(event)
        break
      case 'model-aborted':
        this.current?.abort()
        break
      default:
        return
    }
    this.current = undefined
  }

  /** The run is over, or was broken off. */
  finish(failure: { error: unknown } | undefined): void {
    if (failure) this.current?.break(failure.error)
    else this.current?.abort()
    this.current = undefined
  }
}
