import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { httpRequest } from '@clew/tools'
import { Agent, approve, openrouter } from 'clew'

// An API that greets who is signed in, and gives away how.
const api = createServer(({ method, headers }, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ method, signedInWith: headers.authorization }))
}).listen(0, '127.0.0.1')
await once(api, 'listening')
const host = `127.0.0.1:${(api.address() as AddressInfo).port}`

const orders = httpRequest({
  hosts: ['127.0.0.1'],
  allowPrivate: [host],
  headers: { [host]: { authorization: 'Bearer s3cret-of-the-program' } },
})
const clerk = new Agent({ name: 'clerk', model: openrouter(), tools: [orders] })
clerk.on('tool-end', ({ content }) => console.log(/\{[^}]*\}/.exec(String(content))?.[0]))

const paused = await clerk.run(`Cancel order 17 at http://${host}/orders/17`)
for (const need of paused.needs ?? []) {
  console.log(need.for, (need.input as { method: string }).method)
  console.log((await clerk.resume(paused.state, { [need.id]: approve() })).text)
}
api.close()
