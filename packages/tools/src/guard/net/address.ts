/** `specialRange` says which addresses no stranger's URL may lead to: all that are not public unicast, in every notation. */
import ipaddr from 'ipaddr.js'

/**
 * The name of the special range that an address lies in (IANA's special-purpose registries for IPv4 and IPv6, as
 * `ipaddr.js` has them), or undefined for a public one. What carries an IPv4 address inside (mapped, NAT64, ISATAP) is
 * judged by that one; 6to4, Teredo and the local-use NAT64 prefix are refused whole.
 */
export function specialRange(address: string): string | undefined {
  // A zone id says through which interface, which is nobody's business outside.
  if (!ipaddr.isValid(address) || address.includes('%')) return 'unknown'
  const parsed = ipaddr.parse(address)
  return parsed.kind() === 'ipv4' ? special4(parsed as ipaddr.IPv4) : special6(parsed as ipaddr.IPv6)
}

function special4(address: ipaddr.IPv4): string | undefined {
  // Azure's platform channel, which hands out credentials, has a public address.
  if (address.toString() === '168.63.129.16') return 'metadata'
  const range = address.range()
  return range === 'unicast' ? undefined : range
}

function special6(address: ipaddr.IPv6): string | undefined {
  const range = address.range()
  if (range === 'ipv4Mapped') return special4(address.toIPv4Address())
  const { parts } = address
  if (range === 'rfc6052') return parts[2] === 0 ? special4(lastFour(parts)) : 'nat64'
  if (range !== 'unicast') return range
  // RFC 5214: the interface id of ISATAP holds an IPv4 address behind 0:5efe or 200:5efe.
  if ((parts[4]! & 0xfcff) === 0 && parts[5] === 0x5efe) return special4(lastFour(parts))
  // RFC 4291: only 2000::/3 is global unicast; the deprecated IPv4-compatible addresses are outside of it, too.
  return parts[0]! >> 13 === 1 ? undefined : 'reserved'
}

function lastFour(parts: number[]): ipaddr.IPv4 {
  const [high, low] = [parts[6]!, parts[7]!]
  return new ipaddr.IPv4([high >> 8, high & 0xff, low >> 8, low & 0xff])
}
