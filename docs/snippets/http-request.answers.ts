import type { Respond } from '@clew/testing'

export const respond: Respond = ({ messages }, { turn }) => {
  if (turn > 1) return 'Order 17 is cancelled.'
  const [url] = /http:\S+/.exec(JSON.stringify(messages.at(-1)?.content).replaceAll('"', ' ')) ?? []
  return { calls: [{ name: 'http_request', arguments: { method: 'DELETE', url } }] }
}
