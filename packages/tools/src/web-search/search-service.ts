/** `searchService` asks a search engine over HTTP and says what went wrong without the key or the engine's own words. */
import { DefinitionError } from '@clew/core'
import { z } from 'zod/v4'
import { guardedFetch } from '../guard/net/guarded-fetch.ts'
import { NetworkError } from '../guard/net/network-error.ts'

export type ServiceRequest = {
  /** Behind the service's address. */
  path: string
  query?: { [name: string]: string }
  headers?: { [name: string]: string }
  /** Sent as JSON, with POST. */
  body?: object
  signal: AbortSignal
}

export type SearchService = <Shape>(shape: z.ZodType<Shape>, request: ServiceRequest) => Promise<Shape>

/** A text that may be missing or null. */
export const words = z
  .string()
  .nullish()
  .transform((text) => text ?? '')

/**
 * The program named the address, so it may lead anywhere; but only there, and to no redirect.
 * @throws DefinitionError when `address` is no http or https URL
 */
export function searchService(name: string, address: string | URL): SearchService {
  const base = URL.parse(String(address))
  if (!base || !/^https?:$/.test(base.protocol)) {
    throw new DefinitionError(
      `${name}: url is ${JSON.stringify(address)}; give a whole one, such as https://search.example.com.`,
    )
  }
  const port = base.port || (base.protocol === 'https:' ? '443' : '80')
  const fetch = guardedFetch(
    {
      hosts: [base.hostname],
      allowPrivate: [`${base.hostname}:${port}`],
      maxRedirects: 0,
      maxBytes: 5_000_000,
      timeoutMs: 30_000,
    },
    name,
  )
  return async (shape, { path, query = {}, headers = {}, body, signal }) => {
    const url = new URL(base)
    url.pathname = `${base.pathname.replace(/\/+$/, '')}${path}`
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
    const reply = await fetch(url, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...headers },
      signal,
    })
    if (reply.status !== 200) throw refused(name, reply.status)
    const read = shape.safeParse(jsonOf(reply.body))
    if (read.success) return read.data
    throw new NetworkError(
      'bad-response',
      `The search engine ${name} gave no answer that can be read. Try again later.`,
    )
  }
}

/** @throws DefinitionError when there is none, which is mostly a variable of the environment that is not set */
export function checkKey(name: string, key: unknown): void {
  // A key with a line break could not be sent, and the error would show it.
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key)) {
    throw new DefinitionError(`${name}: key is missing or no key. Give the one of your account: ${name}({ key }).`)
  }
}

export function refused(name: string, status: number): NetworkError {
  const say = (why: string) => `The search engine ${name} ${why} (status ${status}).`
  if ([401, 402, 403].includes(status)) {
    return new NetworkError('denied', `${say('does not let this program search')} Go on without it, and tell the user.`)
  }
  if ([429, 432, 433].includes(status)) {
    return new NetworkError('rate-limit', `${say('was asked too often')} Wait a little, or go on without it.`)
  }
  return new NetworkError('failed', `${say('failed')} Try again later, or with other words.`)
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}
