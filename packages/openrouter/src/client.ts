/** The `openai` client behind a model: made on the first request, because loading it takes longer than all else here. */
import { InputError } from '@clew/core'
import type OpenAI from 'openai'
import type { OpenRouterSettings } from './settings.ts'

export const openRouterURL = 'https://openrouter.ai/api/v1'

/** @throws InputError when there is no key for a server that needs one, saying where to get it and where to put it. */
export async function makeClient(settings: OpenRouterSettings): Promise<OpenAI> {
  if (settings.client) return settings.client
  const baseURL = settings.baseURL ?? openRouterURL
  const apiKey = keyFor(settings, baseURL)
  const { default: Client } = await import('openai')
  const { url, title } = settings.app ?? {}
  return new Client({
    apiKey,
    baseURL,
    // Retries are the model's own matter: two places that retry multiply.
    maxRetries: 0,
    ...(settings.timeoutMs !== undefined && { timeout: settings.timeoutMs }),
    ...(settings.fetch && { fetch: settings.fetch }),
    defaultHeaders: {
      ...(url && { 'HTTP-Referer': url }),
      ...(title && { 'X-OpenRouter-Title': title, 'X-Title': title }),
      ...settings.headers,
    },
    dangerouslyAllowBrowser: true,
  })
}

function keyFor(settings: OpenRouterSettings, baseURL: string): string {
  if (settings.apiKey) return settings.apiKey
  const host = URL.canParse(baseURL) ? new URL(baseURL).hostname : ''
  if (host === '')
    throw new InputError(`baseURL is ${JSON.stringify(baseURL)}; give a whole URL such as http://localhost:11434/v1.`)
  const isOpenRouter = host === 'openrouter.ai' || host.endsWith('.openrouter.ai')
  const isLocal = host === 'localhost' || host === '[::1]' || /^127\./.test(host)
  const key = isOpenRouter || isLocal ? globalThis.process?.env?.OPENROUTER_API_KEY?.trim() : undefined
  if (key) return key
  if (!isOpenRouter) return 'no-key'
  throw new InputError(
    'There is no OpenRouter API key. Make one at https://openrouter.ai/keys, then set OPENROUTER_API_KEY or pass openrouter(model, { apiKey }).',
  )
}
