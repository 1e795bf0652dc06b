/** `guardOutput` holds an answer back until it is whole and has passed. */
import type { Content, ModelDelta, ModelReply, ModelRequest } from '@clew/core'
import { textOf } from '@clew/core'
import type { GuardOptions } from './guard-options.ts'
import { judge } from './judge.ts'

export async function* guardOutput(
  by: { name: string; timeoutMs: number },
  output: NonNullable<GuardOptions['output']>,
  { messages, signal }: ModelRequest,
  answer: AsyncGenerator<ModelDelta[], ModelReply>,
): AsyncGenerator<ModelDelta[], ModelReply> {
  const { reply, deltas } = await whole(answer)
  const text = textOf(reply?.content ?? '')
  // Calls without words, and what an inner layer stopped.
  if (text === '' && (reply?.toolCalls?.length || reply?.stop)) {
    yield deltas
    return reply
  }
  const verdict = await judge(by, signal, (own) => output({ text, reply, messages, signal: own }))
  if (verdict === undefined) {
    yield deltas
    return reply
  }
  if ('change' in verdict) {
    yield withText(deltas, verdict.change)
    return withContent(reply, changed(reply.content, verdict.change))
  }
  const restarts = deltas.filter(({ type }) => type === 'model-restart')
  if (restarts.length > 0) yield restarts
  const { finishReason, rawFinishReason, usage, source } = reply
  const reason = 'stop' in verdict ? verdict.stop : verdict.deny
  return {
    content: '',
    finishReason,
    ...(rawFinishReason !== undefined && { rawFinishReason }),
    ...(usage && { usage }),
    source,
    stop: { by: 'guard', reason },
  }
}

/** The answer, and what it showed. What was shown before a restart is void; that it restarted is kept, for what it cost. */
async function whole(
  answer: AsyncGenerator<ModelDelta[], ModelReply>,
): Promise<{ reply: ModelReply; deltas: ModelDelta[] }> {
  let deltas: ModelDelta[] = []
  for (;;) {
    const next = await answer.next()
    if (next.done) return { reply: next.value, deltas }
    for (const delta of next.value) {
      if (delta.type === 'model-restart') deltas = deltas.filter(({ type }) => type === 'model-restart')
      deltas.push(delta)
    }
  }
}

/** `text` where the first piece of text stood. */
function withText(deltas: ModelDelta[], text: string): ModelDelta[] {
  const others = deltas.filter(({ type }) => type !== 'text-delta')
  const at = deltas.findIndex(({ type }) => type === 'text-delta')
  others.splice(at < 0 ? others.length : at, 0, { type: 'text-delta', text })
  return others
}

function changed(content: Content, text: string): Content {
  if (typeof content === 'string') return text
  return [{ type: 'text', text }, ...content.filter(({ type }) => type !== 'text')]
}

/** Its tokens and the places that its citations name were those of the text before. */
function withContent({ logprobs: _, annotations: __, ...reply }: ModelReply, content: Content): ModelReply {
  return { ...reply, content }
}
