/** The official servers as they are published, and the official inspector reading ours. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, type ContentPart, type Json, type ToolEnd, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { type McpOptions, mcp, serveMcp } from '../src/index.ts'
import { runCall } from './run-call.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'clew-live-')))
afterAll(() => rmSync(folder, { recursive: true }))

const modules = join(import.meta.dirname, '../node_modules/@modelcontextprotocol')

async function start(server: string, args: string[], options: Partial<McpOptions> = {}) {
  const program = join(modules, server, 'dist/index.js')
  const client = await mcp({ command: process.execPath, args: [program, ...args], name: '', ...options })
  const run = (name: string, input: { [key: string]: Json } = {}, more: Parameters<typeof runCall>[3] = {}) =>
    runCall(client.tools(), name, input, more) as Promise<ToolEnd>
  const names = () => client.tools().map(({ name }) => name)
  return { client, run, names, [Symbol.asyncDispose]: () => client.close() }
}

const text = (end: ToolEnd) =>
  typeof end.content === 'string'
    ? end.content
    : end.content.map((part) => (part.type === 'text' ? part.text : `<${part.type}>`)).join('\n')

describe.concurrent('server-everything', () => {
  const inputs: { [name: string]: { [key: string]: Json } } = {
    echo: { message: 'Hi.' },
    'get-annotated-message': { messageType: 'error', includeImage: true },
    'get-resource-reference': { resourceType: 'Text', resourceId: 1 },
    'get-structured-content': { location: 'New York' },
    'get-sum': { a: 2, b: 3 },
    'gzip-file-as-resource': { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resource' },
    'trigger-long-running-operation': { duration: 0.1, steps: 2 },
    'trigger-sampling-request': { prompt: 'Why?', maxTokens: 10 },
    'simulate-research-query': { topic: 'looms' },
    'trigger-url-elicitation': { url: 'https://example.com/login', message: 'Log in.' },
  }
  const expected: { [name: string]: RegExp } = {
    echo: /^Echo: Hi\.$/,
    'get-annotated-message': /Error: Operation failed\n<image>/,
    'get-env': /"PATH"/,
    'get-resource-links': /\[link: demo:\/\/resource/,
    'get-resource-reference': /\[resource: demo:\/\/resource\/dynamic\/text\/1, text\/plain\]\nResource 1/,
    'get-roots-list': /file:\/\/\/data/,
    'get-structured-content': /^\{"temperature":/,
    'get-sum': /is 5\.$/,
    'get-tiny-image': /<image>/,
    'gzip-file-as-resource': /^\[file: .*gzip, \d+ bytes\]$/,
    'simulate-research-query': /looms/,
    'toggle-simulated-logging': /Started/,
    'toggle-subscriber-updates': /Started/,
    'trigger-elicitation-request': /User provided/,
    'trigger-long-running-operation': /completed/,
    'trigger-sampling-request': /Because\./,
    'trigger-url-elicitation': /accept|decline/i,
  }

  it('each of its tools gives a result, the one that is a task, too', async () => {
    const model = scriptedModel(() => 'Because.')
    await using one = await start('server-everything', ['stdio'], {
      roots: ['/data'],
      sampling: { model },
      onElicitation: async ({ mode }) => ({ action: 'accept', ...(mode === 'form' && { content: { name: 'Ada' } }) }),
    })
    // Some come only when it knows what we can do.
    await vi.waitFor(() => expect(one.names().length).toBe(Object.keys(expected).length), { timeout: 30_000 })
    const words: { [name: string]: string } = {}
    await Promise.all(one.names().map(async (name) => (words[name] = text(await one.run(name, inputs[name])))))
    for (const [name, pattern] of Object.entries(expected)) expect(words[name], name).toMatch(pattern)
    expect(JSON.stringify(words)).not.toMatch(/[A-Za-z0-9+/]{200}/)
    expect((await one.client.resources()).length).toBeGreaterThan(0)
    expect((await one.client.prompts()).map(({ name }) => name)).toContain('simple-prompt')
    expect(await one.client.prompt('simple-prompt')).toEqual([{ role: 'user', content: expect.any(String) }])
  })

  it('an image of it reaches a model as an image', async () => {
    await using one = await start('server-everything', ['stdio'])
    const model = scriptedModel([{ calls: [{ name: 'get-tiny-image' }] }, 'A logo.'])
    await new Agent({ name: 'seer', model, tools: one.client.tools() }).run('Look.')
    const result = model.requests[1]?.messages.at(-1)
    const parts = (result?.role === 'tool' ? result.content : []) as ContentPart[]
    expect(parts.find(({ type }) => type === 'image')).toMatchObject({
      url: expect.stringMatching(/^data:image\/png;base64,/),
    })
  })

  it('P126: killed in the middle of a call, it gives an error result and is back for the next', async () => {
    const pidFile = join(folder, 'pid')
    // The pid is told by a line in front of the program.
    const tell = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid))`
    writeFileSync(join(folder, 'tell.cjs'), tell)
    const program = join(modules, 'server-everything', 'dist/index.js')
    const args = ['--require', join(folder, 'tell.cjs'), program, 'stdio']
    await using client = await mcp({ command: process.execPath, args, name: '', onWarning() {} })
    const slow = { duration: 600, steps: 6000 }
    const end = await runCall(client.tools(), 'trigger-long-running-operation', slow, {
      onEvent({ type }) {
        if (type === 'tool-progress') process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
      },
    })
    expect(end).toMatchObject({ isError: true, content: expect.stringContaining('ended by SIGKILL') })
    expect(await runCall(client.tools(), 'echo', { message: 'Back?' })).toMatchObject({ content: 'Echo: Back?' })
  })
})

describe.concurrent('other servers', () => {
  it('server-filesystem reads and writes where it may, and nowhere else', async () => {
    const data = join(folder, 'data')
    mkdirSync(data)
    await using one = await start('server-filesystem', [data])
    expect(one.names()).toEqual(expect.arrayContaining(['read_text_file', 'write_file', 'list_directory']))
    expect(await one.run('write_file', { path: join(data, 'a.txt'), content: 'Words.' })).not.toHaveProperty('isError')
    expect(readFileSync(join(data, 'a.txt'), 'utf8')).toBe('Words.')
    expect(text(await one.run('read_text_file', { path: join(data, 'a.txt') }))).toContain('Words.')
    expect(text(await one.run('list_directory', { path: data }))).toContain('[FILE] a.txt')
    expect(await one.run('read_text_file', { path: '/etc/passwd' })).toMatchObject({
      isError: true,
      content: expect.stringContaining('Access denied'),
    })
  })

  it('server-memory keeps what an agent tells it', async () => {
    const file = join(folder, 'memory.jsonl')
    await using one = await start('server-memory', [], { env: { MEMORY_FILE_PATH: file } } as Partial<McpOptions>)
    const entities = [{ name: 'Ada', entityType: 'person', observations: ['Likes looms.'] }]
    const model = scriptedModel([
      { calls: [{ name: 'create_entities', arguments: { entities } }] },
      { calls: [{ name: 'search_nodes', arguments: { query: 'looms' } }] },
      'Ada likes looms.',
    ])
    const agent = new Agent({ name: 'friend', model, tools: one.client.tools() })
    expect((await agent.run('Ada likes looms. Who does?')).text).toBe('Ada likes looms.')
    expect(JSON.stringify(model.requests.at(-1)?.messages.at(-1))).toContain('Likes looms.')
    expect(readFileSync(file, 'utf8')).toContain('Likes looms.')
  })
})

describe.concurrent('the inspector reads ours', () => {
  function inspect(...given: string[]): Promise<{ [key: string]: unknown }> {
    const { bin } = JSON.parse(readFileSync(join(modules, 'inspector/package.json'), 'utf8')) as {
      bin: { [name: string]: string }
    }
    const program = join(modules, 'inspector', bin['mcp-inspector'] as string)
    return new Promise((resolve, reject) => {
      execFile(
        process.execPath,
        [program, '--cli', ...given, '--connect-timeout', '60000'],
        (error, stdout, stderr) => {
          if (error) reject(new Error(`${stdout}\n${stderr}`))
          else resolve(JSON.parse(stdout))
        },
      )
    })
  }

  it('over stdio', async () => {
    const ours = [process.execPath, join(import.meta.dirname, 'served-on-stdio.ts')]
    const [listed, called] = await Promise.all([
      inspect(...ours, '--method', 'tools/list'),
      inspect(...ours, '--method', 'tools/call', '--tool-name', 'add', '--tool-arg', 'a=2', '--tool-arg', 'b=3'),
    ])
    expect(listed).toMatchObject({ tools: [{ name: 'add', annotations: { readOnlyHint: true } }] })
    expect(called).toMatchObject({ content: [{ type: 'text', text: '5' }] })
  })

  it('over HTTP', async () => {
    const hello = tool({ name: 'hello', execute: () => 'Hello.' })
    await using http = await serveMcp({ name: 'ours', tools: [hello] }).http()
    const called = await inspect(http.url, '--transport', 'http', '--method', 'tools/call', '--tool-name', 'hello')
    expect(called).toMatchObject({ content: [{ type: 'text', text: 'Hello.' }] })
  })
})

it('ours on stdio ends when its input does', async () => {
  const ours = join(import.meta.dirname, 'served-on-stdio.ts')
  const ended = new Promise<string>((resolve) => {
    const child = execFile(process.execPath, [ours], (_, __, stderr) => resolve(stderr))
    child.stdin?.end()
  })
  expect(await ended).toBe('closed')
})
