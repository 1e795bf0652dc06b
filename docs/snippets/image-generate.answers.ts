import type { Respond } from '@clew/testing'

const url =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='

export const respond: Respond = ({ model, messages }) => {
  if (model?.startsWith('google/')) {
    const delta = { role: 'assistant', content: 'A red ball.', images: [{ type: 'image_url', image_url: { url } }] }
    const usage = { prompt_tokens: 9, completion_tokens: 1290, total_tokens: 1299, cost: 0.04 }
    return { chunks: [{ id: 'gen-1', model, choices: [{ index: 0, delta, finish_reason: 'stop' }], usage }] }
  }
  if (messages.at(-1)?.role === 'user' && messages.length < 3)
    return { calls: [{ name: 'image_generate', arguments: { prompt: 'A ball of red thread on a wooden table' } }] }
  return 'Here it is.'
}
