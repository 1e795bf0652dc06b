/** `catalogue()`: what OpenRouter knows of models, endpoints, generations and keys (section 12 of the wire contract). */
import type { Json } from '@clew/core'
import { DefinitionError, InputError, isClewError, ModelError } from '@clew/core'
import type OpenAI from 'openai'
import { type Catalogue, type Endpoint, type ModelCard, toCard } from './card.ts'
import { makeClient } from './client.ts'
import { defaultCard } from './default-card.ts'
import { fromClientError } from './errors.ts'
import { fieldsOf } from './json.ts'
import { type Listing, readListing, writeListing } from './listing-cache.ts'
import { openRouterProfile } from './profile.ts'
import type { ConnectionSettings } from './settings.ts'
import { wait } from './wait.ts'

export type CatalogueOptions = Pick<ConnectionSettings, 'apiKey' | 'baseURL' | 'headers' | 'fetch' | 'client'> & {
  /** Milliseconds until an answer must begin. Default 30 seconds: a model waits for its card before its first request. */
  timeoutMs?: number
  /** Where the list of models is kept between processes. Default: `clew` in the user's cache folder; `false`: nowhere. */
  cacheFolder?: string | false
  /** Milliseconds for which the kept list is taken for today's. Default: one day. */
  maxAgeMs?: number
}

const optionNames = ['apiKey', 'baseURL', 'headers', 'fetch', 'client', 'timeoutMs', 'cacheFolder', 'maxAgeMs']
const aDayMs = 24 * 60 * 60_000
/** Pages of one listing; there is one as long as nobody asks for pages. */
const maxPages = 20

/**
 * Asks OpenRouter when it is asked, never by itself. When OpenRouter cannot be reached, a list that was kept is better
 * than none, however old; and the default model's card comes with the package.
 * Its promises reject with `ModelError` when OpenRouter refuses or cannot be reached.
 */
export function catalogue(options: CatalogueOptions = {}): Catalogue {
  for (const name of Object.keys(options)) {
    if (!optionNames.includes(name))
      throw new DefinitionError(`catalogue(): there is no option "${name}". Known: ${optionNames.join(', ')}.`)
  }
  const { cacheFolder, maxAgeMs = aDayMs, timeoutMs = 30_000, ...connection } = options
  let client: Promise<OpenAI> | undefined
  let listing: Promise<Listing> | undefined
  let freshUntil = 0

  async function get(path: string): Promise<{ [field: string]: Json }> {
    client ??= makeClient(connection, openRouterProfile, true).catch((error) => {
      client = undefined
      throw error
    })
    const made = await client
    try {
      // Nothing is shown of these and nothing is paid for them: the client's own retries will do.
      return fieldsOf(await made.get(path, { maxRetries: 2, timeout: timeoutMs })) as { [field: string]: Json }
    } catch (error) {
      throw fromClientError(error, made.baseURL)
    }
  }

  async function fetchListing(): Promise<Listing> {
    const models: Json[] = []
    const asked = new Set<string>()
    let path: string | undefined = '/models'
    while (path !== undefined && !asked.has(path) && asked.size < maxPages) {
      asked.add(path)
      const answer = await get(path)
      if (!Array.isArray(answer.data)) throw new ModelError('The list of models is no list.', { raw: cut(answer) })
      models.push(...answer.data)
      path = nextPath(answer.links, (await client)?.baseURL ?? '')
    }
    return { asOf: new Date().toISOString(), models }
  }

  async function freshListing(): Promise<Listing> {
    const place = {
      folder: cacheFolder,
      baseURL: connection.client?.baseURL ?? connection.baseURL ?? openRouterProfile.baseURL!,
    }
    const kept = await readListing(place)
    if (kept && Date.now() - Date.parse(kept.asOf) < maxAgeMs) return kept
    try {
      const fetched = await fetchListing()
      await writeListing(place, fetched)
      return fetched
    } catch (error) {
      if (kept) return kept
      throw error
    }
  }

  /** Asked for once, however many ask for it at a time. */
  function currentListing(): Promise<Listing> {
    if (listing && Date.now() < freshUntil) return listing
    freshUntil = Number.POSITIVE_INFINITY
    listing = freshListing()
    listing.then(
      ({ asOf }) => (freshUntil = Date.parse(asOf) + maxAgeMs),
      () => (freshUntil = 0),
    )
    return listing
  }

  async function models(): Promise<ModelCard[]> {
    const { models: entries, asOf } = await currentListing()
    return entries.flatMap((entry) => toCard(entry, asOf) ?? [])
  }

  async function model(id: string): Promise<ModelCard> {
    const plain = id.replace(/:[^:/]*$/, '')
    const known = await models().catch((error) => {
      if (plain === defaultCard.id) return [defaultCard]
      throw error
    })
    const card = known.find((each) => each.id === id) ?? known.find((each) => each.id === plain)
    if (!card) throw new InputError(`OpenRouter has no model ${JSON.stringify(id)}. ${nearest(id, known)}`)
    return card
  }

  async function data(path: string): Promise<{ [field: string]: Json }> {
    const answer = await get(path)
    if (typeof answer.data !== 'object' || answer.data === null)
      throw new ModelError(`The answer to ${path} holds no data.`, { raw: cut(answer) })
    return fieldsOf(answer.data) as { [field: string]: Json }
  }
  return {
    models,
    model,
    async endpoints(id) {
      const { endpoints } = await data(`/models/${pathOf(id)}/endpoints`)
      return Array.isArray(endpoints) ? endpoints.map(toEndpoint) : []
    },
    generation: (id) => soon(() => data(`/generation?id=${encodeURIComponent(id)}`)),
    key: () => data('/key'),
    credits: () => data('/credits'),
  }
}

/** A generation can be unknown for a moment after its answer. */
async function soon<Value>(ask: () => Promise<Value>): Promise<Value> {
  for (const ms of [250, 500, 1000]) {
    try {
      return await ask()
    } catch (error) {
      if (!isClewError(error, 'model') || error.details.status !== 404) throw error
      await wait(ms, new AbortController().signal)
    }
  }
  return ask()
}

/** The next page, on this server only: a link to another one would carry the key there. */
function nextPath(links: Json | undefined, baseURL: string): string | undefined {
  const { next } = fieldsOf(links)
  if (typeof next !== 'string' || next === '') return undefined
  const base = new URL(baseURL)
  const url = new URL(next, base)
  if (url.origin !== base.origin)
    throw new ModelError(`The list of models goes on at ${url.origin}, which is another server. It was not asked.`)
  return url.pathname.replace(base.pathname.replace(/\/$/, ''), '') + url.search
}

function pathOf(id: string): string {
  if (!/^[^/]+\/[^/]+$/.test(id))
    throw new InputError(`${JSON.stringify(id)} is no model id; it looks like author/name.`)
  return id.split('/').map(encodeURIComponent).join('/')
}

function toEndpoint(entry: Json): Endpoint {
  const wire = fieldsOf(entry)
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined)
  const contextLength = number(wire.context_length)
  const maxOutputTokens = number(wire.max_completion_tokens)
  const uptime = number(wire.uptime_last_30m)
  const latency = number(fieldsOf(wire.latency_last_30m).p50)
  const throughput = number(fieldsOf(wire.throughput_last_30m).p50)
  return {
    provider: String(wire.provider_name ?? wire.name ?? ''),
    tag: String(wire.tag ?? ''),
    ...(contextLength !== undefined && { contextLength }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(typeof wire.quantization === 'string' && { quantization: wire.quantization }),
    supportedParameters: Array.isArray(wire.supported_parameters) ? wire.supported_parameters.map(String) : [],
    ...(uptime !== undefined && { uptime }),
    ...(latency !== undefined && { latency }),
    ...(throughput !== undefined && { throughput }),
    raw: entry,
  }
}

function nearest(id: string, cards: readonly ModelCard[]): string {
  const name = id.split('/').at(-1)?.split(':')[0]?.toLowerCase() ?? ''
  const near = cards.filter((card) => name !== '' && card.id.toLowerCase().includes(name)).slice(0, 3)
  if (cards.length === 0) return 'Its list is empty: check the base URL.'
  const ids = (near.length > 0 ? near : cards.slice(0, 3)).map((card) => card.id)
  return `It has ${ids.join(', ')} and others: see models().`
}

function cut(value: Json): string {
  return JSON.stringify(value).slice(0, 1000)
}
