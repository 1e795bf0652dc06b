/** Embedders, over HTTP (section 12 of the wire contract). Waits are counted, not waited for. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DefinitionError, InputError, isClewError } from '@clew/core'
import { type LocalError, type LocalRaw, type RespondEmbeddings, startOpenRouter } from '@clew/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readRecordings } from '../../../test/shared.ts'
import { compatibleEmbedder, type EmbedderSettings, openrouterEmbedder } from '../src/index.ts'

const { waits } = vi.hoisted(() => ({ waits: [] as number[] }))
vi.mock('../src/wait.ts', () => ({
  wait: async (ms: number, signal: AbortSignal) => {
    waits.push(ms)
    signal.throwIfAborted()
  },
}))
beforeEach(() => void waits.splice(0))
afterEach(() => vi.unstubAllEnvs())

const name = 'openai/text-embedding-3-small'

/** Plays the answers in order, the last one for all that follow. */
async function embed(
  answers: (ReturnType<RespondEmbeddings> | RespondEmbeddings)[],
  texts: string[],
  settings: EmbedderSettings = {},
) {
  let asked = 0
  const respond: RespondEmbeddings = (request) => {
    const answer = answers[Math.min(asked++, answers.length - 1)]!
    return typeof answer === 'function' ? answer(request) : answer
  }
  await using server = await startOpenRouter({ respond: [], ...(answers.length > 0 && { embeddings: respond }) })
  const ask = openrouterEmbedder(name, { baseURL: server.url, apiKey: 'k', ...settings })
  const outcome = await ask(texts).then(
    (vectors) => ({ vectors, error: undefined }),
    (error) => ({ vectors: undefined, error }),
  )
  return { ...outcome, sent: server.embeddings.map(({ body }) => body), received: server.embeddings }
}

const body = (data: unknown, more: object = {}): LocalRaw => ({
  body: JSON.stringify({ object: 'list', data, ...more }),
})
const entry = (index: unknown, embedding: unknown) => ({ object: 'embedding', index, embedding })
const recordings = readRecordings('/embeddings')

describe('openrouterEmbedder', () => {
  it.skipIf(recordings.length === 0)('sends what was recorded, and reads the recorded answer', async () => {
    for (const { request, response } of recordings) {
      const { input, dimensions } = request.body as { input: string; dimensions: number }
      const { data } = response.body as { data: { embedding: (number | string)[] }[] }
      // A recording holds the first numbers of a vector, and a word for the rest.
      const first = data[0]!.embedding.filter((each) => typeof each === 'number')
      const whole = Array.from({ length: dimensions }, (_, at) => first[at] ?? 0)
      const recorded = { ...response.body, data: [{ ...data[0], embedding: whole }] }
      const { vectors, sent } = await embed([{ body: JSON.stringify(recorded) }], [input], { dimensions })
      expect(first.length).toBeGreaterThan(4)
      expect(vectors).toEqual([whole])
      expect(sent).toEqual([request.body])
    }
  })

  it('gives each text its vector, in their order, whatever the order of the answer', async () => {
    const shuffled: RespondEmbeddings = ({ input }) =>
      body(input.map((text, index) => entry(index, [text.length, 1])).toReversed())
    const { vectors } = await embed([shuffled], ['a', 'bb', 'ccc'])
    expect(vectors).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ])
  })

  it.each([undefined, null])('takes the order of a server whose index is %s', async (index) => {
    const { vectors } = await embed([body([entry(index, [1]), entry(index, [2])])], ['a', 'b'])
    expect(vectors).toEqual([[1], [2]])
  })

  it('sends many texts in several requests, none of them too large', async () => {
    const long = 'x'.repeat(30_000)
    const texts = [
      ...Array.from({ length: 130 }, (_, at) => `t${at}`),
      ...Array(7).fill(long),
      'y'.repeat(200_000),
      'z',
    ]
    const numbered: RespondEmbeddings = ({ input }) => input.map((text) => [text.length, text.charCodeAt(1) || 0])
    await using server = await startOpenRouter({ respond: [], embeddings: (request) => numbered(request) })
    const vectors = await openrouterEmbedder(name, { baseURL: server.url, apiKey: 'k' })(texts.toSpliced(137, 1))
    expect(vectors.map(([length]) => length)).toEqual(texts.toSpliced(137, 1).map(({ length }) => length))
    const sizes = server.embeddings.map(({ body }) => [body.input].flat().length)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(138)
    expect(Math.max(...sizes)).toBe(64)
    for (const { body } of server.embeddings) expect([body.input].flat().join('').length).toBeLessThanOrEqual(100_000)
    expect(server.embeddings).toHaveLength(5)
  })

  it('a text that is too long for a batch goes alone', async () => {
    const { sent } = await embed(
      [({ input }) => input.map(() => [1])],
      ['a', 'b'.repeat(32_000), 'c'.repeat(32_000), 'd'.repeat(32_000), 'e'.repeat(32_000)],
    )
    expect(
      sent.map(({ input }) =>
        [input]
          .flat()
          .map((text) => String(text)[0])
          .join(''),
      ),
    ).toEqual(['abcd', 'e'])
  })

  it('asks for nothing when there is nothing to ask', async () => {
    const { vectors, sent } = await embed([], [])
    expect([vectors, sent]).toEqual([[], []])
  })

  it('sends only what was set, by its name on the wire', async () => {
    const { sent, received } = await embed([], ['tea', 'pot'], {
      extraBody: { input_type: 'search_query', provider: { data_collection: 'deny' } },
      dimensions: 8,
      headers: { 'x-mine': '1' },
      app: { title: 'My app' },
    })
    expect(sent).toEqual([
      {
        input_type: 'search_query',
        provider: { data_collection: 'deny' },
        model: name,
        input: ['tea', 'pot'],
        dimensions: 8,
      },
    ])
    expect(received[0]?.headers).toMatchObject({ 'x-mine': '1', 'x-title': 'My app', authorization: 'Bearer k' })
    expect((await embed([], ['tea'])).sent).toEqual([{ model: name, input: 'tea' }])
  })

  it.each([[[1, 'a'] as never], ['tea' as never], [[undefined] as never], [['a', '']]])(
    'refuses what is no list of texts before anything is sent: %j',
    async (texts) => {
      const { error, sent } = await embed([], texts)
      expect(error).toBeInstanceOf(InputError)
      expect(error.message).toMatch(/give a list of texts|text \d of \d is (no text \(\w+\)|empty, .*Leave it out)\./)
      expect(sent).toEqual([])
    },
  )

  const wrong: [what: string, answer: LocalRaw | LocalError, message: RegExp][] = [
    ['fewer vectors', body([entry(0, [1])]), /has 1 vectors for 2 texts\. Ask again/],
    ['more vectors', body([entry(0, [1]), entry(1, [1]), entry(2, [1])]), /has 3 vectors for 2 texts/],
    ['no vectors', body(undefined), /has no list of vectors/],
    ['a vector twice', body([entry(0, [1]), entry(0, [1])]), /has two vectors for text 0, and none for another/],
    ['a vector for nobody', body([entry(0, [1]), entry(2, [1])]), /for text 2 of 2, which there is not/],
    ['an index below 0', body([entry(-1, [1]), entry(0, [1])]), /for text -1 of 2/],
    ['an index that is none', body([entry(0.5, [1]), entry('1', [1])]), /for text 0\.5 of 2/],
    ['null for a number', body([entry(0, [1]), entry(1, [null])]), /has null at 0 of the vector for text 1/],
    ['a text for a number', body([entry(0, ['1']), entry(1, [1])]), /has 1 at 0 of the vector for text 0/],
    ['a number beyond 32 bits', body([entry(0, [1]), entry(1, [3.5e38])]), /3\.5e\+38.*no finite 32-bit number/],
    ['an empty vector', body([entry(0, []), entry(1, [1])]), /has no vector for text 0/],
    ['base64', body([entry(0, 'AACAPw=='), entry(1, [1])]), /has no vector for text 0/],
    [
      'two dimensions',
      body([entry(0, [1]), entry(1, [1, 2])]),
      /a vector has 2 numbers, and vectors before had 1\..*embed all/,
    ],
    ['NaN', { body: '{"data":[{"embedding":[NaN]}]}' }, /is no JSON: .*NaN/],
    ['a page', { body: '<html>hi</html>', contentType: 'text/html' }, /is no JSON.*usually ends in \/v1/],
    ['a list', { body: '[]' }, /has no list of vectors/],
  ]
  it.each(wrong)('%s: an error that says so, and no vectors', async (_, answer, message) => {
    const { error, sent } = await embed([answer], ['a', 'b'])
    expect(isClewError(error, 'model'), String(error)).toBe(true)
    expect(error.message).toMatch(message)
    expect(error.details.code).toBe('bad-vectors')
    expect(sent).toHaveLength(1)
  })

  it('another dimension than was asked for, or than came before, is an error that tells the next move', async () => {
    const asked = await embed([[[1, 2]]], ['a'], { dimensions: 3 })
    expect(asked.error.message).toMatch(/has 2 numbers, and dimensions is 3\. Leave dimensions out/)
    let size = 2
    await using server = await startOpenRouter({ respond: [], embeddings: () => [Array(size).fill(1)] })
    const ask = openrouterEmbedder(name, { baseURL: server.url, apiKey: 'k' })
    expect(await ask(['a'])).toEqual([[1, 1]])
    size = 3
    await expect(ask(['a'])).rejects.toThrow(/has 3 numbers, and vectors before had 2\. Another model answers/)
    size = 2
    expect(await ask(['a'])).toEqual([[1, 1]])
  })

  it('an error under a good status is an error, and its last word', async () => {
    const { error, sent } = await embed([{ body: '{"error":{"message":"upstream is down","code":502}}' }], ['a'])
    expect(error.message).toBe('502: upstream is down')
    expect(sent).toHaveLength(1)
  })

  it('a text that is too long for the model: an error that tells how long it is, and what to do', async () => {
    const { error, sent } = await embed([], ['a', 'b'.repeat(40_000)])
    expect(error.details).toMatchObject({ kind: 'context-overflow', status: 400 })
    expect(error.message).toMatch(
      /maximum context length.*The longest text has 40000 characters: split it into passages/,
    )
    expect(sent).toHaveLength(1)
  })

  const busy = (status: number, headers = {}): LocalError => ({ status, error: { message: 'busy' }, headers })
  it('what may pass is asked again, after growing waits or as long as the server asks', async () => {
    const { vectors, sent } = await embed([busy(429), busy(503), [[1]]], ['a'])
    expect(vectors).toEqual([[1]])
    expect(sent).toHaveLength(3)
    expect(waits[0]).toBeGreaterThanOrEqual(250)
    expect(waits[1]).toBeGreaterThan(waits[0]!)
    await embed([busy(429, { 'retry-after': '7' }), [[1]]], ['a'])
    expect(waits.at(-1)).toBe(7000)
  })

  it('is asked as often as set, and not again for what does not pass', async () => {
    expect((await embed([busy(500)], ['a'])).sent).toHaveLength(3)
    expect((await embed([busy(500)], ['a'], { retries: 0 })).sent).toHaveLength(1)
    const refused = await embed([busy(401)], ['a'])
    expect(refused.sent).toHaveLength(1)
    expect(refused.error.message).toMatch(/Check the API key/)
  })

  it('in a list of several requests only the one that failed is made again', async () => {
    const texts = Array.from({ length: 100 }, (_, at) => `t${at}`)
    const fine: RespondEmbeddings = ({ input }) => input.map((text) => [Number(text.slice(1))])
    const { vectors, sent } = await embed([fine, busy(502), fine], texts)
    expect(vectors).toEqual(texts.map((_, at) => [at]))
    expect(sent.map(({ input }) => (input as string[]).length)).toEqual([64, 36, 36])
  })

  it('nobody answers: an error that says where', async () => {
    const server = await startOpenRouter({ respond: [] })
    await server.close()
    const ask = openrouterEmbedder(name, { baseURL: server.url, apiKey: 'k', retries: 1 })
    await expect(ask(['a'])).rejects.toThrow(`${server.url} could not be reached`)
    expect(waits).toHaveLength(1)
  })

  it('without a key nothing is sent, and it is told where to get one; with one, it goes on', async () => {
    vi.stubEnv('OPENROUTER_API_KEY', '')
    const sent: string[] = []
    const fetch: typeof globalThis.fetch = async (_, init) => {
      sent.push(String(new Headers(init?.headers).get('authorization')))
      return Response.json({ data: [{ index: 0, embedding: [1] }] })
    }
    const ask = openrouterEmbedder(name, { fetch })
    await expect(ask(['a'])).rejects.toThrow(/no OpenRouter API key\. Make one at https:\/\/openrouter\.ai\/keys/)
    expect(sent).toEqual([])
    vi.stubEnv('OPENROUTER_API_KEY', 'mine')
    expect(await ask(['a'])).toEqual([[1]])
    expect(sent).toEqual(['Bearer mine'])
  })

  const settings: [settings: object, message: RegExp][] = [
    [{ dimensions: 0 }, /dimensions is 0; it must be a whole number of at least 1/],
    [{ dimensions: '8' }, /dimensions is "8"/],
    [{ dimension: 8 }, /there is no setting "dimension"\. Known: dimensions, apiKey/],
    [{ temperature: 1 }, /there is no setting "temperature"/],
    [{ catalogue: {} }, /there is no setting "catalogue"/],
    [{ retries: -1 }, /retries is -1/],
    [{ baseURL: 'nowhere' }, /baseURL is "nowhere"/],
    [{ extraBody: { input: 'x' } }, /extraBody\.input would replace what Clew sends/],
    [{ extraBody: { encoding_format: 'base64' } }, /extraBody\.encoding_format/],
  ]
  it.each(settings)('refuses settings %j when it is made', (given, message) => {
    expect(() => openrouterEmbedder(name, given)).toThrow(DefinitionError)
    expect(() => openrouterEmbedder(name, given)).toThrow(message)
    expect(() => compatibleEmbedder({ profile: 'ollama', ...given })).toThrow(message)
  })

  it('refuses a model that is none', () => {
    for (const id of ['', ' ', undefined as never])
      expect(() => openrouterEmbedder(id)).toThrow(/give a model id such as/)
  })
})

describe('an embedder that is left', () => {
  async function hanging(listener: RequestListener, work: (url: string, arrived: Promise<unknown>) => Promise<void>) {
    const server = createServer(listener)
    const arrived = once(server, 'request')
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrived)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  it.each<[string, RequestListener]>([
    ['before an answer begins', () => {}],
    [
      'within an answer',
      (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"da'),
    ],
  ])('%s: rejects with the reason, and asks no more', async (_, listener) => {
    await hanging(listener, async (url, arrived) => {
      const controller = new AbortController()
      const asking = openrouterEmbedder(name, { baseURL: url, apiKey: 'k' })(['a'], controller.signal)
      await arrived
      controller.abort(new Error('enough'))
      await expect(asking).rejects.toThrow('enough')
      expect(waits).toEqual([])
    })
  })

  it('before it began: nothing is sent', async () => {
    const fetch = vi.fn()
    const ask = openrouterEmbedder(name, { apiKey: 'k', fetch })
    await expect(ask(['a'], AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    expect(fetch).not.toHaveBeenCalled()
  })

  it('an answer that breaks off is asked for again', async () => {
    let asked = 0
    const listener: RequestListener = (request, response) => {
      request.resume()
      asked += 1
      response.writeHead(200, { 'content-type': 'application/json' })
      if (asked > 1) return void response.end('{"data":[{"embedding":[1]}]}')
      response.write('{"data":[', () => response.destroy())
    }
    await hanging(listener, async (url) => {
      expect(await openrouterEmbedder(name, { baseURL: url, apiKey: 'k' })(['a'])).toEqual([[1]])
      expect(waits).toHaveLength(1)
    })
  })

  it('an answer without end is cut off', async () => {
    const listener: RequestListener = (_, response) => void response.end(`{"data":"${'x'.repeat(5000)}"}`)
    await hanging(listener, async (url) => {
      const ask = openrouterEmbedder(name, { baseURL: url, apiKey: 'k', streamLimits: { bytes: 1000 } })
      await expect(ask(['a'])).rejects.toThrow(/longer than 1000 bytes \(streamLimits\.bytes\)/)
    })
  })
})

describe('compatibleEmbedder', () => {
  it('asks another server, by its profile, with settings for all of its models', async () => {
    await using server = await startOpenRouter({ respond: [] })
    vi.stubEnv('OPENROUTER_API_KEY', 'not for others')
    const local = compatibleEmbedder({ profile: 'ollama', baseURL: server.url, apiKey: 'theirs', dimensions: 4 })
    const [vector] = await local('nomic-embed-text')(['tea'])
    expect(vector).toHaveLength(4)
    expect(await local('other', { dimensions: 5 })(['tea'])).toMatchObject([{ length: 5 }])
    expect(server.embeddings.map(({ body }) => body)).toEqual([
      { model: 'nomic-embed-text', input: 'tea', dimensions: 4 },
      { model: 'other', input: 'tea', dimensions: 5 },
    ])
    expect(server.embeddings[0]?.headers.authorization).toBe('Bearer theirs')
  })

  it('refuses a profile that is none, in its own name', () => {
    expect(() => compatibleEmbedder({ profile: 'nobody' as never })).toThrow(
      /^compatibleEmbedder\(\): profile is "nobody"/,
    )
    const profile = { name: 'mine', reasoningOut: 'none', reasoningSwitch: 'none' } as never
    expect(() => compatibleEmbedder({ profile })).toThrow(/"mine" has no address of its own; give a baseURL/)
  })
})
