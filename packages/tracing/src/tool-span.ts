/** A call of a tool, from its intent in the log to its result. */
import { type Content, describeError, type Json, textOf } from '@clew/core'
import { type Context, SpanKind } from '@opentelemetry/api'
import { errorType } from './error-type.ts'
import type { Lens } from './lens.ts'
import type { Facts, OpenSpan } from './open-span.ts'

export type ToolCallStart = { id: string; name: string; input?: Json; parent: Context; facts: Facts }

export class ToolSpan {
  readonly span: OpenSpan
  readonly #lens: Lens
  #error: unknown

  constructor(lens: Lens, { id, name, input, parent, facts }: ToolCallStart) {
    this.#lens = lens
    this.span = lens.open({
      name: `execute_tool ${name}`,
      kind: SpanKind.INTERNAL,
      parent,
      facts: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': name,
        'gen_ai.tool.call.id': id,
        'gen_ai.tool.type': 'function',
        ...facts,
      },
    })
    const { content } = lens
    if (content && input !== undefined) this.span.show(() => ({ 'gen_ai.tool.call.arguments': content.json(input) }))
  }

  /** What its body threw; the event that comes of it has only a message. */
  caught(error: unknown): void {
    this.#error = error
  }

  end({ content, isError }: { content: Content; isError?: true }, type = 'tool_error'): void {
    const shown = this.#lens.content
    if (shown) this.span.show(() => ({ 'gen_ai.tool.call.result': shown.result(content) }))
    if (isError) {
      this.span.fail(this.#error === undefined ? type : errorType(this.#error), () => shown?.text(textOf(content)))
    }
    this.span.end()
  }

  /** It goes on when the run does, under a span of its own. */
  wait(): void {
    this.span.set({ 'clew.status': 'waiting' })
    this.span.end()
  }

  /** The run broke off around it. */
  break(error: unknown): void {
    if (error === undefined) this.span.set({ 'clew.aborted': true })
    else this.span.fail(errorType(error), () => this.#lens.content?.text(describeError(error)))
    this.span.end()
  }
}
