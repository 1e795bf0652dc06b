import { createHash } from 'node:crypto'
import { createServer as createTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import zlib from 'node:zlib'
import { isClewError } from '@clew/core'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import { Clock } from '../src/guard/net/clock.ts'
import { type GuardedFetch, guardedFetch, NetworkError, type NetworkOptions } from '../src/index.ts'
import { certificate } from './certificate.ts'
import { playInternet, serve, serveRaw, type WebServer } from './web-server.ts'

const text = (body: Uint8Array) => Buffer.from(body).toString()
const open = (server: WebServer, options: NetworkOptions = {}) =>
  guardedFetch({ allowPrivate: [server.host], ...options })

async function problemOf(promise: ReturnType<GuardedFetch>): Promise<NetworkError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(NetworkError)
  expect(isClewError(error, 'input')).toBe(true)
  return error as NetworkError
}

type Case = { id: string; url: string; block: boolean; resolvesTo?: string[]; note: string }
const cases = readCases<Case>('ssrf')

describe('P143: where a URL may lead', () => {
  it.skipIf(cases.length === 0).each(cases.map((each) => [each.id, each.url, each] as const))(
    '%s %s',
    async (_, url, each) => {
      const server = await serve((request, response) => {
        const location = /302 Location: (\S+)/.exec(each.note)?.[1]
        if (location && request.headers.host === new URL(url).host) response.writeHead(302, { location })
        response.end('here')
      })
      const asked = playInternet(server)
      const fetch = guardedFetch({ resolve: async () => each.resolvesTo ?? ['93.184.215.14'] })
      if (!each.block) {
        // The server speaks no TLS: what is refused there was let through by the guard.
        if (url.startsWith('https:')) expect((await problemOf(fetch(url))).problem).toBe('tls')
        else expect(text((await fetch(url)).body)).toBe('here')
        expect(asked).toHaveLength(1)
        return
      }
      const error = await problemOf(fetch(url))
      expect(error.problem).toBe('refused')
      expect(error.message).toMatch(/(Use|Give|Leave|allowed|fetched)/)
      const before = each.note.includes('302') ? 1 : 0
      expect(asked).toHaveLength(before)
      expect(server.connections()).toBe(before)
    },
  )

  it.each([
    'http://0177.0.0.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b:1::808:808]/',
    'http://[2002:808:808::1]/',
    'http://[2001:0:808:808::1]/',
    'http://[2001:db8::5efe:10.0.0.1]/',
    'http://[2a00::200:5efe:127.0.0.1]/',
    'http://[fe80::1%25eth0]/',
    'http://[ff02::1]/',
    'http://[4000::1]/',
    'http://168.63.129.16/',
    'http://192.88.99.1/',
    'http://metadata.goog/',
    'http://printer.lan/',
    'http://x.home.arpa/',
    'http://user@example.com/',
    'https://example.com:22/',
    'http://example.com:6379/',
    'file:///etc/passwd',
    'data:text/plain,hi',
    '',
  ])('not to %s', async (url) => {
    const server = await serve((_, response) => response.end())
    const asked = playInternet(server)
    expect((await problemOf(guardedFetch({ resolve: async () => ['8.8.8.8'] })(url))).problem).toBe('refused')
    expect(asked).toEqual([])
  })

  it.each(['http://[64:ff9b::8.8.8.8]/', 'http://[2a00::5efe:8.8.8.8]/', 'http://EXAMPLE.com.:8081/'])(
    'to %s',
    async (url) => {
      const server = await serve((_, response) => response.end('here'))
      playInternet(server)
      expect((await guardedFetch({ resolve: async () => ['8.8.8.8'] })(url)).status).toBe(200)
    },
  )

  it('not to an inner address in any notation', async () => {
    const fetch = guardedFetch({ resolve: async () => ['8.8.8.8'] })
    const byte = fc.integer({ min: 0, max: 255 })
    const inner = fc.oneof(
      fc.tuple(fc.constantFrom(0, 10, 127, 224, 239, 240, 255), byte, byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
    )
    const number = (bytes: number[]) => bytes.reduce((sum, each) => sum * 256 + each, 0)
    const hex = (bytes: number[]) => bytes.map((each) => each.toString(16).padStart(2, '0')).join('')
    const groups = (bytes: number[]) => `${hex(bytes.slice(0, 2))}:${hex(bytes.slice(2))}`
    const notations: ((bytes: number[]) => string)[] = [
      (bytes) => bytes.join('.'),
      (bytes) => `${bytes.join('.')}.`,
      (bytes) => String(number(bytes)),
      (bytes) => `0x${hex(bytes)}`,
      (bytes) => `0${number(bytes).toString(8)}`,
      (bytes) => bytes.map((each) => `0${each.toString(8)}`).join('.'),
      (bytes) => `${bytes[0]}.${number(bytes.slice(1))}`,
      (bytes) => `0x${hex(bytes.slice(0, 1))}.${bytes[1]}.${number(bytes.slice(2))}`,
      (bytes) => [...bytes.join('.')].map((each) => String.fromCodePoint(each.codePointAt(0)! + 0xfee0)).join(''),
      (bytes) => `[::ffff:${bytes.join('.')}]`,
      (bytes) => `[::${groups(bytes)}]`,
      (bytes) => `[64:ff9b::${groups(bytes)}]`,
      (bytes) => `[64:ff9b:1::${groups(bytes)}]`,
      (bytes) => `[2002:${groups(bytes)}::1]`,
      (bytes) => `[2a00:1450::5efe:${groups(bytes)}]`,
      (bytes) => `[2a00:1450::200:5efe:${groups(bytes)}]`,
    ]
    const asked = playInternet(await serve((_, response) => response.end()))
    const written = fc.tuple(inner, fc.constantFrom(...notations), fc.constantFrom('http', 'https'))
    await fc.assert(
      fc.asyncProperty(written, async ([bytes, write, scheme]) => {
        expect((await problemOf(fetch(`${scheme}://${write(bytes)}/`))).problem).toBe('refused')
      }),
      { numRuns: 1_000 },
    )
    expect(asked).toEqual([])
  })

  it('not to a name with one inner address among its public ones', async () => {
    const server = await serve((_, response) => response.end())
    const asked = playInternet(server)
    const fetch = guardedFetch({ resolve: async () => ['8.8.8.8', 'fd00::1'] })
    expect((await problemOf(fetch('http://mixed.example/'))).message).toBe(
      '"http://mixed.example/" was refused: mixed.example leads to an address that is not public (uniqueLocal). Use a public address.',
    )
    expect(asked).toEqual([])
  })

  it('a name is asked for once: what it says the second time does not matter', async () => {
    const server = await serve((_, response) => response.end('here'))
    const asked = playInternet(server)
    const answers = [['93.184.215.14'], ['127.0.0.1']]
    const fetch = guardedFetch({ resolve: async () => answers.shift() ?? [] })
    expect((await fetch('http://rebinding.example/')).status).toBe(200)
    expect(asked).toEqual(['93.184.215.14:80'])
    expect((await problemOf(fetch('http://rebinding.example/'))).problem).toBe('refused')
  })

  it('the address that a socket got to is checked before it is spoken to', async () => {
    let bytes = 0
    const server = await serveRaw((socket) => socket.on('data', (chunk) => (bytes += chunk.length)))
    playInternet(server, '127.0.0.1')
    const error = await problemOf(guardedFetch({ resolve: async () => ['8.8.8.8'] })('http://moved.example/'))
    expect(error.problem).toBe('refused')
    expect(bytes).toBe(0)
  })

  it('private places are named one by one, and the exception is for no other', async () => {
    const server = await serve((_, response) => response.end('inner'))
    const other = await serve((_, response) => response.end('other'))
    const fetch = open(server, { resolve: async () => ['127.0.0.1'] })
    expect(text((await fetch(server.url)).body)).toBe('inner')
    expect((await problemOf(fetch(other.url))).problem).toBe('refused')
    expect((await problemOf(fetch(`http://named.example:${server.port}/`))).problem).toBe('refused')
    expect((await problemOf(fetch(`http://localhost:${server.port}/`))).problem).toBe('refused')
    expect(other.connections()).toBe(0)
  })

  it('a private name leads to private addresses, never to a metadata service', async () => {
    const server = await serve((_, response) => response.end('wiki'))
    let address = '127.0.0.1'
    const fetch = guardedFetch({ allowPrivate: [`wiki.lan:${server.port}`], resolve: async () => [address] })
    expect(text((await fetch(`http://wiki.lan:${server.port}/`)).body)).toBe('wiki')
    address = '169.254.169.254'
    expect((await problemOf(fetch(`http://wiki.lan:${server.port}/`))).problem).toBe('refused')
  })

  it('hosts and ports can be narrowed', async () => {
    const server = await serve((_, response) => response.end())
    playInternet(server)
    const fetch = guardedFetch({
      hosts: ['api.example.com', '*.docs.example'],
      ports: [443, 80],
      resolve: async () => ['8.8.8.8'],
    })
    expect((await fetch('http://API.example.com/')).status).toBe(200)
    expect((await fetch('http://a.b.docs.example/')).status).toBe(200)
    for (const url of ['http://docs.example/', 'http://evildocs.example/', 'http://api.example.com.evil.example/']) {
      expect((await problemOf(fetch(url))).message).toContain('not among the hosts')
    }
    expect((await problemOf(fetch('http://api.example.com:8080/'))).message).toContain('port 8080 is not allowed')
  })

  it.each([
    { hosts: ['https://example.com'] },
    { hosts: ['example.com:443'] },
    { hosts: ['*'] },
    { hosts: [''] },
    { allowPrivate: ['127.0.0.1'] },
    { allowPrivate: ['*:80'] },
    { allowPrivate: ['10.0.0.0/8:80'] },
    { maxBytes: 0 },
    { timeoutMs: Number.NaN },
  ])('the options %j say nothing', (options) => {
    expect(() => guardedFetch(options)).toThrow(/^guardedFetch: /)
  })
})

describe('redirects', () => {
  it('are followed, each checked again', async () => {
    const inner = await serve((_, response) => response.end('secret'))
    const server = await serve((request, response) => {
      if (request.url === '/a') response.writeHead(302, { location: '/b' }).end()
      else if (request.url === '/b') response.writeHead(307, { location: '/c?x=1' }).end()
      else if (request.url === '/evil')
        response.writeHead(302, { location: `${inner.url}/ignore-your-instructions` }).end()
      else if (request.url === '/nowhere') response.writeHead(302, { location: 'http://[' }).end()
      else response.end(`at ${request.url}`)
    })
    const fetch = open(server)
    const reply = await fetch(`${server.url}/a`)
    expect([reply.url, text(reply.body)]).toEqual([`${server.url}/c?x=1`, 'at /c?x=1'])
    const error = await problemOf(fetch(`${server.url}/evil`))
    expect(error.problem).toBe('refused')
    expect(error.message).toBe(
      `"${server.url}/evil" redirects elsewhere, and there: the address may not be asked. Use another page.`,
    )
    expect(inner.connections()).toBe(0)
    expect((await problemOf(fetch(`${server.url}/nowhere`))).problem).toBe('bad-response')
  })

  it('in a circle end', async () => {
    const server = await serve((_, response) => response.writeHead(301, { location: '/' }).end())
    expect((await problemOf(open(server)(server.url))).problem).toBe('redirects')
    expect(server.connections()).toBe(6)
    expect((await problemOf(open(server, { maxRedirects: 0 })(server.url))).problem).toBe('redirects')
  })

  it('take credentials to no other origin', async () => {
    const seen: unknown[] = []
    const other = await serve(({ headers }, response) => {
      seen.push([headers.authorization, headers.cookie, headers['x-key']])
      response.end()
    })
    const server = await serve(({ headers, url }, response) => {
      seen.push([headers.authorization, headers.cookie, headers['x-key']])
      if (url === '/') response.writeHead(302, { location: '/again', 'set-cookie': 'a=b' }).end()
      else response.writeHead(302, { location: other.url }).end()
    })
    const fetch = guardedFetch({ allowPrivate: [server.host, other.host] })
    await fetch(server.url, { headers: { Authorization: 'Bearer s', Cookie: 'c', 'X-Key': 'k' } })
    expect(seen).toEqual([
      ['Bearer s', 'c', 'k'],
      ['Bearer s', 'c', 'k'],
      [undefined, undefined, undefined],
    ])
  })

  it('turn a POST into a GET where browsers do, and take a body to no other origin', async () => {
    const seen: string[] = []
    const other = await serve((_, response) => response.end())
    const server = await serve(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      seen.push(`${request.method} ${request.url} ${body} ${request.headers['content-type'] ?? '-'}`)
      const [, status] = request.url!.split('/')
      if (Number(status)) response.writeHead(Number(status), { location: '/end' })
      else if (status === 'away') response.writeHead(308, { location: other.url })
      response.end()
    })
    const fetch = guardedFetch({ allowPrivate: [server.host, other.host] })
    const post = { method: 'POST', body: 'hi', headers: { 'content-type': 'text/plain' } }
    for (const status of [302, 303, 307]) await fetch(`${server.url}/${status}`, post)
    expect(seen.filter((line) => line.includes('/end'))).toEqual([
      'GET /end  -',
      'GET /end  -',
      'POST /end hi text/plain',
    ])
    expect((await problemOf(fetch(`${server.url}/away`, post))).problem).toBe('refused')
    expect(other.connections()).toBe(0)
  })
})

describe('what comes back', () => {
  it('is decompressed', async () => {
    const page = Buffer.from('a page of wool '.repeat(100))
    const packed: { [encoding: string]: Buffer } = {
      gzip: zlib.gzipSync(page),
      'x-gzip': zlib.gzipSync(page),
      deflate: zlib.deflateSync(page),
      'deflate ': zlib.deflateRawSync(page),
      br: zlib.brotliCompressSync(page),
      zstd: zlib.zstdCompressSync(page),
      'gzip, BR': zlib.brotliCompressSync(zlib.gzipSync(page)),
      identity: page,
    }
    const server = await serve((request, response) => {
      const encoding = decodeURIComponent(request.url!.slice(1))
      response.writeHead(200, { 'content-encoding': encoding }).end(packed[encoding])
    })
    for (const encoding of Object.keys(packed)) {
      const reply = await open(server)(`${server.url}/${encodeURIComponent(encoding)}`)
      expect(text(reply.body)).toBe(page.toString())
    }
  })

  it.each([
    ['gzip, gzip, gzip', zlib.gzipSync(zlib.gzipSync(zlib.gzipSync('three layers')))],
    ['compress', Buffer.from('an old one')],
    ['gzip', Buffer.from('no gzip')],
    ['gzip', zlib.gzipSync('cut off').subarray(0, 15)],
  ])('in the encoding %s that cannot be read is told', async (encoding, body) => {
    const server = await serve((_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body))
    expect((await problemOf(open(server)(server.url))).problem).toBe('bad-response')
  })

  it('stops at the limit: a gigabyte in a megabyte of gzip', async () => {
    const gzip = zlib.createGzip({ level: 1 })
    const parts: Buffer[] = []
    gzip.on('data', (part: Buffer) => parts.push(part))
    // 64 MiB compressed once; members of gzip may follow one another.
    for (let at = 0; at < 64; at++) gzip.write(Buffer.alloc(2 ** 20))
    await new Promise<void>((resolve) => gzip.end(resolve))
    const member = Buffer.concat(parts)
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.end(Buffer.concat(Array.from({ length: 16 }, () => member)))
    })
    const before = process.memoryUsage().rss
    expect((await problemOf(open(server)(server.url))).problem).toBe('too-large')
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000)
  })

  it('stops at the limit: a body without end, and one that tells its length', async () => {
    let sent = 0
    const server = await serve((request, response) => {
      if (request.url === '/told') {
        response.writeHead(200, { 'content-length': 10_000_000_000 })
        response.flushHeaders()
        return
      }
      const chunk = Buffer.alloc(65_536, 'a')
      const more = () => {
        while (response.write(chunk)) sent += chunk.length
      }
      response.on('drain', more)
      more()
    })
    expect((await problemOf(open(server, { maxBytes: 100_000 })(server.url))).problem).toBe('too-large')
    expect(sent).toBeLessThan(20_000_000)
    expect((await problemOf(open(server)(`${server.url}/told`))).message).toBe(
      `"${server.url}/told" is larger than 10000000 bytes. Ask for a smaller part of it.`,
    )
  })

  it('ends in time: a drip of bytes, silence, and headers that do not come', async () => {
    const drip = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const timer = setInterval(() => socket.write('a'), 5)
      socket.on('close', () => clearInterval(timer))
    })
    const dripping = await problemOf(open(drip, { timeoutMs: 100, idleMs: 5_000 })(drip.url))
    expect([dripping.problem, dripping.message]).toEqual(['timeout', expect.stringContaining('longer than 100 ms')])
    for (const head of ['', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc']) {
      const silent = await serveRaw((socket) => socket.write(head))
      const error = await problemOf(open(silent, { idleMs: 50 })(silent.url))
      expect([error.problem, error.message]).toEqual(['timeout', expect.stringContaining('nothing for 50 ms')])
    }
    const never = guardedFetch({ timeoutMs: 50, resolve: () => new Promise(() => undefined) })
    expect((await problemOf(never('http://slow.example/'))).problem).toBe('timeout')
  })

  it('may take its time as long as something comes', async () => {
    const touch = vi.spyOn(Clock.prototype, 'touch')
    onTestFinished(() => touch.mockRestore())
    const slow = await serveRaw(async (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n')
      for (const signs of [1, 2, 3]) {
        await vi.waitFor(() => expect(touch.mock.calls.length).toBe(signs), 5_000)
        socket.write('a')
      }
    })
    expect(text((await open(slow)(slow.url)).body)).toBe('aaa')

    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const clock = new Clock(new URL('http://a.example'), { timeoutMs: 1_000, idleMs: 100 })
    for (let at = 0; at < 5; at++) {
      vi.advanceTimersByTime(90)
      clock.touch()
    }
    expect(clock.signal.aborted).toBe(false)
    vi.advanceTimersByTime(110)
    expect(clock.signal.reason).toMatchObject({ problem: 'timeout' })
  })

  it.each([
    ['less than it said', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'],
    ['half a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nabc'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['endless headers', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}\r\n`],
    ['nothing', ''],
    ['another protocol', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ])('is told when it is %s', async (_, answer) => {
    const server = await serveRaw((socket) => socket.once('data', () => socket.end(answer)))
    expect((await problemOf(open(server)(server.url))).problem).toBe('bad-response')
  })

  it('may be nothing: no such host, and nobody who listens', async () => {
    const gone = guardedFetch({ resolve: () => Promise.reject(new Error('ENOTFOUND /etc/hosts')) })
    expect((await problemOf(gone('http://gone.example/'))).message).toBe(
      '"http://gone.example/": there is no host gone.example. Check the name.',
    )
    const server = await serve((_, response) => response.end())
    const closed = { ...server, port: 1, host: '127.0.0.1:1', url: 'http://127.0.0.1:1' }
    expect((await problemOf(open(closed)(closed.url))).problem).toBe('unreachable')
  })

  it('is left at once when the caller leaves', async () => {
    const server = await serveRaw(() => undefined)
    const controller = new AbortController()
    const left = open(server)(server.url, { signal: controller.signal })
    controller.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    await expect(open(server)(server.url, { signal: controller.signal })).rejects.toThrow('left')
  })

  it('goes by no proxy and sends what was given', async () => {
    const server = await serve(async (request, response) => {
      const hash = createHash('sha1')
      for await (const chunk of request) hash.update(chunk)
      response.setHeader('x-got', [`${request.method} ${request.headers.host} ${request.headers['x-a']}`])
      response.end(hash.digest('hex'))
    })
    process.env.http_proxy = process.env.HTTP_PROXY = 'http://127.0.0.1:1'
    onTestFinished(() => {
      delete process.env.http_proxy
      delete process.env.HTTP_PROXY
    })
    const bytes = new Uint8Array([1, 2, 255])
    const reply = await open(server)(server.url, { method: 'put', headers: { 'X-A': 'b' }, body: bytes })
    expect(reply.headers.get('x-got')).toBe(`PUT ${server.host} b`)
    expect(text(reply.body)).toBe(createHash('sha1').update(bytes).digest('hex'))
    const large = await serve((_, response) => response.writeHead(200, { 'content-length': 10_000_000_000 }).end())
    expect((await open(large)(large.url, { method: 'HEAD' })).body).toHaveLength(0)
    await expect(open(server)(server.url, { headers: { Host: 'evil' } })).rejects.toThrow(
      'the header Host is the guard',
    )
  })
})

describe('over TLS', () => {
  async function secure(): Promise<WebServer> {
    const server = createTls(certificate, (_, response) => response.end('secret'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    return { url: `https://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, port, connections: () => 0 }
  }

  it('a certificate that nobody vouches for is refused', async () => {
    const server = await secure()
    const error = await problemOf(open(server)(server.url))
    expect(error.problem).toBe('tls')
    expect(error.message).toContain('cannot be trusted (DEPTH_ZERO_SELF_SIGNED_CERT)')
    const plain = await serve((_, response) => response.end())
    expect((await problemOf(open(plain)(plain.url.replace('http:', 'https:')))).problem).toBe('tls')
  })

  it('a trusted one has to be for the name that was asked for', async () => {
    const server = await secure()
    const trusted = tls.getCACertificates('default')
    tls.setDefaultCACertificates([...trusted, certificate.cert])
    onTestFinished(() => tls.setDefaultCACertificates(trusted))
    const fetch = (name: string) =>
      guardedFetch({ allowPrivate: [`${name}:${server.port}`], resolve: async () => ['127.0.0.1'] })(
        `https://${name}:${server.port}/`,
      )
    expect(text((await fetch('clew.test')).body)).toBe('secret')
    expect((await problemOf(fetch('other.test'))).message).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
  })
})
