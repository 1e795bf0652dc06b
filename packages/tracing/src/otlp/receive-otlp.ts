/** `receiveOtlp()`: takes what OTLP/HTTP exporters send as JSON; `startReceiver()` listens with it on this computer. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { describeError, isClewError } from '@clew/core'
import type { Traces } from '../store/open-traces.ts'
import { importOtlp } from './import-otlp.ts'

/** Of one request, unpacked. */
const maxBytes = 64 * 2 ** 20

type Answer = { status: number; body: object }

/** For the path `/v1/traces` of a `node:http` server. Answers every request; the store's failures are answered with 503. */
export function receiveOtlp(
  traces: Pick<Traces, 'add'>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { status, body } = await take(traces, request).catch(failed)
    // The rest of a request that was refused is not read.
    if (status >= 400) response.setHeader('connection', 'close')
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
}

export type Receiver = {
  /** For `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`. */
  url: string
  close(): Promise<void>
}

/** `port`: 4318 is what exporters take unless told; 0 any that is free. Listens on 127.0.0.1 only. */
export async function startReceiver(traces: Pick<Traces, 'add'>, { port = 4318 } = {}): Promise<Receiver> {
  const handle = receiveOtlp(traces)
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function take(traces: Pick<Traces, 'add'>, request: IncomingMessage): Promise<Answer> {
  const refusal = refuse(request)
  if (refusal) return refusal
  const body = await read(request)
  if (!body) return told(413, `The request is larger than ${maxBytes} bytes. Export in smaller batches.`)
  const { rejected, reasons } = importOtlp(traces, body.toString('utf8'))
  if (rejected === 0) return { status: 200, body: {} }
  return {
    status: 200,
    body: { partialSuccess: { rejectedSpans: String(rejected), errorMessage: reasons.join('; ') } },
  }
}

/** A page in a browser may not write here, nor one whose name was turned to this address. */
function refuse({ method, url = '', headers }: IncomingMessage): Answer | undefined {
  if (new URL(url, 'http://local').pathname !== '/v1/traces') return told(404, 'Traces are taken at /v1/traces.')
  if (method !== 'POST') return told(405, 'Traces are taken by POST.')
  if (headers.origin !== undefined) return told(403, 'Requests of pages in a browser are not taken.')
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(headers.host ?? ''))
    return told(403, 'Only requests to this computer by its own address are taken.')
  if (!/^application\/json\b/i.test(headers['content-type'] ?? ''))
    return told(
      415,
      'Only JSON is taken. Set OTEL_EXPORTER_OTLP_PROTOCOL=http/json, or use @opentelemetry/exporter-trace-otlp-http.',
    )
  if (!['identity', 'gzip'].includes(headers['content-encoding'] ?? 'identity'))
    return told(415, 'Only gzip is unpacked.')
  return undefined
}

/** Nothing when it is too large. */
async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > maxBytes) return undefined
    pieces.push(piece)
  }
  const body = Buffer.concat(pieces)
  if (request.headers['content-encoding'] !== 'gzip') return body
  return await promisify(gunzip)(body, { maxOutputLength: maxBytes })
}

function failed(error: unknown): Answer {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ERR_BUFFER_TOO_LARGE')
    return told(413, `The request is larger than ${maxBytes} bytes. Export in smaller batches.`)
  // Unreadable is the sender's, and not sent again; the store's own trouble may pass.
  const isUnreadable = (isClewError(error, 'trace') && /^This is no /.test(error.message)) || code?.startsWith('Z_')
  return told(isUnreadable ? 400 : 503, describeError(error))
}

const told = (status: number, message: string): Answer => ({ status, body: { message } })
