/** `guardedFetch` is the one way out to the network: what a stranger's URL must not reach, it does not reach. */
import { DefinitionError } from '@clew/core'
import { checkNames } from '../check-option.ts'
import { readBody } from './body.ts'
import { Clock, type TimeOptions } from './clock.ts'
import { connect, type Resolve } from './connect.ts'
import { exchange, type Outgoing } from './exchange.ts'
import { NetworkError, type NetworkProblem, shown } from './network-error.ts'
import { type TargetOptions, Targets } from './target.ts'

export type NetworkOptions = TargetOptions &
  TimeOptions & {
    /** Bytes of a body, at most, both as it comes and decompressed. Default 10,000,000. */
    maxBytes?: number
    /** Default 5. */
    maxRedirects?: number
    /** Gives the addresses of a name; each is checked. Default: the system's. */
    resolve?: Resolve
  }

export type NetworkRequest = {
  /** Default `GET`. */
  method?: string
  /** Sent to the origin of the URL only: a redirect to another one goes without them. */
  headers?: { readonly [name: string]: string }
  body?: string | Uint8Array
  signal?: AbortSignal
}

export type NetworkReply = {
  /** The one that answered, after redirects. */
  url: string
  /** 404 and 500 are answers like others. */
  status: number
  headers: Headers
  /** Decompressed. */
  body: Uint8Array
}

export type GuardedFetch = (url: string | URL, request?: NetworkRequest) => Promise<NetworkReply>

/** One that nobody reads would leave open what it was to close. */
const optionNames = [
  'hosts',
  'allowPrivate',
  'ports',
  'timeoutMs',
  'idleMs',
  'maxBytes',
  'maxRedirects',
  'resolve',
] as const satisfies (keyof NetworkOptions)[]

const redirects = [301, 302, 303, 307, 308]
/** Set by the guard itself, or meant for the other side of a proxy. */
const ownHeaders =
  /^(host|connection|content-length|transfer-encoding|accept-encoding|upgrade|te|trailer|expect|proxy-.*)$/i

/**
 * Fetches over http and https from public addresses only. Every address that a name leads to is checked, the socket goes
 * to those and nowhere else, and all of it again for each redirect. Time and bytes are bounded; no proxy of the
 * environment and no cookie takes part.
 * @throws DefinitionError for an option that cannot be used. What it gives throws NetworkError, and the signal's reason.
 */
export function guardedFetch(options: NetworkOptions = {}, where = 'guardedFetch'): GuardedFetch {
  checkNames(where, options, optionNames)
  const { maxBytes = 10_000_000, maxRedirects = 5, timeoutMs, idleMs } = options
  for (const [name, value] of Object.entries({ maxBytes, timeoutMs, idleMs })) {
    if (value !== undefined && !(value > 0 && value < 2 ** 31)) {
      throw new DefinitionError(`${where}: ${name} is ${String(value)}; give a number above 0 and below 2^31.`)
    }
  }
  const targets = new Targets(options, where)

  return async (asked, request = {}) => {
    const first = targets.check(asked)
    let outgoing = outgoingOf(request, where)
    const clock = new Clock(first, options, request.signal)
    let url = first
    try {
      for (let hops = 0; ; hops++) {
        const answer = await ask(url, outgoing)
        if (typeof answer.location !== 'string') return answer
        if (hops >= maxRedirects) {
          throw new NetworkError(
            'redirects',
            `${shown(first)} redirects more than ${maxRedirects} times. Use another page.`,
          )
        }
        const next = URL.parse(answer.location, url)
        if (!next)
          throw new NetworkError('bad-response', `${shown(first)} redirects to what is no URL. Use another page.`)
        outgoing = redirected(outgoing, answer.status, url, next)
        url = next
        targets.check(url)
      }
    } catch (error) {
      // After a redirect the URL is the server's word: it is judged, and not repeated.
      if (!(error instanceof NetworkError) || url === first) throw error
      throw new NetworkError(
        error.problem,
        `${shown(first)} redirects elsewhere, and there: ${words[error.problem] ?? 'the answer is broken. Use another page'}.`,
      )
    } finally {
      clock.stop()
    }

    async function ask(url: URL, outgoing: Outgoing): Promise<NetworkReply & { location?: string }> {
      const socket = await connect(url, targets, clock, options.resolve)
      try {
        const message = await exchange(url, socket, outgoing, clock)
        const status = message.statusCode ?? 0
        const headers = headersOf(message.rawHeaders)
        const reply = { url: url.href, status, headers, body: new Uint8Array() }
        const location = redirects.includes(status) ? headers.get('location') : null
        if (location !== null) return { ...reply, location }
        if (outgoing.method === 'HEAD' || status === 204 || status === 304) return reply
        return { ...reply, body: await readBody(message, { url, maxBytes, clock }) }
      } finally {
        socket.destroy()
      }
    }
  }
}

function outgoingOf({ method = 'GET', headers = {}, body }: NetworkRequest, where: string): Outgoing {
  const own = Object.keys(headers).find((name) => ownHeaders.test(name))
  if (own !== undefined) throw new DefinitionError(`${where}: the header ${own} is the guard's own. Leave it out.`)
  const small = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return { method: method.toUpperCase(), headers: small, ...(body !== undefined && { body }) }
}

function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    try {
      headers.append(raw[at]!, raw[at + 1]!)
    } catch {
      // A header that cannot be read says nothing.
    }
  }
  return headers
}

/** What can be said of a page that a server chose, without its words. */
const words: { [problem in NetworkProblem]?: string } = {
  refused: 'the address may not be asked. Use another page',
  unreachable: 'nothing answers. Use another page',
  tls: 'the certificate or TLS cannot be trusted. Use another source',
  timeout: 'the answer took too long. Try again later',
  'too-large': 'the answer is too large. Ask for a smaller part of it',
  redirects: 'it goes on and on. Use another page',
}

/** As browsers do: https://fetch.spec.whatwg.org/#http-redirect-fetch. A body goes to no other origin. */
function redirected({ method, headers, body }: Outgoing, status: number, from: URL, to: URL): Outgoing {
  const turnsGet = status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST'
  const isSame = from.origin === to.origin
  if (!turnsGet && body !== undefined && !isSame) {
    throw new NetworkError(
      'refused',
      `${shown(from)} redirects a request with a body to another server. Use the final address.`,
    )
  }
  const kept = isSame ? headers : {}
  if (!turnsGet) return { method, headers: kept, ...(body !== undefined && { body }) }
  const { 'content-type': _, ...rest } = kept
  return { method: 'GET', headers: rest }
}
