/** Tool packages by strangers: what they declare is what they reach, and an agent takes them with one word. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import {
  Agent,
  DefinitionError,
  definePlugin,
  describePlugin,
  InputError,
  type Middleware,
  type Plugin,
  type PluginHost,
  tool,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import { coreVersion } from '../src/version.ts'

const hello = definePlugin({
  name: 'hello',
  instructions: 'Greet people by name.',
  configSchema: z.object({ word: z.string().default('Hello') }),
  tools: ({ config }) => [
    tool({ name: 'greet', input: z.object({ name: z.string() }), execute: ({ name }) => `${config.word}, ${name}!` }),
  ],
  capabilities: { hosts: ['api.example.com', '*.example.org'], commands: ['date'], secrets: ['HELLO_KEY'] },
})

const greet = { calls: [{ name: 'greet', arguments: { name: 'Ann' } }] }

describe('an agent with plugins', () => {
  it('has their tools, instructions and middleware behind its own', async () => {
    const order: string[] = []
    const layer = (name: string): Middleware => ({
      name,
      async *tool(request, next) {
        order.push(name)
        return yield* next(request)
      },
    })
    const loud = definePlugin({ name: 'loud', tools: [tool({ name: 'shout' })], middleware: () => [layer('loud')] })
    const model = scriptedModel([greet, 'Done.'])
    const own = tool({ name: 'own', execute: () => 1 })
    const agent = new Agent({
      name: 'a',
      model,
      instructions: 'Be kind.',
      tools: [own],
      use: [layer('own')],
      plugins: [hello({ word: 'Hi' }), loud()],
    })
    const { state } = await agent.run('go')
    expect(state.messages[2]).toMatchObject({ content: 'Hi, Ann!' })
    expect(model.requests[0]).toMatchObject({ instructions: 'Be kind.\n\nGreet people by name.' })
    expect(model.requests[0]!.tools.map(({ name }) => name)).toEqual(['own', 'greet', 'shout'])
    expect(order).toEqual(['own', 'loud'])
    // A variant has them once.
    expect(new Agent({ ...agent.options, name: 'b' }).options.plugins).toHaveLength(2)
  })

  it('has them beside parts that are functions of the context', async () => {
    const model = scriptedModel(['Done.'])
    const agent = new Agent({
      name: 'a',
      model,
      instructions: async (context: { user: string }) => `For ${context.user}.`,
      tools: () => [tool({ name: 'own', execute: () => 1 })],
      plugins: [hello()],
    })
    await agent.run('go', { context: { user: 'Eve' } })
    expect(model.requests[0]).toMatchObject({ instructions: 'For Eve.\n\nGreet people by name.' })
    expect(model.requests[0]!.tools).toHaveLength(2)
  })

  it.each<[string, unknown, RegExp]>([
    ['a factory', hello, /plugins\[0\] is the plugin's factory; call it/],
    ['no plugin', { tools: 1 }, /plugins\[0\] was not made by definePlugin/],
    ['nothing', undefined, /plugins\[0\] was not made by definePlugin/],
    ['one for another version', { ...hello(), core: '0.9.1' }, /made with @clew\/core 0\.9\.1, this program runs/],
  ])('refuses %s', (_, plugin, message) => {
    const make = () => new Agent({ name: 'a', model: scriptedModel([]), plugins: [plugin as Plugin] })
    expect(make).toThrow(DefinitionError)
    expect(make).toThrow(message)
  })

  it('refuses plugins that are no list, and tells of tools that are none all the same', () => {
    const model = scriptedModel([])
    expect(() => new Agent({ name: 'a', model, plugins: hello() as never })).toThrow(/plugins is no list/)
    expect(() => new Agent({ name: 'a', model, tools: 7 as never, plugins: [hello()] })).toThrow(/tools is no list/)
    expect(() => new Agent({ name: 'a', model, plugins: [hello(), hello()] })).toThrow(
      /two tools have the name "greet"/,
    )
  })
})

describe('definePlugin', () => {
  it('does nothing until it is called, and tells before what it reaches', () => {
    let made = 0
    const lazy = definePlugin({
      name: 'lazy',
      tools: () => {
        made += 1
        return []
      },
      capabilities: { folders: ['/srv/notes'] },
    })
    expect(made).toBe(0)
    expect(lazy.facts).toEqual({ name: 'lazy', capabilities: { folders: ['/srv/notes'] }, core: coreVersion })
    expect(describePlugin(lazy.facts)).toBe(
      'Plugin "lazy" reaches\n  hosts: none\n  folders: /srv/notes\n  commands: none\n  secrets: none',
    )
    lazy()
    expect(made).toBe(1)
  })

  it.each<[string, object, RegExp]>([
    ['a name', { name: 'a b' }, /Plugin "a b": a plugin's name/],
    ['tools', { tools: 3 }, /tools is neither a list nor a function/],
    ['an option that nobody reads', { hooks: [] }, /there is no option "hooks"/],
    ['capabilities', { capabilities: { hosts: 'a.b' } }, /its hosts are "a\.b"; give a list/],
    ['a kind of capability', { capabilities: { network: [] } }, /there is no option "network"/],
    ['a host', { capabilities: { hosts: ['https://a.b/'] } }, /"https:\/\/a\.b\/" is no host/],
  ])('refuses %s that cannot work', (_, wrong, message) => {
    expect(() => definePlugin({ name: 'p', tools: [], ...wrong })).toThrow(message)
  })

  it('checks its config, and infers it', () => {
    expect(() => hello({ word: 7 as never })).toThrow(InputError)
    expect(() => hello({ word: 7 as never })).toThrow(/Plugin "hello" cannot work with this config: word: .*\(got 7\)/)
    const bare = definePlugin({ name: 'bare', tools: [] })
    expect(() => bare({} as never)).toThrow(/takes no config; it was given \{\}/)
    const later = definePlugin({ name: 'l', tools: [], configSchema: z.object({}).refine(async () => true) })
    expect(() => later({})).toThrow(/answers at once|Encountered Promise/)
    const strict = definePlugin({ name: 's', tools: [], configSchema: z.object({ key: z.string() }) })
    expectTypeOf(strict).parameter(0).toEqualTypeOf<{ key: string }>()
    expectTypeOf(hello).parameter(0).toEqualTypeOf<{ word?: string | undefined } | undefined>()
    // @ts-expect-error its config is needed
    expect(() => strict()).toThrow(/key/)
  })

  it('has the version of the manifest', () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as object
    expect(manifest).toMatchObject({ version: coreVersion })
  })
})

describe('the host of a plugin', () => {
  const seen: {
    url: string | undefined
    method: string | undefined
    headers: IncomingMessage['headers']
    body: string
  }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ url: request.url, method: request.method, headers: request.headers, body })
    const to = request.headers['x-to'] ?? new URL(request.url ?? '', 'http://x').searchParams.get('to')
    if (!to) return void response.end('here')
    const status = Number(new URL(request.url ?? '', 'http://x').searchParams.get('status') ?? 302)
    response.writeHead(status, { location: String(to) }).end()
  })
  let base = ''
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  /** Every https host is the server above. */
  const local: typeof fetch = async (input) => {
    const request = input as Request
    const { pathname, search } = new URL(request.url)
    const { method, headers, body } = request
    return fetch(`${base}${pathname}${search}`, {
      method,
      headers,
      body,
      duplex: 'half',
      redirect: 'manual',
    } as RequestInit)
  }

  function hostOf(parts: Parameters<typeof hello>[1]): PluginHost<{ word: string }> {
    let given: PluginHost<{ word: string }> | undefined
    definePlugin({
      name: 'probe',
      configSchema: z.object({ word: z.string().default('x') }),
      capabilities: hello.facts.capabilities,
      tools: (host) => {
        given = host
        return []
      },
    })({}, parts)
    return given!
  }

  it('fetches from declared hosts over https, and from no other', async () => {
    const { fetch: limited } = hostOf({ fetch: local })
    expect(await (await limited('https://api.example.com/a')).text()).toBe('here')
    expect(await (await limited(new URL('https://deep.example.org/a'))).text()).toBe('here')
    const before = seen.length
    for (const url of [
      'https://example.org/',
      'https://api.example.com.evil.net/',
      'https://evil.net/api.example.com',
      'https://xexample.org/',
      'http://api.example.com/',
      'https://127.0.0.1/',
      'file:///etc/passwd',
    ]) {
      await expect(limited(url), url).rejects.toThrow(InputError)
    }
    await expect(limited('https://evil.net/')).rejects.toThrow(
      'Plugin "probe" asked for the host "evil.net", which its capabilities do not declare (api.example.com, *.example.org).',
    )
    expect(seen).toHaveLength(before)
  })

  it('looks at each redirect, and drops headers on the way to another origin', async () => {
    const { fetch: limited } = hostOf({ fetch: local })
    const headers = { authorization: 'Bearer k' }
    await expect(limited('https://api.example.com/?to=https://evil.net/', { headers })).rejects.toThrow(
      /host "evil.net"/,
    )
    await limited('https://api.example.com/?to=/next', { headers })
    expect(seen.at(-1)).toMatchObject({ url: '/next', headers })
    await limited('https://api.example.com/?to=https://a.example.org/other', { headers })
    expect(seen.at(-1)!.url).toBe('/other')
    expect(seen.at(-1)!.headers.authorization).toBeUndefined()
    const loop = 'https://api.example.com/?to=https://api.example.com/'
    await expect(limited('https://api.example.com/', { headers: { 'x-to': loop } })).rejects.toThrow(
      /more than 5 times/,
    )
  })

  it('says of a host that it cannot be reached, and ends by the signal that ended it', async () => {
    const controller = new AbortController()
    const { fetch: limited } = hostOf({
      fetch: async () => {
        throw new TypeError('fetch failed')
      },
    })
    const lost = limited('https://api.example.com/a', { signal: controller.signal })
    await expect(lost).rejects.toThrow(InputError)
    await expect(lost).rejects.toThrow('api.example.com could not be reached. Try again later, or go on without it.')
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(limited('https://api.example.com/a', { signal: controller.signal })).rejects.toBe(reason)
    const own = new InputError('Not on Sundays.')
    const { fetch: refusing } = hostOf({ fetch: () => Promise.reject(own) })
    await expect(refusing('https://api.example.com/a')).rejects.toBe(own)
  })

  it('sends a body again only where the redirect asks for it', async () => {
    const { fetch: limited } = hostOf({ fetch: local })
    const post = { method: 'POST', body: 'abc' }
    await limited('https://api.example.com/?to=/next&status=307', post)
    expect(seen.at(-1)).toMatchObject({ url: '/next', method: 'POST', body: 'abc' })
    await limited('https://api.example.com/?to=/next&status=303', post)
    expect(seen.at(-1)).toMatchObject({ url: '/next', method: 'GET', body: '' })
  })

  it('gives declared secrets and runs declared commands alone', async () => {
    const run: PluginHost['run'] = async (command, args) => ({
      code: 0,
      stdout: `${command} ${args.join(' ')}`,
      stderr: '',
    })
    const host = hostOf({ secrets: { HELLO_KEY: 'k', OTHER: 'o' }, run })
    expect(host.secrets).toEqual({ HELLO_KEY: 'k' })
    expect(await host.run('date', ['-u'])).toMatchObject({ stdout: 'date -u' })
    await expect(host.run('rm', ['-rf'])).rejects.toThrow(/asked for the command "rm", .*declare \(date\)/)
    await expect(hostOf({}).run('date', [])).rejects.toThrow(/load it with loadPlugin\(\) of @clew\/tools/)
  })
})
