/** Asks GitHub's REST API, docs.github.com/rest, and says what to do when it does not answer as hoped. */
import { InputError, type PluginHost } from '@clew/core'
import type { z } from 'zod/v4'

const later = 'Try again later, or go on without it.'

/** @throws InputError for all but an answer */
export async function ask(host: PluginHost, path: string, type: string, signal: AbortSignal): Promise<Response> {
  const key = host.secrets.GITHUB_TOKEN
  const headers = {
    accept: `application/vnd.github.${type}`,
    'x-github-api-version': '2026-03-10',
    'user-agent': 'clew-plugin-github/0.1 (npmjs.com/package/@clew/plugin-github)',
    ...(key && { authorization: `Bearer ${key}` }),
  }
  const response = await host.fetch(`https://api.github.com${path}`, { headers, signal })
  if (response.ok) return response
  await response.body?.cancel()
  throw new InputError(reasonOf(response, key ? 'with this key' : 'without a key'))
}

export async function askJson<Answer>(host: PluginHost, path: string, schema: z.ZodType<Answer>, signal: AbortSignal) {
  return readAs(schema, await ask(host, path, 'json', signal))
}

export async function readAs<Answer>(schema: z.ZodType<Answer>, response: Response): Promise<Answer> {
  const answer = schema.safeParse(await response.json().catch(() => undefined))
  if (answer.success) return answer.data
  throw new InputError(`GitHub answered with something unknown. ${later}`)
}

/** The path of something in a repository; nothing in it leads elsewhere. */
export function pathOf(...parts: string[]): string {
  const steps = parts.flatMap((part) => part.split('/')).filter((step) => step !== '')
  if (!steps.some((step) => step === '.' || step === '..')) return `/repos/${steps.map(encodeURIComponent).join('/')}`
  throw new InputError('Write the path from the top of the repository, without "." and "..".')
}

/** docs.github.com/rest/using-the-rest-api: troubleshooting, and rate limits. */
function reasonOf({ status, headers }: Response, how: string): string {
  const [wait, left, reset] = ['retry-after', 'x-ratelimit-remaining', 'x-ratelimit-reset'].map((name) =>
    headers.get(name),
  )
  const isLimit = status === 429 || (status === 403 && (wait || left === '0'))
  if (isLimit) {
    const time =
      left === '0' && /^\d{1,11}$/.test(reset ?? '') ? new Date(Number(reset) * 1000).toISOString() : undefined
    const when = /^\d+$/.test(wait ?? '') ? `in ${wait} seconds` : time ? `after ${time}` : 'in a minute'
    return `GitHub has been asked too much ${how}. Ask again ${when}, or go on without it.`
  }
  if (status === 401) return 'GitHub does not take the key in GITHUB_TOKEN. A person has to renew it; go on without it.'
  if (status === 403) return `GitHub does not let anybody read this ${how}. Go on without it.`
  if (status === 404 || status === 410)
    return `GitHub shows no such thing ${how}. Look at the spelling, or search for it.`
  if (status === 422)
    return 'GitHub cannot work with this. Write plain words, and names of repositories that are there.'
  return `GitHub answered with status ${status}. ${later}`
}
