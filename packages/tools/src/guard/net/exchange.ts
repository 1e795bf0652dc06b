/** `exchange` sends one request over a checked socket and gives the head of its answer. */
import http, { type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { encodings } from './body.ts'
import type { Clock } from './clock.ts'
import { NetworkError, shown } from './network-error.ts'

/** Bytes of status line and headers. */
const maxHeaderBytes = 32_768

export type Outgoing = { method: string; headers: { readonly [name: string]: string }; body?: string | Uint8Array }

/** @throws NetworkError `bad-response`, `timeout` */
export function exchange(url: URL, socket: Socket, outgoing: Outgoing, clock: Clock): Promise<IncomingMessage> {
  const { method, headers, body } = outgoing
  // The socket is given, so no agent and no proxy of the environment stands between.
  const request = http.request({
    method,
    path: `${url.pathname}${url.search}`,
    createConnection: () => socket,
    setHost: false,
    headers: {
      'user-agent': 'clew',
      accept: '*/*',
      ...headers,
      host: url.host,
      'accept-encoding': encodings,
      connection: 'close',
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    },
    maxHeaderSize: maxHeaderBytes,
    signal: clock.signal,
  })
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', (message) => {
      clock.touch()
      resolve(message)
    })
    // A server that switches protocols has no more to say that could be read.
    request.once('upgrade', (_, upgraded) => {
      upgraded.destroy()
      reject(broken(url, 'it switched protocols'))
    })
    request.on('error', (error: Error & { code?: string }) => {
      reject(clock.signal.aborted ? clock.signal.reason : broken(url, reasonOf(error.code)))
    })
  })
  request.end(body)
  return clock.within(answer)
}

function reasonOf(code = 'failed'): string {
  if (code === 'HPE_HEADER_OVERFLOW') return `its headers are longer than ${maxHeaderBytes} bytes`
  return code.startsWith('HPE_') ? `its answer is no HTTP (${code})` : `the connection broke (${code})`
}

const broken = (url: URL, why: string) =>
  new NetworkError('bad-response', `${shown(url)}: ${why}. Try again later, or another page.`)
