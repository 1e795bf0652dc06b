/** `connect` gives a socket whose address was checked after the connection stood and before a byte went out. */
import dns from 'node:dns/promises'
import type { LookupFunction, Socket } from 'node:net'
import net from 'node:net'
import tls from 'node:tls'
import ipaddr from 'ipaddr.js'
import type { Clock } from './clock.ts'
import { NetworkError, shown } from './network-error.ts'
import { hostOf, portOf, type Targets } from './target.ts'

/** The addresses of a name. */
export type Resolve = (host: string) => Promise<readonly string[]>

const system: Resolve = async (host) => (await dns.lookup(host, { all: true })).map(({ address }) => address)

/**
 * The name is resolved once and the socket gets those addresses: a name server that answers otherwise the second time is
 * not asked a second time.
 * @throws NetworkError `refused`, `unreachable`, `tls`
 */
export async function connect(url: URL, targets: Targets, clock: Clock, resolve: Resolve = system): Promise<Socket> {
  const host = hostOf(url)
  const addresses = ipaddr.isValid(host) ? [host] : await clock.within(resolved(url, host, resolve))
  for (const address of addresses) targets.checkAddress(address, url)
  const socket = net.connect({ host, port: portOf(url), lookup: pinned(addresses), autoSelectFamily: true })
  // Between two steps nobody else listens, and an error without a listener ends the process.
  socket.on('error', () => undefined)
  const give = () => socket.destroy()
  clock.signal.addEventListener('abort', give, { once: true })
  try {
    await clock.within(ready(socket, 'connect', (code) => unreachable(url, code)))
    targets.checkAddress(socket.remoteAddress ?? '', url)
    if (url.protocol === 'http:') return socket
    const servername = ipaddr.isValid(host) ? '' : host
    const secure = tls.connect({ socket, host, servername, ALPNProtocols: ['http/1.1'] })
    secure.on('error', () => undefined)
    await clock.within(ready(secure, 'secureConnect', (code) => untrusted(url, code)))
    return secure
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clock.signal.removeEventListener('abort', give)
  }
}

async function resolved(url: URL, host: string, resolve: Resolve): Promise<readonly string[]> {
  let addresses: readonly string[]
  try {
    addresses = await resolve(host)
  } catch {
    addresses = []
  }
  if (addresses.length > 0) return addresses
  throw new NetworkError('unreachable', `${shown(url)}: there is no host ${host}. Check the name.`)
}

function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: net.isIPv6(address) ? 6 : 4 }))
  return (_, options, done) => {
    if (options.all) done(null, all)
    else done(null, all[0]!.address, all[0]!.family)
  }
}

function ready(socket: Socket, event: string, toError: (code: string) => NetworkError): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error & { code?: string }) => reject(toError(codeOf(error)))
    socket.once('error', fail)
    socket.once('close', () => reject(toError('closed')))
    socket.once(event, () => {
      socket.off('error', fail)
      resolve()
    })
  })
}

/** Happy eyeballs fail with one error for each address. */
function codeOf(error: Error & { code?: string; errors?: { code?: string }[] }): string {
  return error.code ?? error.errors?.[0]?.code ?? 'failed'
}

const unreachable = (url: URL, code: string) =>
  new NetworkError(
    'unreachable',
    `${shown(url)} could not be reached (${code}). Check the address, or try again later.`,
  )

const untrusted = (url: URL, code: string) =>
  new NetworkError('tls', `${shown(url)}: its certificate or TLS cannot be trusted (${code}). Use another source.`)
