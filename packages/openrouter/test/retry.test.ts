/** Requests that are made again, and those that are not (section 10.3 of the wire contract). Waits are counted, not waited for. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, isClewError, memorySession } from '@clew/core'
import { type LocalReply, type Respond, startOpenRouter } from '@clew/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import { openrouter } from '../src/index.ts'
import { wait as waitReally } from '../src/wait.ts'
import { aRequest } from './ask.ts'
import { chunk, eventsOf, play } from './play.ts'

const { waits } = vi.hoisted(() => ({ waits: [] as number[] }))
vi.mock('../src/wait.ts', async (original) => {
  const real = await original<typeof import('../src/wait.ts')>()
  return {
    wait: (ms: number, signal: AbortSignal) => {
      waits.push(ms)
      // What is far away is really waited for, so that leaving it can be seen.
      return ms >= 30_000 ? real.wait(ms, signal) : Promise.resolve()
    },
  }
})
beforeEach(() => void waits.splice(0))

const busy = (status: number, extra: object = {}): LocalReply => ({ status, error: { message: 'busy' }, ...extra })
const retried = { settings: { retries: 2 } }
const failure = async (replies: LocalReply[], settings: object = retried.settings) => {
  const caught = await play(replies, { settings }).catch((error) => error)
  expect(isClewError(caught, 'run')).toBe(true)
  const { cause } = caught as Error
  if (!isClewError(cause, 'model')) throw cause
  return cause
}

describe('a request that failed', () => {
  it('P091: 429, 429, 200 is a result, after waits that grow', async () => {
    const { result, events, bodies } = await play([busy(429), busy(429), 'Here.'], retried)
    expect(result).toMatchObject({ status: 'done', text: 'Here.', usage: { requests: 1 } })
    expect(bodies).toHaveLength(3)
    expect(waits).toHaveLength(2)
    expect(waits[0]).toBeGreaterThanOrEqual(250)
    expect(waits[1]).toBeGreaterThan(waits[0]!)
    expect(eventsOf(events, 'model-restart').map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^429: busy\. Trying again in 0\.\d s\.$/),
      expect.stringMatching(/^429: busy\. Trying again in \d\.\d s\.$/),
    ])
  })

  it.each<[string, () => object, number, number]>([
    ['Retry-After in seconds', () => ({ headers: { 'retry-after': '7' } }), 7000, 7000],
    ['retry-after-ms', () => ({ headers: { 'retry-after-ms': '4321' } }), 4321, 4321],
    [
      'Retry-After as a date',
      () => ({ headers: { 'retry-after': new Date(Date.now() + 9000).toUTCString() } }),
      7000,
      9000,
    ],
    ['X-RateLimit-Reset in ms', () => ({ headers: { 'x-ratelimit-reset': String(Date.now() + 5000) } }), 4000, 5000],
    [
      'the reset within the body',
      () => ({
        error: { message: 'x', metadata: { headers: { 'X-RateLimit-Reset': String(Date.now() + 6000) } } },
      }),
      5000,
      6000,
    ],
    [
      'availability.retry_after',
      () => ({ error: { message: 'x', availability: { retryable: true, retry_after: 3 } } }),
      3000,
      3000,
    ],
  ])('P091: is made again after %s', async (_, extra, least, most) => {
    await play([(() => busy(429, extra())) as Respond, 'ok'], retried)
    expect(waits).toHaveLength(1)
    expect(waits[0]).toBeGreaterThanOrEqual(least)
    expect(waits[0]).toBeLessThanOrEqual(most)
  })

  it.each([[408], [429], [500], [502], [503], [504], [524], [529]])(
    '%i is made again, as often as set',
    async (status) => {
      expect(await failure([busy(status), busy(status), busy(status)])).toMatchObject({
        details: { status, retryable: true },
      })
      expect(waits).toHaveLength(2)
      await failure([busy(status)], { retries: 0 })
      expect(waits).toHaveLength(2)
    },
  )

  it.each([[400], [401], [402], [403], [404], [409], [410], [413], [422]])('%i is not', async (status) => {
    expect(await failure([busy(status)])).toMatchObject({ details: { status, retryable: false } })
    expect(waits).toEqual([])
  })

  it('what OpenRouter says of it counts more than its status', async () => {
    const availability = { code: 'temporarily_unavailable', retryable: true }
    const { result } = await play([busy(404, { error: { message: 'gone', availability } }), 'ok'], retried)
    expect(result).toMatchObject({ text: 'ok' })
    const final = await failure([
      busy(503, { error: { message: 'no', availability: { code: 'no_endpoints', retryable: false } } }),
    ])
    expect(final.details).toMatchObject({ retryable: false })
  })

  it('a daily limit, and a wait of hours, are not waited for', async () => {
    const daily = await failure([busy(429, { error: { message: 'Rate limit exceeded: free-models-per-day' } })])
    expect(daily.details).toMatchObject({ kind: 'rate-limit', retryable: false })
    const hours = await failure([busy(429, { headers: { 'retry-after': '7200' } })])
    expect(hours.details).toMatchObject({ kind: 'rate-limit', retryable: true, retryAfterMs: 7_200_000 })
    expect(waits).toEqual([])
  })

  it('an empty answer, and a stream that fails before it showed anything, are asked for again', async () => {
    const nothing: LocalReply = { chunks: [chunk({ role: 'assistant', content: '' })] }
    const bare: LocalReply = {
      chunks: [': OPENROUTER PROCESSING', { error: { code: 502, message: 'down' } }],
      done: false,
    }
    for (const first of [nothing, bare, { chunks: [chunk({ content: '' })], done: false }]) {
      expect((await play([first, 'ok'], retried)).result).toMatchObject({ text: 'ok' })
    }
    expect(waits).toHaveLength(3)
  })

  it('a refused reasoning does not stop later tries', async () => {
    const refused: LocalReply = {
      body: JSON.stringify({ error: { code: 400, message: 'Invalid `signature` in `thinking` block' } }),
      contentType: 'application/json',
    }
    const { result } = await play([refused, busy(503), 'ok'], {
      ...retried,
      model: 'anthropic/claude-sonnet-4.5',
      input: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: 'Yes?',
          reasoningDetails: [{ type: 'reasoning.text', text: 'Hm', signature: 'EqA1', format: 'anthropic-claude-v1' }],
          source: { model: 'anthropic/claude-sonnet-4.5' },
        },
        { role: 'user', content: 'Hello' },
      ],
    })
    expect(result).toMatchObject({ text: 'ok' })
  })

  it('what a failed try cost is journaled and counts', async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 1, cost: 0.5 }
    const session = memorySession()
    const { result } = await play(
      [
        { chunks: [chunk({ content: '' }, null, { error: { code: 502, message: 'down' }, usage })] },
        { text: 'ok', usage: { cost: 0.25 } },
      ],
      { ...retried, options: { session } },
    )
    expect(result.usage).toMatchObject({ requests: 2, usd: 0.75 })
    const logged = (await session.read()).events.find((event) => event.type === 'model-restart')
    expect(logged).toMatchObject({ reason: expect.stringContaining('502: down'), usage: { usd: 0.5, inputTokens: 7 } })
  })

  it('P094: nothing is asked for again once text, reasoning or a call was shown', async () => {
    for (const shown of [
      { content: 'Once upon' },
      { content: '', reasoning: 'Hm' },
      { content: null, tool_calls: [{ index: 0, id: 'c', function: { name: 'x', arguments: '' } }] },
    ]) {
      const error = await failure([{ chunks: [chunk(shown), { error: { code: 502, message: 'down' } }] }])
      expect(error.details).toMatchObject({
        code: 502,
        retryable: true,
        partial: { text: shown.content ?? '', reasoning: shown.reasoning ?? '' },
      })
    }
    expect(waits).toEqual([])
  })

  it('P085: leaving the run ends a wait of 30 s at once', async () => {
    const controller = new AbortController()
    await using server = await startOpenRouter({ respond: [busy(429, { headers: { 'retry-after': '30' } })] })
    const model = openrouter('m/x', { baseURL: server.url, apiKey: 'k' })
    const run = new Agent({ name: 'a', model }).run('Hi', { signal: controller.signal })
    const began = performance.now()
    await expect(
      (async () => {
        for await (const event of run) if (event.type === 'model-restart') controller.abort(new Error('stop'))
      })(),
    ).rejects.toSatisfy((error) => isClewError(error, 'abort'))
    expect(waits).toEqual([30_000])
    expect(performance.now() - began).toBeLessThan(5000)
    expect(server.requests).toHaveLength(1)
  })

  it('a connection that is refused is tried again; the error says what could not be reached', async () => {
    const gone = await startOpenRouter({ respond: [] })
    await gone.close()
    const answer = openrouter('m/x', { baseURL: gone.url, apiKey: 'k' }).generate(aRequest())
    const error = await answer
      .next()
      .then(() => answer.next())
      .then(() => answer.next())
      .catch((caught) => caught)
    expect(error).toMatchObject({ details: { code: 'unreachable', retryable: true } })
    expect(error.message).toMatch(/could not be reached: .*ECONNREFUSED/)
    expect(waits).toHaveLength(2)
  })

  it('a kept connection that the server ended meanwhile is not the end: it is asked again on a new one', async () => {
    const answered = new Set<object>()
    let resets = 0
    const server = createServer((request, response) => {
      if (answered.has(request.socket)) {
        resets += 1
        request.socket.resetAndDestroy()
        return
      }
      answered.add(request.socket)
      const choice = { message: { role: 'assistant', content: 'Here.' }, finish_reason: 'stop' }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ choices: [choice] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const agent = new Agent({ name: 'a', model: openrouter('m/x', { baseURL, apiKey: 'k' }) })
    for (let run = 0; run < 3; run += 1) expect((await agent.run('Hi')).text).toBe('Here.')
    expect(resets).toBeGreaterThan(0)
    expect(waits).toHaveLength(resets)
    server.closeAllConnections()
    server.close()
  })
})

describe('wait', () => {
  it('ends after its time, or at once with the reason of the signal', async () => {
    const controller = new AbortController()
    await waitReally(1, controller.signal)
    const { wait } = await vi.importActual<typeof import('../src/wait.ts')>('../src/wait.ts')
    const long = wait(60_000, controller.signal)
    controller.abort(new Error('left'))
    await expect(long).rejects.toThrow('left')
    await expect(wait(1, controller.signal)).rejects.toThrow('left')
  })
})

type HttpError = {
  id: string
  status: number
  headers: { [name: string]: string }
  body: object | string
  expected: { retry?: boolean; waitAtLeastMs?: number; errorStatus?: number; error?: true; messageIncludes?: string }
}

/** Dates and moments as they are meant: from now. */
const filledIn = (text: string) =>
  text
    .replaceAll('HTTP-DATE+2s', () => new Date(Date.now() + 2000).toUTCString())
    .replaceAll('EPOCH-MS+1500', () => String(Date.now() + 1500))

describe.skipIf(readCases('http-errors').length === 0)('http errors', () => {
  it.each(readCases<HttpError>('http-errors').map((each) => [each.id, each] as const))('%s', async (_, each) => {
    const { status, headers, body, expected } = each
    const first: Respond = () => ({
      status,
      body: filledIn(typeof body === 'string' ? body : JSON.stringify(body)),
      contentType: headers['content-type'] ?? '',
      headers: JSON.parse(filledIn(JSON.stringify(headers))),
    })
    await using server = await startOpenRouter({ respond: [first, 'ok'] })
    const model = openrouter('m/x', { baseURL: server.url, apiKey: 'k' })
    const outcome = await new Agent({ name: 'a', model }).run('Hi').then(
      (result) => result,
      (error) => error,
    )
    expect(server.requests).toHaveLength(expected.retry ? 2 : 1)
    if (expected.retry) {
      expect(outcome).toMatchObject({ status: 'done', text: 'ok' })
      if (expected.waitAtLeastMs) expect(waits[0]).toBeGreaterThanOrEqual(expected.waitAtLeastMs)
      return
    }
    const { cause } = outcome as Error
    if (!isClewError(cause, 'model')) throw cause
    if (expected.errorStatus) expect(cause.details.status).toBe(expected.errorStatus)
    if (expected.messageIncludes) expect(cause.message).toContain(expected.messageIncludes)
  })

  it('a 500 without a body, when it stays, is an error with its status', async () => {
    const empty: LocalReply = { status: 500, body: '', contentType: '' }
    expect(await failure([empty, empty, empty])).toMatchObject({ details: { status: 500, retryable: true } })
  })
})

type Overflow = { id: string; status: number; message: string; contextOverflow: boolean }
const asError = ({ status, message }: Overflow): LocalReply => ({ status, error: { message } })

describe('context overflow', () => {
  it.each(readCases<Overflow>('overflow-messages').map((each) => [each.id, each] as const))('%s', async (_, each) => {
    const error = await failure([asError(each)])
    expect(error.details.kind === 'context-overflow').toBe(each.contextOverflow)
    expect(error.message).toContain(each.message)
  })

  it.each([
    'prompt is too long: 213462 tokens > 200000 maximum',
    'Your input exceeds the context window of this model',
    'The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)',
    'prompt token count of 130000 exceeds the limit of 128000',
    'invalid params, context window exceeds limit',
    'Your request exceeded model token limit: 131072 (requested: 140000)',
    'prompt too long; exceeded max context length by 12 tokens',
    'request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it',
    'Token limit reached',
    "This model's maximum context length is 4097 tokens, however you requested 5360 tokens",
  ])('P099: "%s" is one', async (message) => {
    expect((await failure([{ status: 400, error: { message } }])).details).toMatchObject({
      kind: 'context-overflow',
      retryable: false,
    })
  })

  it.each([
    [400, 'image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes'],
    [
      400,
      "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
    ],
    [400, 'max_tokens must be greater than thinking.budget_tokens'],
    [400, 'messages: text content blocks must be non-empty'],
    [429, 'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000.'],
  ])('%i "%s" is none', async (status, message) => {
    const replies = Array.from({ length: 3 }, (): LocalReply => ({ status, error: { message } }))
    expect((await failure(replies)).details.kind).toBe(status === 429 ? 'rate-limit' : undefined)
  })

  it('is told by the type of the error as well, and in a stream', async () => {
    const typed = await failure([
      { status: 400, error: { message: 'no', metadata: { error_type: 'context_length_exceeded' } } },
    ])
    expect(typed.details.kind).toBe('context-overflow')
    const streamed = await failure([
      { chunks: [{ error: { code: 400, message: 'prompt is too long: 9 tokens > 8 maximum' } }] },
    ])
    expect(streamed.details).toMatchObject({ kind: 'context-overflow', status: 400 })
  })
})

describe('what an error tells', () => {
  it('P097: no endpoint with tools: not asked again, the message kept', async () => {
    const message =
      'No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs'
    const error = await failure([{ status: 404, error: { message } }])
    expect(error.message).toContain('No endpoints found that support tool use')
    expect(error.details).toMatchObject({ status: 404, retryable: false })
    const { bodies } = await play(['ok'], { settings: { provider: { requireParameters: true } } })
    expect(bodies[0]!.provider).toEqual({ require_parameters: true })
  })

  it('generation id of the header, code of the type where there is no number, status of the body', async () => {
    const error = await failure([
      {
        status: 400,
        headers: { 'x-generation-id': 'gen-9' },
        error: { code: 'model_not_found', message: 'none' },
      },
    ])
    expect(error.details).toMatchObject({ status: 400, code: 'model_not_found', generationId: 'gen-9' })
    const streamed = await failure([
      { chunks: [{ error: { http_status: 404, message: 'x', availability: { code: 'no_endpoints' } } }] },
    ])
    expect(streamed.details).toMatchObject({ status: 404, code: 'no_endpoints' })
  })
})
