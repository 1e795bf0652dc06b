/** `startStudio()` serves the page on 127.0.0.1. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Agent, InputError } from '@clew/core'
import type { Traces } from '@clew/tracing'
import { asTest } from './as-test.ts'
import { Changes } from './changes.ts'
import { guard, headers } from './guard.ts'
import { Reader } from './reader.ts'
import { Talks } from './talk.ts'

export type StudioOptions = {
  /** Of `openTraces()`. It stays open when the studio closes. */
  traces: Traces
  /** Agents to talk to. A talk costs what its runs cost. Default: none. */
  agents?: readonly Agent[]
  /** Default: a free one. */
  port?: number
}

export type Studio = AsyncDisposable & {
  /** The link with its token. Whoever has it reads all that the traces hold. */
  readonly url: string
  close(): Promise<void>
}

type Reply = { type: string; body: string | Buffer }

/** @throws InputError when the port is taken. */
export async function startStudio({ traces, agents = [], port = 0 }: StudioOptions): Promise<Studio> {
  const token = randomBytes(24).toString('base64url')
  const changes = new Changes(traces)
  const reader = new Reader(traces)
  const talks = new Talks(agents)
  const files = page()
  const server = createServer((request, response) => {
    const path = guard(request, { token, port: (server.address() as AddressInfo).port })
    if (path === 'api/talk' && request.method === 'POST') return void talks.open(request, response)
    if (path === undefined || request.method !== 'GET') return void response.writeHead(404).end()
    if (path === 'api/changes') return changes.open(response)
    if (path === 'api/agents') return send(response, () => json({ names: talks.names }))
    send(response, () => files[path] ?? answer(reader, new URL(path, 'http://127.0.0.1')))
  })
  await listen(server, port)
  const close = async () => {
    changes.close()
    server.close()
    server.closeAllConnections()
    if (server.listening) await once(server, 'close')
  }
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}/`
  return { url, close, [Symbol.asyncDispose]: close }
}

/** Built beside the code, and the same from `src` and from `dist`. */
function page(): { [path: string]: Reply } {
  const read = (name: string) => readFileSync(new URL(`../dist/page/${name}`, import.meta.url))
  return {
    '': { type: 'text/html; charset=utf-8', body: read('index.html') },
    'page.js': { type: 'text/javascript; charset=utf-8', body: read('page.js') },
    'page.css': { type: 'text/css; charset=utf-8', body: read('page.css') },
    'icon.svg': { type: 'image/svg+xml', body: read('icon.svg') },
  }
}

function answer(reader: Reader, { pathname, searchParams }: URL): Reply | undefined {
  const [api, kind, id = '', what, spanId = ''] = pathname.slice(1).split('/').map(decodeURIComponent)
  if (api !== 'api') return undefined
  if (kind === 'activity') return json(reader.activity(searchParams))
  if (kind !== 'runs') return undefined
  if (id === '') return json(reader.runs(searchParams))
  switch (what) {
    case undefined:
      return json(reader.trace(id))
    case 'spans':
      return json(reader.span(id, spanId))
    case 'test':
      return text(asTest(reader, id))
    case 'download':
      return json(reader.otlp(id))
    default:
      return undefined
  }
}

const text = (body: string | undefined): Reply | undefined =>
  body === undefined ? undefined : { type: 'text/plain; charset=utf-8', body }

const json = (value: unknown): Reply | undefined =>
  value === undefined ? undefined : { type: 'application/json', body: JSON.stringify(value) }

function send(response: ServerResponse<IncomingMessage>, reply: () => Reply | undefined): void {
  try {
    const { type, body } = reply() ?? {}
    if (type === undefined) return void response.writeHead(404, headers).end()
    response.writeHead(200, { ...headers, 'content-type': type }).end(body)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    response.writeHead(500, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify({ error: message }))
  }
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new InputError(
      `The studio cannot listen on port ${port}: ${(error as Error).message}. Take another, or none for a free one.`,
    )
  }
}
