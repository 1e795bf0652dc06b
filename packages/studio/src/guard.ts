/** `guard()` tells whether a request comes from the page that this server gave out: token, host and origin must be right. */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * The path after the token, or nothing when the request is to get nothing. A page of another origin can send requests here
 * and can let its own name point to 127.0.0.1, but then `Origin` or `Host` tell it; another user of the machine has no token.
 */
export function guard(request: IncomingMessage, { token, port }: { token: string; port: number }): string | undefined {
  const { host = '', origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = request.headers
  if (![`127.0.0.1:${port}`, `localhost:${port}`].includes(host)) return undefined
  if (origin !== undefined && origin !== `http://${host}`) return undefined
  // A link may lead here from anywhere; what a page loads or sends may not.
  if (site === 'cross-site' && mode !== 'navigate') return undefined
  if (!['GET', 'POST'].includes(request.method ?? '')) return undefined
  if (request.method === 'POST' && origin === undefined) return undefined
  const [, given = '', ...rest] = (request.url ?? '').split('/')
  return isSame(given, token) ? rest.join('/') : undefined
}

function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Nothing but what the server itself serves is loaded, run or asked, nobody frames the page, and no text becomes markup.
 * Styles that a script sets one by one are no inline styles, so they need no exception.
 */
export const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}
