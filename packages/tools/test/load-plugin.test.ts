/** Plugins of strangers: loaded with what they were allowed, in the program or in a process that can do no more. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { Agent, approve, DefinitionError, type Plugin, type RunEvent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { loadPlugin } from '../src/index.ts'
import { declaredFetch } from '../src/load-plugin/declared-fetch.ts'

const at = (name: string) => new URL(`./plugins/${name}.ts`, import.meta.url)
const allow = { hosts: ['api.example.com'], commands: ['node', 'echo'], secrets: ['PROBE_KEY'] }
const asked: string[] = []
const parts = {
  secrets: { PROBE_KEY: 'k', OTHER: 'o' },
  fetch: async (input: unknown) => {
    const { url } = input as Request
    asked.push(url)
    return new Response(url.endsWith('/huge') ? Buffer.alloc(2 ** 24) : `answer of ${url}`)
  },
}

/** What a model reads of one call. */
async function ask(plugin: Plugin, name: string, input: object = {}, signal?: AbortSignal): Promise<string> {
  const model = scriptedModel([{ calls: [{ name, arguments: input }] }, 'ok'])
  const agent = new Agent({ name: 'a', model, plugins: [plugin] })
  const { state } = await agent.run('go', { ...(signal && { signal }) })
  return String(state.messages[2]?.content)
}

describe.each([
  ['in the program', false],
  ['in a process of its own', true],
])('a plugin loaded %s', (_, isolate) => {
  let plugin: Plugin & { close(): void }
  beforeAll(async () => {
    plugin = await loadPlugin(at('probe'), { config: { word: 'yarn' }, allow, parts, isolate })
  })
  afterAll(() => plugin.close())

  it('has its config, its instructions and its declared secrets', async () => {
    expect(plugin.instructions).toBe('Probe.')
    const told = JSON.parse(await ask(plugin, 'word')) as { [key: string]: unknown }
    expect(told).toMatchObject({ word: 'yarn', secret: 'k' })
    if (isolate) expect(told.env).toEqual([])
  })

  it('fetches and runs what it declared, and nothing else', async () => {
    expect(await ask(plugin, 'fetch', { value: 'https://api.example.com/a' })).toBe(
      'answer of https://api.example.com/a',
    )
    const before = asked.length
    expect(await ask(plugin, 'fetch', { value: 'https://evil.net/' })).toMatch(
      /host "evil.net", which its capabilities/,
    )
    expect(asked).toHaveLength(before)
    expect(await ask(plugin, 'run', { value: 'a; b' })).toBe('a; b\n')
    expect(await ask(plugin, 'run_other')).toMatch(/command "rm", which its capabilities/)
  })

  it('gives results, views, progress and errors as any tool does', async () => {
    const model = scriptedModel([
      {
        calls: [
          { name: 'count', arguments: {} },
          { name: 'pair', arguments: {} },
        ],
      },
      'ok',
    ])
    const events: RunEvent[] = []
    for await (const event of new Agent({ name: 'a', model, plugins: [plugin] }).run('go')) events.push(event)
    expect(events.filter(({ type }) => type === 'tool-progress')).toMatchObject([{ data: 1 }, { data: 2 }])
    const ends = events.flatMap((event) => (event.type === 'tool-end' ? [[event.name, event]] : []))
    expect(Object.fromEntries(ends)).toMatchObject({
      count: { content: 'counted' },
      pair: { content: '{"a":"1"}', view: 'seen' },
    })
    expect(await ask(plugin, 'fail')).toBe('Tool "fail" failed: no luck')
    expect(await ask(plugin, 'read', { value: 7 })).toMatch(/was not run, its input does not fit/)
  })

  it('is fenced once where it is untrusted', async () => {
    const text = await ask(plugin, 'page')
    expect(text.match(/<untrusted/g)).toHaveLength(1)
    expect(text).toMatch(/\nA page\.\n<\/untrusted id="[^"]+">$/)
    expect(await ask(plugin, 'pages')).toMatch(/^<untrusted [^>]+>\n.*\nA page\.\n<\/untrusted [^>]+>\nPage 1 of 2\.$/)
  })

  it('is told plainly what an untrusted tool says in its own words', async () => {
    expect(await ask(plugin, 'page', { value: 'none' })).toBe('Nothing was found.')
    expect(await ask(plugin, 'page', { value: 'wrong' })).toBe('Tool "page" failed: There is no such page.')
    for (const value of ['none', 'some']) {
      const model = scriptedModel([{ calls: [{ name: 'page', arguments: { value } }] }, 'ok'])
      const { state } = await new Agent({ name: 'a', model, plugins: [plugin] }).run('go')
      expect(state.untrusted).toBe(value === 'some' ? true : undefined)
    }
  })

  it('asks for approval where it decides so, and keeps the id of the call', async () => {
    const calls = [5, 50].map((euros) => ({ name: 'pay', arguments: { euros } }))
    const agent = new Agent({ name: 'a', model: scriptedModel([{ calls }, 'ok']), plugins: [plugin] })
    const paused = await agent.run('go')
    expect(paused.needs).toMatchObject([{ tool: 'pay', input: { euros: 50 } }])
    const { id } = paused.needs![0]!
    const { state } = await agent.resume(paused.state, { [id]: approve() })
    expect(state.messages[3]).toMatchObject({ content: `paid 50 ${id}` })
  })
})

describe('a plugin in a process of its own', () => {
  let plugin: Plugin & { close(): void }
  const alone = mkdtempSync(join(tmpdir(), 'clew-plugin-'))
  beforeAll(async () => {
    plugin = await loadPlugin(at('probe'), { allow, parts, isolate: true })
  })
  afterAll(() => {
    plugin.close()
    rmSync(alone, { recursive: true })
  })

  it.each([
    ['read', '/etc/passwd'],
    ['read', join(import.meta.dirname, '../../../README.md')],
    ['read', join(import.meta.dirname, '../README.md')],
    ['read', join(import.meta.dirname, 'documents.test.ts')],
    ['read', '/proc/self/environ'],
    ['write', join(alone, 'file')],
    ['write', join(import.meta.dirname, 'plugins/probe.ts')],
    ['link', join(alone, 'link')],
    ['spawn', ''],
    ['thread', ''],
    ['socket', '127.0.0.1'],
    ['ask', 'http://127.0.0.1:9/'],
    ['look_up', 'secret.example.com'],
    ['listen', ''],
    ['bind', ''],
    ['datagram', ''],
    ['wrap', ''],
    ['signal', String(process.pid)],
    ['signal_inside', String(process.pid)],
    // No such process: a signal that went out says so.
    ['debug', '999999999'],
    ['slow_down', '999999999'],
    ['store', join(alone, 'file')],
    ['store_inside', join(alone, 'file')],
    ['switch', '--stack-size=900'],
  ])('cannot %s %s', async (name, value) => {
    expect(await ask(plugin, name, { value })).toMatch(
      /failed: .*(restricted|requires full|no network here|may not do that|fetch is not a function)/,
    )
    expect(existsSync(join(alone, 'file'))).toBe(false)
  })

  it('cannot have the program fetch or run more by forged messages', async () => {
    const forged = [
      { type: 'fetch', id: 900, request: { url: 'https://evil.net/', method: 'GET', headers: [] } },
      { type: 'run', id: 901, command: 'touch', args: [join(alone, 'file')] },
      { type: 'result', id: 12_345, content: 'mine' },
      { type: 'answer', id: 1 },
    ]
    const before = asked.length
    for (const message of forged) await ask(plugin, 'forge', { value: JSON.stringify(message) })
    expect(await ask(plugin, 'page')).toMatch(/A page/)
    expect(asked).toHaveLength(before)
    expect(existsSync(join(alone, 'file'))).toBe(false)
  })

  it.each([
    ['exit', /process is gone: it exited with 7/],
    ['swell', /process is gone: it exited with/],
    ['garble', /process is gone: it sent a line that is no JSON/],
    ['flood', /process is gone: it sent a message of more than \d+ bytes/],
    ['ignore', /process is gone: it does not read what it is sent/],
  ])('that ends by %s ends its call with an error, and the next call has a new process', async (name, message) => {
    expect(await ask(plugin, name)).toMatch(message)
    expect(await ask(plugin, 'run', { value: 'alive' })).toBe('alive\n')
  })

  it('is heard as far as anybody listens', async () => {
    await ask(plugin, 'exit')
    const model = scriptedModel([{ calls: [{ name: 'chatter', arguments: {} }] }, 'ok'])
    const heard: unknown[] = []
    for await (const event of new Agent({ name: 'a', model, plugins: [plugin] }).run('go'))
      if (event.type === 'tool-progress') heard.push(event.data)
    expect(heard.length).toBeLessThan(200)
    expect(heard.at(-1)).toBe(999)
  })

  it('has nobody fetch from elsewhere what it shows', async () => {
    const shown = async (name: string, input: object) => {
      const model = scriptedModel([{ calls: [{ name, arguments: input }] }, 'ok'])
      const { state } = await new Agent({ name: 'a', model, plugins: [plugin] }).run('go')
      return state.messages[2]!.content
    }
    const data = 'data:image/png;base64,AA=='
    const parts = ['image', 'video', 'file']
    expect(await shown('show', { value: data })).toMatchObject(parts.map((type) => ({ type })))
    const away = [...(await shown('show', { value: 'https://evil.net/?secret' }))]
    expect(away).toEqual(parts.map((type) => ({ type: 'text', text: expect.stringContaining(`[${type} left out`) })))
    await ask(plugin, 'exit')
    const image = { type: 'image', url: 'https://evil.net/?secret' }
    const forged = { type: 'result', id: 1, content: { content: [image], view: 1 } }
    expect(JSON.stringify(await shown('forge', { value: JSON.stringify(forged) }))).not.toContain(
      '"type":"image","url"',
    )
  })

  it('has the program do so much for it at once and no more', async () => {
    const before = asked.length
    await ask(plugin, 'besiege')
    expect(await ask(plugin, 'page')).toMatch(/A page/)
    expect(asked.length - before).toBe(64)
  })

  it('is told of an abort, and ended when it does not listen', async () => {
    const leave = async (name: string) => {
      const controller = new AbortController()
      const model = scriptedModel([{ calls: [{ name, arguments: {} }] }])
      const agent = new Agent({ name: 'a', model, plugins: [plugin] })
      agent.on('tool-start', () => setImmediate(() => controller.abort()))
      await expect(agent.run('go', { signal: controller.signal })).rejects.toThrow()
    }
    await leave('wait')
    await leave('spin')
    expect(await ask(plugin, 'run', { value: 'alive' })).toBe('alive\n')
  })

  it('reads and writes its folders, and no others', async () => {
    const folder = mkdtempSync(join(alone, 'own-'))
    const url = new URL(`?folder=${folder}`, at('folders'))
    const keeper = await loadPlugin(url, { allow: { folders: [folder] }, isolate: true })
    expect(await ask(keeper, 'keep')).toBe('[["note"],"kept"]')
    expect(await ask(keeper, 'peek')).toMatch(/restricted|Access/)
    keeper.close()
    expect(await ask(keeper, 'keep')).toMatch(/Plugin "folders" was closed|process is gone: it was closed/)
  })

  it('ends with the program, whatever it does', async () => {
    const program = `
      import { loadPlugin } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      import { callTool } from '@clew/core'
      const plugin = await loadPlugin(${JSON.stringify(at('probe').href)}, { allow: ${JSON.stringify(allow)}, isolate: true })
      const call = callTool(plugin.tools, { name: 'outlive' }, { caller: 'test' })
      let next = await call.next()
      while (!next.done) next = await call.next()
      console.log(next.value.content)
      process.exit()`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
    expect(Number(stdout)).toBeGreaterThan(1)
    await vi.waitFor(() => expect(isRunning(Number(stdout))).toBe(false))
  })

  it('does not keep the program from ending', async () => {
    const program = `
      import { loadPlugin } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      const plugin = await loadPlugin(${JSON.stringify(at('probe').href)}, { allow: ${JSON.stringify(allow)}, isolate: true })
      console.log(plugin.tools.length > 10)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
    expect(stdout).toBe('true\n')
  })
})

/** One that ended and that nobody asked for its end is still listed. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && existsSync('/proc') === false
  }
}

describe('the fetch of a loaded plugin', () => {
  it('carries requests and answers whole, to declared hosts alone', async () => {
    const seen: unknown[] = []
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      seen.push([request.method, request.url, request.headers['x-key'], body])
      if (request.url === '/none') return void response.writeHead(204).end()
      response.writeHead(201, { 'x-kind': 'wool', 'content-encoding': 'gzip' }).end(gzipSync(`got ${body}`))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const reach = declaredFetch(['127.0.0.1'], { allowPrivate: [`127.0.0.1:${port}`] })
    const response = await reach(`http://127.0.0.1:${port}/a`, {
      method: 'POST',
      body: 'yarn',
      headers: { 'x-key': 'k' },
    })
    expect([response.status, response.headers.get('x-kind'), await response.text()]).toEqual([201, 'wool', 'got yarn'])
    expect((await reach(`http://127.0.0.1:${port}/none`)).status).toBe(204)
    expect(seen).toEqual([
      ['POST', '/a', 'k', 'yarn'],
      ['GET', '/none', undefined, ''],
    ])
    await expect(reach('https://example.org/')).rejects.toThrow(/not among the hosts/)
    server.close()
  })

  it('reaches no private address, whatever was declared', async () => {
    const inner = await loadPlugin(at('inner'), { allow: { hosts: ['127.0.0.1'] } })
    expect(await ask(inner, 'look')).toMatch(/was refused: its address is not public/)
  })
})

describe('loadPlugin', () => {
  it.each([true, false])('shows what a plugin wants that was not allowed, isolated: %s', async (isolate) => {
    await expect(loadPlugin(at('probe'), { allow: { hosts: ['api.example.com'] }, isolate })).rejects.toThrow(
      'Plugin "probe" reaches\n  hosts: api.example.com\n  folders: none\n  commands: node, echo\n  secrets: PROBE_KEY\n' +
        'That is more than it was allowed (commands: node; commands: echo; secrets: PROBE_KEY). Add it to allow, or do not load the plugin.',
    )
  })

  it.each<[string, string | URL, RegExp]>([
    ['what is no file URL', 'left-pad', /"left-pad" is no file URL; write import\.meta\.resolve/],
    ['a file that is not there', at('gone'), /could not be loaded: .*(gone|Cannot find)/],
    ['a module that is no plugin', at('none'), /its default export is not what definePlugin\(\) makes/],
  ])('refuses %s', async (_, module, message) => {
    for (const isolate of [true, false]) {
      const loading = loadPlugin(module, { allow: {}, isolate })
      await expect(loading).rejects.toThrow(DefinitionError)
      await expect(loadPlugin(module, { allow: {}, isolate })).rejects.toThrow(message)
    }
  })

  it('refuses to isolate a plugin with middleware, and a config that does not fit', async () => {
    await expect(loadPlugin(at('layered'), { allow: {}, isolate: true })).rejects.toThrow(/has middleware/)
    expect((await loadPlugin(at('layered'), { allow: {} })).use).toHaveLength(1)
    const wrong = { allow, config: { word: 7 } }
    await expect(loadPlugin(at('probe'), { ...wrong, isolate: true })).rejects.toThrow(/word: .*\(got 7\)/)
    await expect(loadPlugin(at('probe'), wrong)).rejects.toThrow(/word: .*\(got 7\)/)
  })
})
