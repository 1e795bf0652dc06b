/** `sampler()` answers a server's requests to a model with a model of ours, as long as the limits hold. */
import { type ContentPart, type Message, type ModelReply, textOf } from '@clew/core'
import { type Client, type CreateMessageResult, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client'
import { toPart } from './content.ts'
import type { SamplingOptions } from './options.ts'

const charsPerToken = 4

type Asked = { messages: Message[]; instructions?: string; maxTokens: number; signal: AbortSignal }

/** The limits hold for all lines that the server is reached on. */
export function sampler(options: SamplingOptions): (client: Client) => void {
  const { maxRequests = 10, maxTokens = 2000, maxInputChars = 50_000, maxUsd, allow } = options
  let requests = 0
  let usd = 0

  async function answer(asked: Asked): Promise<CreateMessageResult> {
    const text = asked.messages.map((message) => textOf(message.content)).join('\n')
    if (requests >= maxRequests) throw refused(`${maxRequests} requests have been answered, and no more will be`)
    if (maxUsd !== undefined && usd >= maxUsd) throw refused('the money for it is spent')
    const chars = JSON.stringify(asked.messages).length + (asked.instructions?.length ?? 0)
    if (chars > maxInputChars) throw refused(`it has ${chars} characters; at most ${maxInputChars} are taken`)
    requests += 1
    const { instructions } = asked
    if (allow && !(await allow({ text, ...(instructions !== undefined && { instructions }) }))) throw refused('denied')
    const { reply, text: said } = await generate(asked, Math.min(asked.maxTokens, maxTokens) * charsPerToken)
    return {
      model: reply?.source.model ?? options.model.id,
      role: 'assistant',
      content: { type: 'text', text: said },
      stopReason: reply && reply.finishReason !== 'length' ? 'endTurn' : 'maxTokens',
    }
  }

  /** Without a reply where it was cut: the limit is counted while the answer comes. */
  async function generate(asked: Asked, maxChars: number): Promise<{ reply?: ModelReply; text: string }> {
    const { messages, instructions, signal } = asked
    const request = { messages, ...(instructions !== undefined && { instructions }), tools: [], signal }
    const running = options.model.generate(request)
    let chars = 0
    let text = ''
    for (;;) {
      const next = await running.next()
      if (next.done) {
        usd += next.value.usage?.usd ?? 0
        return { reply: next.value, text: textOf(next.value.content).slice(0, maxChars) }
      }
      for (const delta of next.value) {
        if (delta.type === 'model-restart') {
          text = ''
          usd += delta.usage?.usd ?? 0
        }
        if (delta.type === 'text-delta') text += delta.text
        // What it thinks costs as much as what it says.
        if (delta.type === 'text-delta' || delta.type === 'reasoning-delta') chars += delta.text.length
      }
      if (chars >= maxChars) {
        // What is cut tells no price; what was asked has one.
        usd += options.model.estimateUsd?.(request) ?? 0
        await running.return(undefined as never)
        return { text: text.slice(0, maxChars).toWellFormed() }
      }
    }
  }

  return (client) =>
    client.setRequestHandler('sampling/createMessage', async ({ params }, { mcpReq }) =>
      answer({
        messages: params.messages.map(({ role, content }) => toMessage(role, [content].flat().map(toPart))),
        ...(params.systemPrompt !== undefined && { instructions: params.systemPrompt }),
        maxTokens: params.maxTokens,
        signal: mcpReq.signal,
      }),
    )
}

function toMessage(role: 'user' | 'assistant', parts: ContentPart[]): Message {
  const [first] = parts
  const content = parts.length === 1 && first?.type === 'text' ? first.text : parts
  return { role, content }
}

function refused(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidRequest, `Sampling was refused: ${why}.`)
}
