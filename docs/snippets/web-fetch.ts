import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { webFetch } from '@clew/tools'
import { Agent, openrouter } from 'clew'

// A wiki inside the network, which has to be named.
const wiki = createServer((_, response) => {
  response.setHeader('content-type', 'text/html')
  response.end(`<title>Looms</title><nav>Home | Help</nav><article><h1>Looms</h1><p>A loom weaves <b>yarn</b> into cloth.</p>
    <table><tr><th>kind</th><th>width</th></tr><tr><td>table loom</td><td>60 cm</td></tr></table></article>`)
}).listen(0, '127.0.0.1')
await once(wiki, 'listening')
const host = `127.0.0.1:${(wiki.address() as AddressInfo).port}`

const reader = new Agent({
  name: 'reader',
  model: openrouter(),
  tools: [webFetch({ allowPrivate: [host] })],
})
reader.on('tool-end', ({ id, content }) => console.log(String(content).replaceAll(id, 'random-id'), '\n'))
console.log((await reader.run(`How wide is a table loom? See http://${host}/looms`)).text)
wiki.close()
