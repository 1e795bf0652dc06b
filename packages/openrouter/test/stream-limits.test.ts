/** Answers without an end, over real HTTP: each limit cuts its kind, keeps what had come, and closes the connection. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { defaultStreamLimits, type StreamLimits } from '../src/bounded-reader.ts'
import { openrouter } from '../src/index.ts'
import { type Answered, answerOf } from './serve.ts'

const mebibyte = 2 ** 20
const hello = 'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n'
const more = 'data: {"choices":[{"delta":{"content":" more"}}]}\n\n'

type Written = { answered: Answered; bytes: number; ms: number }
type Way = { contentType?: string; status?: number; limits?: StreamLimits }

/** Lets the server write as it likes, waits for what the client makes of it, and for the end of the connection. */
async function cutOff(
  write: (send: (piece: string | Buffer) => Promise<boolean>) => Promise<void>,
  { contentType = 'text/event-stream', status = 200, limits }: Way = {},
): Promise<Written> {
  let bytes = 0
  let isClosed = (): void => {}
  const closed = new Promise<void>((resolve) => (isClosed = resolve))
  const server = createServer((_, response) => {
    response.on('error', () => {})
    response.once('close', isClosed)
    response.writeHead(status, { 'content-type': contentType })
    const send = async (piece: string | Buffer): Promise<boolean> => {
      if (response.destroyed) return false
      bytes += piece.length
      if (!response.write(piece)) await drained(response)
      return !response.destroyed
    }
    void write(send)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const model = openrouter('m/x', {
    baseURL: `http://127.0.0.1:${port}`,
    apiKey: 'k',
    retries: 0,
    ...(limits && { streamLimits: limits }),
  })
  const started = performance.now()
  const answered = await answerOf(model)
  const ms = performance.now() - started
  // Without this, a connection that stays open would cost money on.
  await closed
  return { answered, bytes, ms }
}

/** Until there is room for more, or the client is gone. */
async function drained(response: ServerResponse): Promise<void> {
  const left = new AbortController()
  const gone = () => left.abort()
  response.once('close', gone)
  await once(response, 'drain', { signal: left.signal }).catch(() => {})
  response.off('close', gone)
}

/** Sends the same for as long as it is taken. */
const endlessly = (piece: string | Buffer, first: string = hello) =>
  async function write(send: (piece: string | Buffer) => Promise<boolean>): Promise<void> {
    for (let goesOn = await send(first); goesOn; ) goesOn = await send(piece)
  }

function expectCut(
  { answered: { error, reply, text } }: Written,
  limit: keyof StreamLimits,
  said: string | RegExp,
): void {
  expect(reply).toBeUndefined()
  expect(error?.details.code).toBe('stream-limit')
  expect(error?.message).toContain(`streamLimits.${limit}`)
  expect(error?.details.partial?.text).toBe(text)
  expect(text).toMatch(said)
}

it('the limits are far above what real answers need', () => {
  expect(defaultStreamLimits).toEqual({
    bytes: 256 * mebibyte,
    eventChars: 16 * mebibyte,
    idleMs: 300_000,
    ms: 3_600_000,
  })
})

it('a stream without an end is cut at `bytes`', async () => {
  const piece = more.repeat(1000)
  const written = await cutOff(endlessly(piece), { limits: { bytes: mebibyte } })
  expectCut(written, 'bytes', /^Hello( more)+$/)
  expect(written.answered.text.length).toBeLessThan(mebibyte)
  expect(written.answered.text.length).toBeGreaterThan(mebibyte / 20)
})

it('a stream of nothing but comments is cut at `bytes`', async () => {
  const written = await cutOff(endlessly(': OPENROUTER PROCESSING\n\n'.repeat(1000)), { limits: { bytes: mebibyte } })
  expectCut(written, 'bytes', 'Hello')
})

it('a line of 1 GB is cut at the default `eventChars`, and is not kept', async () => {
  const piece = Buffer.alloc(mebibyte, 'x')
  let largest = 0
  const before = process.memoryUsage.rss()
  const written = await cutOff(async (send) => {
    let goesOn = (await send(hello)) && (await send('data: "'))
    for (let sent = 0; goesOn && sent < 1024; sent++) {
      goesOn = await send(piece)
      largest = Math.max(largest, process.memoryUsage.rss() - before)
    }
  })
  expectCut(written, 'eventChars', 'Hello')
  expect(written.answered.error?.message).toContain(`${16 * mebibyte} characters`)
  expect(written.bytes).toBeGreaterThan(16 * mebibyte)
  // The rest is what the network holds on its way.
  expect(written.bytes).toBeLessThan(64 * mebibyte)
  expect(largest).toBeLessThan(200 * mebibyte)
})

it('an event of many lines is cut at `eventChars`', async () => {
  const written = await cutOff(endlessly('data: 1234567890\n'), { limits: { eventChars: 10_000 } })
  expectCut(written, 'eventChars', 'Hello')
})

it('1 GB in a line that is no data is not kept either', async () => {
  const piece = Buffer.alloc(mebibyte, 'x')
  let largest = 0
  const before = process.memoryUsage.rss()
  const written = await cutOff(
    async (send) => {
      let goesOn = (await send(hello)) && (await send(':'))
      for (let sent = 0; goesOn && sent < 1024; sent++) {
        goesOn = await send(piece)
        largest = Math.max(largest, process.memoryUsage.rss() - before)
      }
    },
    { limits: { bytes: 64 * mebibyte } },
  )
  expectCut(written, 'eventChars', 'Hello')
  expect(largest).toBeLessThan(200 * mebibyte)
})

it('comments that drip for ever are cut at `ms`', async () => {
  const written = await cutOff(
    async (send) => {
      if (!(await send(hello))) return
      await new Promise<void>((resolve) => {
        const timer = setInterval(async () => {
          if (await send(': OPENROUTER PROCESSING\n\n')) return
          clearInterval(timer)
          resolve()
        }, 10)
      })
    },
    { limits: { ms: 300, idleMs: 10_000 } },
  )
  expectCut(written, 'ms', 'Hello')
  expect(written.ms).toBeGreaterThanOrEqual(290)
  // It was not silence that ended it.
  expect(written.bytes).toBeGreaterThan(hello.length + 100)
})

it('silence behind the first bytes is cut at `idleMs`, and may be tried again', async () => {
  const written = await cutOff(async (send) => void (await send(hello)), { limits: { idleMs: 50 } })
  expectCut(written, 'idleMs', 'Hello')
  expect(written.answered.error?.details.retryable).toBe(true)
  expect(written.ms).toBeGreaterThanOrEqual(49)
})

it('silence from the beginning is cut at `idleMs`', async () => {
  const written = await cutOff(async (send) => void (await send(': \n')), { limits: { idleMs: 50 } })
  expectCut(written, 'idleMs', /^$/)
})

it('silence in the middle of a character is cut at `idleMs`', async () => {
  const bytes = Buffer.from('data: {"choices":[{"delta":{"content":"é')
  const write = async (send: (piece: Buffer) => Promise<boolean>) => void (await send(bytes.subarray(0, -1)))
  expectCut(await cutOff(write, { limits: { idleMs: 50 } }), 'idleMs', /^$/)
})

it('a JSON answer without an end is cut at `bytes`', async () => {
  const first = '{"choices":[{"message":{"content":"'
  const write = endlessly(Buffer.alloc(65_536, 'x'), first)
  const written = await cutOff(write, { contentType: 'application/json', limits: { bytes: mebibyte } })
  // Nothing of it can be read before its end.
  expectCut(written, 'bytes', /^$/)
  expect(written.bytes).toBeLessThan(32 * mebibyte)
})

it('a JSON answer that is silent is cut at `idleMs`', async () => {
  const write = async (send: (piece: string) => Promise<boolean>) => void (await send(' '))
  const written = await cutOff(write, { contentType: 'application/json', limits: { idleMs: 50 } })
  expectCut(written, 'idleMs', /^$/)
})

it.each(['application/json', 'text/html', 'text/event-stream'])(
  'an error of type %s without an end is cut',
  async (contentType) => {
    const write = endlessly(Buffer.alloc(65_536, 'x'), '{"error":{"message":"')
    const limits = { bytes: mebibyte }
    const { answered, bytes } = await cutOff(write, { contentType, status: 500, limits })
    expect(answered.reply).toBeUndefined()
    expect(answered.error?.details.status).toBe(500)
    expect(bytes).toBeLessThan(32 * mebibyte)
  },
)

it('an error whose body never comes is cut', async () => {
  const { answered } = await cutOff(async (send) => void (await send(' ')), { status: 503, limits: { idleMs: 50 } })
  expect(answered.error?.details.status).toBe(503)
})
