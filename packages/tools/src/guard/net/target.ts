/** `Targets` decides which URLs and addresses may be connected to at all. */
import { DefinitionError } from '@clew/core'
import ipaddr from 'ipaddr.js'
import { specialRange } from './address.ts'
import { NetworkError, shown } from './network-error.ts'

export type TargetOptions = {
  /** The only hosts to go to: `api.example.com`, or `*.example.com` for all below it. Default: every public one. */
  hosts?: readonly string[]
  /**
   * Exceptions for intranets and tests, each `host:port` and named one by one: `127.0.0.1:8080`, `wiki.corp:443`. A named
   * host may then lead to private addresses, an address only to itself.
   */
  allowPrivate?: readonly string[]
  /** The only ports to go to. Default: all but those that no browser connects to, such as 22 and 25. */
  ports?: readonly number[]
}

/** Names that mean this machine, its network, or the metadata service of a cloud. */
const innerName = /(^|\.)(localhost|localdomain|local|internal|intranet|lan|home\.arpa|metadata\.goog|instance-data)$/

/** https://fetch.spec.whatwg.org/#port-blocking, and ports of common stores that speak no HTTP. */
const badPorts = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211,
])

/** What a private exception by name may lead to; never a metadata service or a broadcast. */
const inner = ['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']

export class Targets {
  readonly #hosts: ((host: string) => boolean)[] | undefined
  readonly #named: string
  readonly #private: Set<string>
  readonly #ports: Set<number> | undefined

  /** @throws DefinitionError for an entry that names nothing */
  constructor({ hosts, allowPrivate = [], ports }: TargetOptions, where: string) {
    this.#hosts = hosts?.map((entry) => matcher(entry, where))
    this.#named = (hosts ?? []).slice(0, 20).join(', ')
    this.#private = new Set(allowPrivate.map((entry) => exception(entry, where)))
    this.#ports = ports && new Set(ports)
  }

  /**
   * A URL that may be asked for; the addresses of its name are still to be checked.
   * @throws NetworkError `refused`
   */
  check(text: string | URL): URL {
    const url = parse(text)
    const refuse = (why: string) => new NetworkError('refused', `${shown(url)} was refused: ${why}`)
    if (url.username !== '' || url.password !== '') throw refuse('it holds a user name or password. Leave them out.')
    const host = hostOf(url)
    if (this.#hosts && !this.#hosts.some((matches) => matches(host))) {
      throw refuse(`${host} is not among the hosts that may be asked. Use one of: ${this.#named}.`)
    }
    if (this.#isException(url)) return url
    if (innerName.test(host)) throw refuse(`${host} is a name inside this network. Use a public address.`)
    const range = ipaddr.isValid(host) ? specialRange(host) : undefined
    if (range) throw refuse(`its address is not public (${range}). Use a public address.`)
    const port = portOf(url)
    if (this.#ports ? !this.#ports.has(port) : badPorts.has(port)) throw refuse(`port ${port} is not allowed.`)
    return url
  }

  /**
   * An address that the name of `url` leads to, or that a socket says it is connected to.
   * @throws NetworkError `refused`
   */
  checkAddress(address: string, url: URL): void {
    const range = specialRange(address)
    if (range === undefined) return
    const host = hostOf(url)
    if (this.#isException(url) && (ipaddr.isValid(host) ? sameAddress(host, address) : inner.includes(range))) return
    throw new NetworkError(
      'refused',
      `${shown(url)} was refused: ${host} leads to an address that is not public (${range}). Use a public address.`,
    )
  }

  #isException(url: URL): boolean {
    return this.#private.has(`${hostOf(url)}:${portOf(url)}`)
  }
}

/** Without the brackets of IPv6 and the dot of a full name, which mean nothing to a resolver or a list. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.+$/, '')
}

export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80))
}

function parse(text: string | URL): URL {
  const url = typeof text === 'string' ? URL.parse(text.trim()) : text
  if (!url) {
    throw new NetworkError(
      'refused',
      `${quote(String(text))} is no URL. Give a whole one, such as https://example.com/page.`,
    )
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new NetworkError('refused', `${quote(String(text))} was refused: only http and https URLs can be fetched.`)
  }
  return url
}

const quote = (text: string) => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)

function matcher(entry: string, where: string): (host: string) => boolean {
  const isWild = typeof entry === 'string' && entry.startsWith('*.')
  const bare = isWild ? entry.slice(2) : entry
  const url = typeof bare === 'string' && hostName.test(bare) ? URL.parse(`http://${bare}/`) : null
  if (url === null) {
    throw new DefinitionError(
      `${where}: hosts has ${JSON.stringify(entry)}; give host names such as "api.example.com" or "*.example.com".`,
    )
  }
  const name = hostOf(url)
  return isWild ? (host) => host.endsWith(`.${name}`) : (host) => host === name
}

/** An IPv6 address in brackets, or a name without a port. */
const hostName = /^(\[[\da-f:.]+\]|[^\s/:@?#*\\]+)$/i

function exception(entry: string, where: string): string {
  const [, host = '', port] = /^(.+):(\d+)$/.exec(entry) ?? []
  const url = hostName.test(host) ? URL.parse(`http://${host}:${port}/`) : null
  if (url === null) {
    throw new DefinitionError(
      `${where}: allowPrivate has ${JSON.stringify(entry)}; name each exception as host:port, such as "127.0.0.1:8080".`,
    )
  }
  return `${hostOf(url)}:${portOf(url)}`
}

function sameAddress(a: string, b: string): boolean {
  return ipaddr.isValid(b) && ipaddr.process(a).toString() === ipaddr.process(b).toString()
}
