/** One request of a model against a local server, with everything that it showed. */
import type { ModelDelta, ModelReply, ModelRequest } from '@clew/core'
import { type LocalReply, type Respond, startOpenRouter } from '@clew/testing'
import { type OpenRouterSettings, openrouter } from '../src/index.ts'

export const aRequest = (extra: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [{ role: 'user', content: 'Hi' }],
  tools: [],
  signal: new AbortController().signal,
  ...extra,
})

export type Asked = {
  deltas: ModelDelta[]
  reply?: ModelReply
  error?: unknown
  body: { [field: string]: unknown }
  text: string
}

export async function ask(
  reply: LocalReply | Respond,
  extra: Partial<ModelRequest> = {},
  settings: OpenRouterSettings = {},
  model = 'm/x',
): Promise<Asked> {
  await using server = await startOpenRouter({ respond: [reply] })
  const deltas: ModelDelta[] = []
  const result: Pick<Asked, 'reply' | 'error'> = {}
  const answer = openrouter(model, { baseURL: server.url, apiKey: 'k', retries: 0, ...settings }).generate(
    aRequest(extra),
  )
  try {
    for (;;) {
      const next = await answer.next()
      if (next.done) {
        result.reply = next.value
        break
      }
      deltas.push(...next.value)
    }
  } catch (error) {
    result.error = error
  }
  const received = server.requests[0]
  return { deltas, ...result, body: (received?.body ?? {}) as Asked['body'], text: received?.text ?? '' }
}

export function shown(deltas: ModelDelta[], type: 'text-delta' | 'reasoning-delta'): string {
  return deltas.map((delta) => (delta.type === type ? delta.text : '')).join('')
}
