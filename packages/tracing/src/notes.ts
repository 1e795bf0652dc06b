/** What happened in a run and took no time: notes on the span of the agent that it happened to. */
import type { EventOf } from '@clew/core'
import type { OpenSpan } from './open-span.ts'
import type { Waits } from './waits.ts'

export function noteWait(span: OpenSpan, { id, name, for: what }: EventOf<'tool-wait'>): void {
  span.note('clew.wait', { 'gen_ai.tool.name': name, 'gen_ai.tool.call.id': id, 'clew.wait.for': what })
}

export function noteAnswer(span: OpenSpan, { id, answer, by }: EventOf<'answer'>, waits: Waits): void {
  span.note('clew.answer', {
    'gen_ai.tool.call.id': id,
    'clew.answer': answer.type,
    'clew.answer.by': by,
    'clew.approval.wait': waits.answered(id),
  })
}

export function noteCompacted(span: OpenSpan, { upTo, usage }: EventOf<'compacted'>): void {
  span.note('clew.compacted', { 'clew.compacted.messages': upTo, 'clew.cost.usd': usage?.usd })
}
