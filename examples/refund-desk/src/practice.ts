/** Without a key: a model on this machine that knows what to do with one kind of sentence. It is no neural network. */
import type { ChatRequest, Respond } from '@clew/testing'

export const practice: Respond = ({ messages }: ChatRequest) => {
  const last = messages.at(-1)
  if (last?.role === 'tool') return `The bank says: ${String(last.content)}`
  const [order, euros] = (String(last?.content).match(/\d+/g) ?? []).map(Number)
  if (order === undefined || euros === undefined) return 'Which order, and how many euros?'
  return { text: 'I will send it back.', calls: [{ name: 'refund', arguments: { order, euros } }] }
}
