/** `HttpTransport`: streamable HTTP of the SDK, whose requests end when their connection does. */
import {
  type JSONRPCMessage,
  SdkHttpError,
  StreamableHTTPClientTransport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client'
import { boundedFetch } from './bounded-fetch.ts'
import type { HttpOptions } from './options.ts'

/** @throws TypeError for what is no URL. */
export function httpTransport({ url, headers, authProvider, fetch }: HttpOptions): HttpTransport {
  return new HttpTransport(new URL(url), {
    ...(headers && { requestInit: { headers } }),
    ...(authProvider && { authProvider }),
    fetch: boundedFetch(fetch),
  })
}

export class HttpTransport extends StreamableHTTPClientTransport {
  /** The SDK leaves a request open when its stream breaks off for good: it would end with the timeout only. */
  override send(message: JSONRPCMessage | JSONRPCMessage[], options: TransportSendOptions = {}): Promise<void> {
    if (Array.isArray(message) || !('method' in message && 'id' in message)) return super.send(message, options)
    const { id } = message
    const onRequestStreamEnd = () =>
      this.onmessage?.({
        jsonrpc: '2.0',
        id,
        error: { code: -32000, message: 'The connection ended before the answer. It may have taken effect.' },
      })
    return super.send(message, { ...options, onRequestStreamEnd })
  }

  async lastWords(): Promise<string> {
    return ''
  }
}

/**
 * True when the server did not take the request because it does not know our session (any more). By the specification that
 * is 404; many servers, made after an old example of the SDK, say 400 and speak of the session.
 */
export function isSessionGone(error: unknown, transport: object): boolean {
  if (!(error instanceof SdkHttpError && transport instanceof HttpTransport)) return false
  if (transport.sessionId === undefined) return false
  const { status, text } = error.data as { status?: number; text?: string | null }
  return status === 404 || (status === 400 && /session/i.test(text ?? ''))
}
