/** `fetch` for a plugin: to the hosts that it declared, and of those to public addresses only. */
import type { PluginHost } from '@clew/core'
import { guardedFetch, type NetworkOptions } from '../guard/net/guarded-fetch.ts'

/** Redirects are followed among these hosts. `network` is for tests: the rest is bounded as it is by default. */
export function declaredFetch(
  hosts: readonly string[],
  network: NetworkOptions = { ports: [443] },
): PluginHost['fetch'] {
  const fetch = guardedFetch({ ...network, hosts }, 'loadPlugin')
  return async (input, init) => {
    const request = new Request(input, init)
    const { url, method, signal } = request
    const body = new Uint8Array(await request.arrayBuffer())
    const headers = Object.fromEntries(request.headers)
    const reply = await fetch(url, { method, headers, signal, ...(body.length > 0 && { body }) })
    const { status } = reply
    const isBare = [204, 205, 304].includes(status)
    return new Response(isBare ? null : Buffer.from(reply.body), { status, headers: plainHeaders(reply.headers) })
  }
}

/** The body is decompressed already. */
function plainHeaders(given: Headers): Headers {
  const headers = new Headers(given)
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) headers.delete(name)
  return headers
}
