/** Failures of the wire as `ModelError` (section 10 of the wire contract). */
import { ModelError } from '@clew/core'

/** An error object as OpenRouter and its like send it; every field may be missing or of another type. */
export type WireError = { code?: unknown; message?: unknown; metadata?: unknown } | string

/** `[provider] innermost text`, with code, status and whether the same request may succeed later. */
export function toModelError(error: WireError, status?: number, cause?: unknown): ModelError {
  const { code, message, metadata } = typeof error === 'string' ? { message: error } : error
  const { provider_name, raw } = (typeof metadata === 'object' && metadata !== null ? metadata : {}) as {
    provider_name?: unknown
    raw?: unknown
  }
  const provider = typeof provider_name === 'string' ? provider_name : undefined
  const rawText = raw === undefined || raw === null ? undefined : typeof raw === 'string' ? raw : JSON.stringify(raw)
  const known = status ?? statusOf(code)
  const text =
    innermost(rawText) ??
    (typeof message === 'string' && message !== '' ? message : 'The provider reported an error without a message.')
  const hint =
    known === 401
      ? `${text.endsWith('.') ? '' : '.'} Check the API key: OPENROUTER_API_KEY, or openrouter(model, { apiKey }).`
      : ''
  return new ModelError(
    `${known === undefined ? '' : `${known}: `}${provider ? `[${provider}] ` : ''}${text}${hint}`,
    {
      ...((typeof code === 'string' || typeof code === 'number') && { code }),
      ...(known !== undefined && { status: known }),
      ...(provider && { provider }),
      ...(rawText !== undefined && { raw: rawText }),
      retryable: known !== undefined && (known === 408 || known === 429 || known >= 500),
    },
    cause === undefined ? undefined : { cause },
  )
}

/** What the `openai` client threw: an answer with an error status, a connection that failed, or something of its own. */
export function fromClientError(error: unknown, baseURL: string): ModelError {
  const { status, error: body, message } = error as { status?: unknown; error?: unknown; message?: unknown }
  if (typeof status === 'number') {
    // A gateway in between answers with a page of its own.
    const isPage = body === undefined && /<html|<!doctype/i.test(String(message))
    if (isPage) return toModelError({ message: 'The server answered with a web page instead of JSON.' }, status, error)
    const wire =
      typeof body === 'object' && body !== null
        ? (body as WireError)
        : { message: typeof body === 'string' ? body : message }
    return toModelError(wire, status, error)
  }
  const reasons = new Set<string>()
  for (let at: unknown = error; at instanceof Error; at = at.cause) reasons.add(at.message.replace(/\.$/, ''))
  return new ModelError(
    `${baseURL} could not be reached: ${[...reasons].join(': ')}. Check the network and the base URL.`,
    { code: 'unreachable', retryable: true },
    { cause: error },
  )
}

function statusOf(code: unknown): number | undefined {
  const status = typeof code === 'string' ? Number(code) : code
  return typeof status === 'number' && status >= 400 && status < 600 ? status : undefined
}

/** The upstream's own words: `raw` is often JSON text around the message that helps. */
function innermost(raw: string | undefined): string | undefined {
  if (raw === undefined || raw.trim() === '') return undefined
  try {
    const parsed = JSON.parse(raw) as { error?: unknown; message?: unknown; detail?: unknown }
    const inner = parsed?.error ?? parsed?.message ?? parsed?.detail
    if (typeof inner === 'string') return inner
    const { message } = (inner ?? {}) as { message?: unknown }
    return typeof message === 'string' ? message : raw
  } catch {
    return raw
  }
}
