/** `readBody` reads a response to its end, decompressed, and stops at the limit, whatever the other side says. */
import type { IncomingMessage } from 'node:http'
import { Readable, type Transform } from 'node:stream'
import zlib from 'node:zlib'
import type { Clock } from './clock.ts'
import { NetworkError, shown } from './network-error.ts'

type Bytes = AsyncIterable<Uint8Array>

/** By the name in `content-encoding`. The first byte tells whether `deflate` has its header, which some servers leave out. */
const decoders: { [name: string]: (first: number) => Transform } = {
  gzip: () => zlib.createGunzip(),
  deflate: (first) => ((first & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw()),
  br: () => zlib.createBrotliDecompress(),
  // RFC 9659: at most 8 MiB of window, so that a few bytes cannot ask for more. Node has it from 22.15 on.
  ...(typeof zlib.createZstdDecompress === 'function' && {
    zstd: () => zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 } }),
  }),
}

/** What `accept-encoding` asks for. */
export const encodings = Object.keys(decoders).join(', ')

/** More layers than this are no page but a bomb. */
const maxLayers = 2

/** @throws NetworkError `too-large`, `bad-response`, `timeout` */
export async function readBody(
  message: IncomingMessage,
  { url, maxBytes, clock }: { url: URL; maxBytes: number; clock: Clock },
): Promise<Uint8Array> {
  const tooLarge = () =>
    new NetworkError('too-large', `${shown(url)} is larger than ${maxBytes} bytes. Ask for a smaller part of it.`)
  const broken = (why: string) => new NetworkError('bad-response', `${shown(url)}: ${why}. Try again, or another page.`)
  try {
    if (Number(message.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
    let bytes: Bytes = capped(received(message, clock, broken), maxBytes, tooLarge)
    for (const decoder of layersOf(message, broken)) bytes = capped(decoded(bytes, decoder), maxBytes, tooLarge)
    return await clock.within(collect(bytes))
  } catch (error) {
    if (clock.signal.aborted) throw clock.signal.reason
    throw error instanceof NetworkError ? error : broken('its compression is damaged')
  } finally {
    message.destroy()
  }
}

async function* received(message: IncomingMessage, clock: Clock, broken: (why: string) => NetworkError): Bytes {
  try {
    for await (const chunk of message as Bytes) {
      clock.touch()
      yield chunk
    }
  } catch {
    throw broken('the answer broke off before its end')
  }
}

async function* capped(bytes: Bytes, maxBytes: number, tooLarge: () => NetworkError): Bytes {
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge()
    yield chunk
  }
}

async function* decoded(bytes: Bytes, decoder: (first: number) => Transform): Bytes {
  const source = bytes[Symbol.asyncIterator]()
  const first = await source.next()
  if (first.done) return
  const input = Readable.from(rest(first.value, source))
  const output = decoder(first.value[0] ?? 0)
  input.once('error', (error) => output.destroy(error))
  try {
    yield* input.pipe(output)
  } finally {
    input.destroy()
    output.destroy()
  }
}

async function* rest(first: Uint8Array, source: AsyncIterator<Uint8Array>): Bytes {
  yield first
  for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
}

/** The last encoding named was put on last, so it comes off first. */
function layersOf({ headers }: IncomingMessage, broken: (why: string) => NetworkError) {
  const names = (headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim().replace(/^x-/, ''))
    .filter((name) => name !== '' && name !== 'identity')
  if (names.length > maxLayers || !names.every((name) => Object.hasOwn(decoders, name))) {
    throw broken('its content-encoding is not known')
  }
  return names.reverse().map((name) => decoders[name]!)
}

async function collect(bytes: Bytes): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}
