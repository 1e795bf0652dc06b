/** What a plugin under test finds outside: the answers of the test, a service that fails in many ways, one that never answers. */
import type { HostParts, PluginHost } from '@clew/core'

/** A service as a plugin may find it, whatever it was written for. */
export type Trouble = { name: string; fetch: NonNullable<HostParts['fetch']> }

const html = '<html><body><h1>Bad gateway</h1></body></html>'
const answer = (status: number, body: string, type = 'application/json'): Trouble['fetch'] => {
  return async () => new Response(body, { status, headers: { 'content-type': type } })
}

export const troubles: Trouble[] = [
  {
    name: 'cannot be reached',
    fetch: async (input) => {
      const { url, headers } = input as Request
      throw new TypeError(`fetch failed: ${url} ${JSON.stringify([...headers])}`)
    },
  },
  { name: 'knows nothing (404)', fetch: answer(404, '{"message":"Not Found"}') },
  { name: 'has had enough (429)', fetch: answer(429, '{"message":"slow down"}') },
  { name: 'lets nobody in (401)', fetch: answer(401, '{"message":"Bad credentials"}') },
  { name: 'is broken (500)', fetch: answer(500, html, 'text/html') },
  { name: 'answers with a page', fetch: answer(200, html, 'text/html') },
  { name: 'answers with half a JSON', fetch: answer(200, '{"items": [{"na') },
  { name: 'answers with another JSON', fetch: answer(200, '[null, 7, {"a": {"b": []}}]') },
  { name: 'answers with null', fetch: answer(200, 'null') },
  { name: 'answers with nothing', fetch: answer(200, '') },
  { name: 'answers with ten million characters', fetch: async () => new Response('<a>'.repeat(3_400_000)) },
  {
    name: 'echoes the request',
    fetch: async (input) => {
      const { url, headers } = input as Request
      return Response.json({ message: url, errors: [...headers] }, { status: 400 })
    },
  },
]

/** Never answers, and hears the signal. */
export function silence(onAsked: () => void): Trouble['fetch'] {
  return (input) =>
    new Promise((_, reject) => {
      const { signal } = input as Request
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      if (signal.aborted) reject(signal.reason)
      onAsked()
    })
}

export const noCommands: PluginHost['run'] = async (command) => ({ code: 1, stdout: '', stderr: `${command}: failed` })
