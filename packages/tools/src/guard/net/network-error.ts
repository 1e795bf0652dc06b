/** `NetworkError`: why something could not be fetched. */
import { InputError } from '@clew/core'

/**
 * - `refused`: the guard does not let the URL, or an address behind it, through. Nothing was sent there.
 * - `unreachable`, `tls`: no connection, or none that can be trusted.
 * - `timeout`, `too-large`, `redirects`: a limit was reached.
 * - `bad-response`: what came is no valid answer.
 * - `denied`, `rate-limit`, `failed`: a service said no to its key, asked to wait, or failed.
 */
export type NetworkProblem =
  | 'refused'
  | 'unreachable'
  | 'tls'
  | 'timeout'
  | 'too-large'
  | 'redirects'
  | 'bad-response'
  | 'denied'
  | 'rate-limit'
  | 'failed'

/**
 * The message names the URL, the reason and the next move. It holds no word of the server's, so that a tool may give it to
 * a model as its own.
 */
export class NetworkError extends InputError {
  readonly problem: NetworkProblem
  constructor(problem: NetworkProblem, message: string, options?: ErrorOptions) {
    super(message, options)
    this.problem = problem
  }
}

/** A URL as errors show it: without what may be long or secret. */
export function shown(url: URL): string {
  const place = `${url.origin}${url.pathname}`
  return `"${place.length > 200 ? `${place.slice(0, 200)}…` : place}${url.search === '' ? '' : '?…'}"`
}
