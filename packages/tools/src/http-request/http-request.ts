/** `httpRequest` lets a model ask services that the program named, with credentials that the model never sees. */
import { DefinitionError, InputError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { guardedFetch, type NetworkOptions, type NetworkReply } from '../guard/net/guarded-fetch.ts'
import { NetworkError } from '../guard/net/network-error.ts'
import { portOf } from '../guard/net/target.ts'
import { pageChars, pageOf } from '../page.ts'
import { decodeDocument } from '../text/charset.ts'
import { indentedJson } from '../text/json.ts'
import { TextCache } from '../text-cache.ts'
import { scrubber } from './scrub.ts'

const allMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type HttpMethod = (typeof allMethods)[number]

export type HttpRequestOptions = Omit<NetworkOptions, 'hosts'> & {
  /** The only hosts that may be asked: `api.example.com`, or `*.example.com` for all below it. */
  hosts: readonly string[]
  /** Default all: GET, HEAD, POST, PUT, PATCH, DELETE. With GET and HEAD alone the tool's effect is `pure`. */
  methods?: readonly HttpMethod[]
  /**
   * What requests to a host carry beside what the model gives: `{ 'api.example.com': { authorization: 'Bearer …' } }`. They go
   * over https; over http only to `host:port`, or where `allowPrivate` names it. The model does not see them, and their values are taken out of what comes back.
   */
  headers?: { readonly [host: string]: { readonly [name: string]: string } }
  /** Ask a person first. Default: for every method but GET and HEAD. */
  needsApproval?: boolean
  /** Characters of a page of the answer. Default 10,000. */
  chars?: number
}

/** Headers of an answer that tell a model what to do next. */
const toldHeaders = [
  'content-type',
  'location',
  'retry-after',
  'etag',
  'last-modified',
  'link',
  'allow',
  'content-range',
]

/** Characters of an answer that are kept to be read on in. */
const maxKept = 5_000_000

/** @throws DefinitionError for an option that cannot be used */
export function httpRequest(options: HttpRequestOptions): Tool<z.output<ReturnType<typeof inputOf>>> {
  const { methods = allMethods, headers = {}, needsApproval, chars = pageChars, ...network } = options
  checkOptions(options, methods)
  const input = inputOf(methods)
  const fetch = guardedFetch(network, 'httpRequest')
  const scrub = scrubber(Object.values(headers).flatMap((each) => Object.values(each)))
  const isPure = methods.every(isReading)
  const cache = new TextCache<{ text: string }>()
  return tool({
    name: 'http_request',
    description: `Sends an HTTP request (${methods.join(', ')}) to an API on ${options.hosts.join(', ')} and gives status and body of the answer, a page at a time. Signing in is done for you.`,
    input,
    effect: isPure ? 'pure' : 'once',
    untrusted: true,
    timeoutMs: (network.timeoutMs ?? 30_000) + 10_000,
    maxResultChars: chars + 5_000,
    needsApproval: needsApproval ?? (({ method, from = 0 }) => !isReading(method) && from === 0),
    async execute({ method, url, body, from = 0 }, { signal, fence }) {
      const key = JSON.stringify([method, url, body])
      let text = from > 0 ? cache.get(key)?.text : undefined
      if (text === undefined) {
        if (from > 0 && !isReading(method)) {
          throw new InputError(
            `The answer to this ${method} is not kept any more, and it is not sent again to read on in it.`,
          )
        }
        if (body !== undefined && isReading(method))
          throw new InputError(`A ${method} has no body. Put it into the URL.`)
        const reply = await fetch(url, { ...requestOf(method, headersFor(url, options), body), signal })
        text = scrub(textOf(reply)).slice(0, maxKept)
        cache.set(key, { text })
      }
      const page = pageOf(text, from, chars)
      return [`The answer to ${method}:`, fence(page.text), ...(page.note === '' ? [] : [page.note])].join('\n')
    },
    fake: ({ method }, { fence }) =>
      `The answer to ${method}:\n${fence('HTTP 200\ncontent-type: application/json\n\n{}')}`,
  })
}

function inputOf(methods: readonly HttpMethod[]) {
  return z.object({
    method: z.enum(methods).describe('The HTTP method'),
    url: z.string().describe('The full address, with its query'),
    body: z
      .union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())])
      .optional()
      .describe('What to send: an object or a list goes as JSON, a text as it is'),
    from: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe('To read on in the same answer: the position that its note named'),
  })
}

const isReading = (method: HttpMethod) => method === 'GET' || method === 'HEAD'

function checkOptions({ hosts, headers = {} }: HttpRequestOptions, methods: readonly HttpMethod[]): void {
  if (!Array.isArray(hosts) || hosts.length === 0) {
    throw new DefinitionError('httpRequest: hosts is missing. Name the hosts that may be asked: ["api.example.com"].')
  }
  const odd = methods.find((method) => !allMethods.includes(method))
  if (odd !== undefined || methods.length === 0) {
    throw new DefinitionError(
      `httpRequest: methods has ${JSON.stringify(odd)}; it lists some of ${allMethods.join(', ')}.`,
    )
  }
  for (const host of Object.keys(headers)) {
    // Anything else would never be sent, and nobody would know why.
    if (URL.parse(`http://${host}/`)?.host !== host) {
      throw new DefinitionError(`httpRequest: headers are given for ${JSON.stringify(host)}, which is no host.`)
    }
  }
}

/**
 * By the host with its port, where it is not the usual one, else by the name alone.
 * @throws InputError for http, where everybody on the way reads them, unless the program named the port
 */
function headersFor(text: string, { headers = {}, allowPrivate = [] }: HttpRequestOptions) {
  const url = URL.parse(text.trim())
  const host = [url?.host, url?.hostname].find((each) => each !== undefined && Object.hasOwn(headers, each))
  if (url === null || host === undefined) return {}
  const isNamed = host.includes(':') || allowPrivate.includes(`${url.hostname}:${portOf(url)}`)
  if (url.protocol === 'http:' && !isNamed) {
    throw new InputError(`What signs in to ${host} goes over https only. Write the address with https://.`)
  }
  return headers[host]!
}

function requestOf(method: HttpMethod, own: { readonly [name: string]: string }, body: unknown) {
  if (body === undefined) return { method, headers: own }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = isJson(text) ? 'application/json' : 'text/plain; charset=utf-8'
  const hasType = Object.keys(own).some((name) => name.toLowerCase() === 'content-type')
  return { method, headers: hasType ? own : { ...own, 'content-type': type }, body: text }
}

function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function textOf({ status, url, headers, body }: NetworkReply): string {
  const type = headers.get('content-type') ?? ''
  const told = toldHeaders.flatMap((name) => (headers.has(name) ? [`${name}: ${headers.get(name)}`] : []))
  const text = decodeDocument(body, type)
  if (text.includes('\0')) {
    throw new NetworkError(
      'bad-response',
      `The answer is no text but ${body.length} bytes. Ask for another form of it.`,
    )
  }
  return [`HTTP ${status}`, `url: ${url}`, ...told, '', /[/+]json\b/.test(type) ? indentedJson(text) : text]
    .join('\n')
    .trimEnd()
}
