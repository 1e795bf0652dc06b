/**
 * A run as spans, made of its events: whatever happens in a run is an event, also in agents that have no `trace()` of
 * their own. Layers around models and tools only add what the events leave out.
 */
import { type EventOf, type RunEvent, type RunState, textOf, type Usage } from '@clew/core'
import type { Context, Link } from '@opentelemetry/api'
import { AgentSpan } from './agent-span.ts'
import type { Lens } from './lens.ts'
import { ModelCalls } from './model-calls.ts'
import { noteAnswer, noteCompacted, noteWait } from './notes.ts'
import type { Facts, OpenSpan } from './open-span.ts'
import { ToolSpan } from './tool-span.ts'
import { childOf, type Waits } from './waits.ts'

export type TrailStart = {
  lens: Lens
  runId: string
  agent: string
  /** The agents from the root to this one. */
  path: readonly string[]
  conversation: string
  parent: Context
  links?: Link[]
  /** The state that the run goes on from, where it is gone on with. */
  state?: RunState | undefined
  /** What is left of the budget, where the run says so. */
  left?: () => { usd?: number; tokens?: number; ms?: number }
  waits: Waits
  /** It works for this agent, and has no `trace()` of its own. */
  above?: AgentSpan
}

/** The runs under way, by their ids: a layer around a model or a tool finds its run here, an agent the one that it works for. */
const trails = new Map<string, Trail>()

export const trailOf = (runId: string | undefined) => (runId === undefined ? undefined : trails.get(runId))

export class Trail {
  readonly agent: AgentSpan
  readonly models: ModelCalls
  readonly #start: TrailStart
  readonly #tools = new Map<string, ToolSpan>()
  readonly #children = new Map<string, Trail>()
  /** What begins when whoever reads the run lets it go on. */
  #next: (() => void)[] = []
  /** The one that has the talk. */
  #active: AgentSpan

  constructor(start: TrailStart) {
    this.#start = start
    const { lens, agent: name, parent, links, above } = start
    const facts = { ...this.#facts, 'clew.run.id': start.runId, 'clew.agent.path': [...start.path] }
    this.agent = new AgentSpan(lens, { name, parent, facts, ...(links && { links }), ...(above && { above }) })
    this.#active = this.agent
    this.models = new ModelCalls(lens, () => this.#budget)
    trails.set(start.runId, this)
  }

  /** It has a `trace()` of its own: its spans are its own affair. */
  get isOwn(): boolean {
    return this.#start.above === undefined
  }

  get conversation(): string {
    return this.#start.conversation
  }

  get waits(): Waits {
    return this.#start.waits
  }

  get attributes(): Facts {
    return this.#start.lens.attributes
  }

  /** Events as they pass. What they begin is begun by `goOn`, so that a slow reader is in no span. */
  see(events: readonly RunEvent[]): void {
    for (const event of events) this.#see(event)
  }

  goOn(): void {
    const begin = this.#next
    this.#next = []
    for (const each of begin) each()
    for (const child of this.#children.values()) child.goOn()
  }

  /** The span of a call. One whose intent was in the log before has none yet. */
  tool(id: string, name: string): ToolSpan {
    return this.#tools.get(id) ?? this.#openTool(id, name)
  }

  /** That of a call under way. */
  called(id: string): OpenSpan | undefined {
    return this.#tools.get(id)?.span
  }

  /** For what is begun in a call. */
  contextOf(callId: string): Context {
    return this.#tools.get(callId)?.span.context ?? this.#active.span.context
  }

  /** May come twice. Whatever is still open was broken off. */
  finish(failure?: { error: unknown }): void {
    if (trails.get(this.#start.runId) === this) trails.delete(this.#start.runId)
    this.#next = []
    this.models.finish(failure)
    for (const child of this.#children.values()) child.finish(failure)
    this.#children.clear()
    for (const tool of this.#tools.values()) tool.break(failure?.error)
    this.#tools.clear()
    const facts = { ...this.#budget, 'clew.turns': this.models.count }
    if (this.#active !== this.agent) this.#active.finish({}, failure)
    this.agent.finish(facts, failure)
  }

  get #facts(): Facts {
    return { 'gen_ai.conversation.id': this.#start.conversation }
  }

  get #budget(): Facts {
    const { usd, tokens, ms } = this.#start.left?.() ?? {}
    return { 'clew.budget.left.usd': usd, 'clew.budget.left.tokens': tokens, 'clew.budget.left.ms': ms }
  }

  #see(event: RunEvent): void {
    switch (event.type) {
      case 'run-start':
        this.agent.begun(event.instructions, event.input)
        return
      case 'turn-start':
        this.#next.push(() => this.models.begin(event, this.#active, this.#facts))
        return
      case 'tool-start':
        this.#next.push(() => this.#openTool(event.id, event.name, event))
        return
      case 'tool-end':
        this.#closeTool(event)
        return
      case 'tool-wait':
        this.#tools.get(event.id)?.wait()
        this.#tools.delete(event.id)
        noteWait(this.#active.span, event)
        return
      case 'answer':
        noteAnswer(this.#active.span, event, this.waits)
        return
      case 'child':
        this.#seeChild(event)
        return
      case 'handoff':
        this.#handOver(event.agent)
        return
      case 'compacted':
        this.#active.spend(event.usage)
        noteCompacted(this.#active.span, event)
        return
      case 'run-end':
        this.agent.ended(event)
        if (this.#active !== this.agent) this.#active.ended(event)
        return
      default:
        this.models.see(event, this.#active)
    }
  }

  #openTool(id: string, name: string, event?: EventOf<'tool-start'>): ToolSpan {
    const facts = { 'gen_ai.agent.name': this.#active.name, 'clew.approval.wait': this.waits.waited(id) }
    const parent = this.#active.span.context
    const span = new ToolSpan(this.#start.lens, { id, name, ...(event && { input: event.input }), parent, facts })
    this.#tools.set(id, span)
    return span
  }

  /** One that never ran has its end only: it is shown as a call that came to nothing. */
  #closeTool(event: EventOf<'tool-end'>): void {
    const open = this.#tools.get(event.id)
    // One that came to its end is gone by now.
    this.#children.get(event.id)?.finish(event.isError && { error: new Error(textOf(event.content)) })
    this.#children.delete(event.id)
    if (open) open.end(event)
    else this.#openTool(event.id, event.name).end(event, 'not_run')
    this.#tools.delete(event.id)
  }

  #handOver(name: string): void {
    if (name === this.#active.name) return
    if (this.#active !== this.agent) this.#active.finish({ 'clew.status': 'handed-over' })
    const facts = this.#facts
    this.#active = new AgentSpan(this.#start.lens, { name, parent: this.agent.span.context, facts, above: this.agent })
  }

  #seeChild({ id, event }: EventOf<'child'>): void {
    // Answers are given to the run, before the agent that they are for is entered again.
    const innermost = innermostOf(event)
    if (innermost.type === 'answer' && !this.#children.has(id)) {
      noteAnswer(this.#active.span, innermost, this.waits)
      return
    }
    if (event.type === 'run-start') {
      this.#children.get(id)?.finish()
      this.#children.delete(id)
      if (!trails.get(event.id)?.isOwn) this.#openChild(id, event.id, event.agent)
    } else if (!this.#children.has(id)) {
      const { name, state } = childOf(this.#start.state, id) ?? {}
      if (name && state && !trails.get(state.id)?.isOwn) {
        this.tool(id, name)
        this.#openChild(id, state.id, state.agent, state)
      }
    }
    const child = this.#children.get(id)
    if (!child) {
      this.#active.spend(usageOf(innermost))
      return
    }
    child.see([event])
    if (event.type !== 'run-end') return
    child.finish()
    this.#children.delete(id)
  }

  #openChild(id: string, runId: string, agent: string, state?: RunState): void {
    const { lens, conversation, waits } = this.#start
    const path = [...this.#start.path, agent]
    const parent = this.contextOf(id)
    const child = new Trail({ lens, runId, agent, path, conversation, parent, state, waits, above: this.#active })
    this.#children.set(id, child)
  }
}

function innermostOf(event: RunEvent): Exclude<RunEvent, { type: 'child' }> {
  return event.type === 'child' ? innermostOf(event.event) : event
}

function usageOf(event: RunEvent): Usage | undefined {
  return 'usage' in event ? event.usage : undefined
}
