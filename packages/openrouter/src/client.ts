/** The `openai` client behind a model: made on the first request, because loading it takes longer than all else here. */
import { InputError } from '@clew/core'
import type OpenAI from 'openai'
import { withShortErrors } from './error-body.ts'
import type { Profile } from './profile.ts'
import { isReplayer } from './recorder/replayer.ts'
import type { ConnectionSettings } from './settings.ts'

/**
 * @param keyless what is asked can be asked without a key, where there is none
 * @throws InputError when there is no key for a server that needs one, saying where to get it and where to put it
 */
export async function makeClient(settings: ConnectionSettings, profile: Profile, keyless = false): Promise<OpenAI> {
  if (settings.client) return settings.client
  const baseURL = settings.baseURL ?? profile.baseURL ?? ''
  // What goes nowhere needs no key.
  const apiKey = isReplayer(settings.fetch) ? noKey : keyFor(settings.apiKey, baseURL, profile, keyless)
  const { default: Client } = await import('openai')
  const { url, title } = settings.app ?? {}
  return new Client({
    apiKey,
    baseURL,
    // Retries are the model's own matter: two places that retry multiply.
    maxRetries: 0,
    // A timer takes no more, and ends at once when asked to.
    ...(settings.timeoutMs !== undefined && { timeout: Math.min(settings.timeoutMs, 2 ** 31 - 1) }),
    fetch: withShortErrors(settings.fetch, settings.streamLimits),
    // Section 1.1 of the wire contract: who asks, under the new and the old name.
    defaultHeaders: {
      ...(url && { 'HTTP-Referer': url }),
      ...(title && { 'X-OpenRouter-Title': title, 'X-Title': title }),
      ...(keyless && apiKey === noKey && { Authorization: null }),
      ...settings.headers,
    },
    dangerouslyAllowBrowser: true,
  })
}

/** In place of a key, because the client wants one. */
const noKey = 'no-key'

/** The environment's key goes to the server that it belongs to, and to this machine. */
function keyFor(given: string | undefined, baseURL: string, profile: Profile, keyless: boolean): string {
  const { name, keyEnv, baseURL: home = '' } = profile
  if (given) return given
  const host = hostOf(baseURL)
  if (host === '')
    throw new InputError(`baseURL is ${JSON.stringify(baseURL)}; give a whole URL such as http://localhost:11434/v1.`)
  const isHome = host === hostOf(home) || host.endsWith(`.${hostOf(home)}`)
  const isLocal = host === 'localhost' || host === '[::1]' || /^127\./.test(host)
  if (keyEnv === undefined || !(isHome || isLocal)) return noKey
  const key = globalThis.process?.env?.[keyEnv]?.trim()
  if (key) return key
  if (!isHome || keyless) return noKey
  const where = name === 'openrouter' ? 'Make one at https://openrouter.ai/keys, then set' : 'Set'
  const who = name === 'openrouter' ? 'OpenRouter' : name
  const call = name === 'openrouter' ? 'openrouter(model, { apiKey })' : '{ apiKey }'
  throw new InputError(`There is no ${who} API key. ${where} ${keyEnv} or pass ${call}.`)
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : ''
}
