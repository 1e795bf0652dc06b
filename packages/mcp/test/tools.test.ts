/** A server's tools as ours: what is listed, what a model is sent, what is left out. */
import { Agent, type Tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { hasShared, readCases } from '../../../test/shared.ts'
import { type McpOptions, mcp } from '../src/index.ts'
import { plain, rawServer } from './raw-server.ts'
import { runCall } from './run-call.ts'

type Listed = { name: string; description?: string; inputSchema: { [key: string]: unknown } }

/** The tools as a model is sent them. */
async function sentToModel(tools: Tool[]) {
  const model = scriptedModel(['Hello.'])
  await new Agent({ name: 'reader', model, tools }).run('Hi')
  return model.requests[0]?.tools ?? []
}

async function connect(tools: unknown[], options: Partial<McpOptions> = {}) {
  const warnings: string[] = []
  const raw = await rawServer({ tools, call: ({ params }, { result }) => result(said(`${params.name} ran`)) })
  const server = await mcp({ url: raw.url, onWarning: (message) => warnings.push(message), ...options })
  const close = async () => {
    await server.close()
    await raw.close()
  }
  return { raw, server, warnings, [Symbol.asyncDispose]: close }
}

const said = (text: string) => ({ content: [{ type: 'text', text }] })

describe('the tools of a server', () => {
  it('P122: a schema with $defs reaches the model unchanged, and every $ref resolves', async () => {
    const inputSchema = {
      type: 'object',
      properties: { filter: { $ref: '#/$defs/filter' }, page: { type: 'integer', minimum: 1, 'x-own': true } },
      required: ['filter'],
      additionalProperties: false,
      $defs: {
        filter: {
          anyOf: [{ $ref: '#/$defs/rule' }, { type: 'array', items: { $ref: '#/$defs/filter' } }],
        },
        rule: { type: 'object', properties: { 'a/b': { type: 'string', pattern: '^x' } }, description: 'One rule.' },
      },
    }
    await using one = await connect([plain('search', { inputSchema })])
    const [sent] = await sentToModel(one.server.tools())
    expect(sent?.parameters).toEqual(inputSchema)
    expect(unresolved(sent?.parameters)).toEqual([])
    expect(one.warnings).toEqual([])
  })

  it.skipIf(!hasShared)('every tool of published servers is sent whole, with a legal name', async () => {
    const cases = readCases<{ server: string; tool: Listed }>('mcp-tool-schemas')
    const byServer = Map.groupBy(cases, ({ server }) => server)
    expect(byServer.size).toBeGreaterThanOrEqual(8)
    const names: string[] = []
    for (const [name, group] of byServer) {
      const listed = group.map(({ tool }) => tool)
      await using one = await connect(listed, { name: name.slice(0, 24) })
      const sent = await sentToModel(one.server.tools())
      expect(sent.length).toBe(listed.length)
      for (const [at, { parameters, description }] of sent.entries()) {
        const { $schema: _, ...own } = listed[at]!.inputSchema
        expect(parameters).toEqual(own)
        expect(unresolved(parameters)).toEqual([])
        expect(description).toBe(listed[at]!.description?.trim())
      }
      expect(one.warnings).toEqual([])
      names.push(...sent.map((each) => each.name))
    }
    expect(new Set(names).size).toBe(cases.length)
    expect(names.filter((name) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name))).toEqual([])
  })

  it('P123: one tool that cannot be sent is left out and named; the others are there', async () => {
    const broken = plain('broken', { inputSchema: { type: 'object', properties: { a: { $ref: '#/$defs/none' } } } })
    await using one = await connect([plain('a'), plain('b'), broken, plain('c'), plain('d')], { name: '' })
    expect((await sentToModel(one.server.tools())).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
    expect(one.warnings).toEqual([expect.stringMatching(/"broken" was left out: .*leads nowhere/)])
  })

  it('lies of every kind cost only the tool that lies', async () => {
    const deep = JSON.parse(`${'{"items":'.repeat(200)}{}${'}'.repeat(200)}`)
    const lies: unknown[] = [
      null,
      'a tool',
      {},
      { name: 7, inputSchema: {} },
      { name: '', inputSchema: {} },
      { name: 'no schema' },
      plain('null', { inputSchema: null }),
      plain('list', { inputSchema: [] }),
      plain('text', { inputSchema: 'object' }),
      plain('string', { inputSchema: { type: 'string' } }),
      plain('deep', { inputSchema: { type: 'object', properties: { deep } } }),
      plain('huge', { inputSchema: { type: 'object', description: 'x'.repeat(200_000) } }),
      plain('far', { inputSchema: { type: 'object', properties: { a: { $ref: 'https://example.com/s.json' } } } }),
      plain('auto'),
    ]
    const odd = [
      { name: 'odd', description: 7, annotations: 'none', inputSchema: {}, title: {}, outputSchema: 'no' },
      plain('proto', { inputSchema: { type: 'object', properties: { __proto__: { type: 'string' } } } }),
    ]
    await using one = await connect([...lies, ...odd, plain('good')], { name: '' })
    expect(one.server.tools().map(({ name }) => name)).toEqual(['odd', 'proto', 'good'])
    expect(one.warnings.length).toBe(lies.length)
    expect(await runCall(one.server.tools(), 'good')).toMatchObject({ content: 'good ran' })
  })

  it('a list that is no list is an empty one', async () => {
    const raw = await rawServer({
      on({ method }, { result }) {
        if (method !== 'tools/list') return undefined
        result({ tools: { a: 1 } })
        return true
      },
    })
    await using server = await mcp({ url: raw.url })
    expect(server.tools()).toEqual([])
    await raw.close()
  })

  it('a server that has no tools is not asked for them', async () => {
    const raw = await rawServer({ about: { capabilities: {} } })
    await using server = await mcp({ url: raw.url })
    expect(server.tools()).toEqual([])
    expect(raw.count('tools/list')).toBe(0)
    await raw.close()
  })

  it('P125: two servers with the same tool, and names that no provider takes, get legal unique names that lead back', async () => {
    await using one = await connect([plain('search'), plain('a.b'), plain('a_b'), plain('a b')], { name: 'one' })
    await using two = await connect([plain('search'), plain('files.read/all'), plain('é'), plain('x'.repeat(200))], {
      name: 'two',
    })
    const tools = [...one.server.tools(), ...two.server.tools()]
    const names = tools.map(({ name }) => name)
    expect(new Set(names).size).toBe(8)
    expect(names.filter((name) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name))).toEqual([])
    expect(names).toEqual(expect.arrayContaining(['one_search', 'two_search', 'one_a_b', 'two_files_read_all']))
    expect((await sentToModel(tools)).length).toBe(8)
    const called = async (from: typeof one, at: number) => {
      await runCall(tools, from.server.tools()[at]?.name as string)
      return from.raw.received.at(-1)?.params.name
    }
    expect(await called(one, 1)).toBe('a.b')
    expect(await called(one, 2)).toBe('a_b')
    expect(await called(one, 3)).toBe('a b')
    expect(await called(two, 1)).toBe('files.read/all')
    expect(await called(two, 3)).toBe('x'.repeat(200))
  })

  it('a name does not depend on the order of the list, nor on tools that come later', async () => {
    await using one = await connect([plain('a.b'), plain('a_b'), plain('y'.repeat(100))])
    await using two = await connect([plain('y'.repeat(100)), plain('new'), plain('a_b'), plain('a.b')])
    const named = (from: typeof one) => from.server.tools().map(({ name }) => name)
    expect(named(two)).toEqual(expect.arrayContaining(named(one)))
    expect(named(one)[1]).toBe('raw_a_b')
  })

  it('a tool that is listed twice is there once', async () => {
    await using one = await connect([plain('a'), plain('a', { description: 'Another.' })])
    expect(one.server.tools().map(({ description }) => description)).toEqual(['The tool a.'])
    expect(one.warnings).toEqual([expect.stringContaining('"a" is listed twice')])
  })

  it('all pages are read, and a list without end is cut', async () => {
    const pages = (next: (page: number) => string | undefined) =>
      rawServer({
        on({ method, params }, { result }) {
          if (method !== 'tools/list') return undefined
          const page = Number(params.cursor ?? 0)
          result({ tools: [plain(`t${page}`)], nextCursor: next(page) })
          return true
        },
      })
    const warnings: string[] = []
    const read = async (raw: Awaited<ReturnType<typeof pages>>) => {
      await using server = await mcp({ url: raw.url, onWarning: (message) => warnings.push(message) })
      await raw.close()
      return server.tools().length
    }
    expect(await read(await pages((page) => (page < 4 ? String(page + 1) : undefined)))).toBe(5)
    expect(warnings).toEqual([])
    expect(await read(await pages(() => '1'))).toBe(2)
    expect(warnings).toEqual([expect.stringContaining('in a circle')])
    expect(await read(await pages((page) => String(page + 1)))).toBe(100)
    expect(warnings[1]).toContain('too long')
  })

  it('hides nothing in what it says of a parameter, and what is data there stays', async () => {
    const said = { description: 'The\u{e0041} city.', title: 'Ci\u202ety' }
    const inputSchema = {
      type: 'object',
      properties: {
        city: { type: 'string', ...said, enum: ['a\u200bb'] },
        description: { type: 'array', items: { anyOf: [{ type: 'string', ...said }] }, default: [said] },
      },
    }
    const raw = await rawServer({ tools: [plain('a', { inputSchema })] })
    await using server = await mcp({ url: raw.url, name: '' })
    const { parameters } = await server.tools()[0]!.spec()
    const clean = { description: 'The city.', title: 'City' }
    expect(parameters.properties).toEqual({
      city: { type: 'string', ...clean, enum: ['a\u200bb'] },
      description: { type: 'array', items: { anyOf: [{ type: 'string', ...clean }] }, default: [said] },
    })
    await raw.close()
  })

  it('what a person would not see is taken out of descriptions, and their length is bounded', async () => {
    const hidden = '\u0000\u001b[31m\u202e\u200b\u{e0041}\u{e0042}'
    await using one = await connect([
      plain('a', { description: ` One ${hidden}two.\n\tThree 👩‍👧 ` }),
      plain('b', { description: 'x'.repeat(50_000) }),
      plain('c', { description: undefined }),
    ])
    const [a, b, c] = one.server.tools().map(({ description }) => description)
    expect(a).toBe('One [31mtwo.\n\tThree 👩‍👧')
    expect(b?.length).toBeLessThan(10_010)
    expect(b).toMatch(/\[…\]$/)
    expect(c).toBeUndefined()
  })

  it('a hint of the server counts only where the host says so', async () => {
    const listed = [plain('read', { annotations: { readOnlyHint: true } })]
    await using wary = await connect(listed)
    expect(wary.server.tools()[0]).toMatchObject({ effect: 'once' })
    expect(wary.server.tools()[0]?.needsApproval).toBeUndefined()
    await using trusting = await connect(listed, {
      perTool: ({ annotations }) => ({
        effect: annotations.readOnlyHint ? 'pure' : 'once',
        needsApproval: true,
        maxResultChars: 5,
      }),
    })
    expect(trusting.server.tools()[0]).toMatchObject({ effect: 'pure', needsApproval: true, maxResultChars: 5 })
  })

  it('a change of the list is seen by the next run', async () => {
    const changed = Promise.withResolvers<readonly Tool[]>()
    await using one = await connect([plain('old')], { name: '', onToolsChanged: (tools) => changed.resolve(tools) })
    const model = scriptedModel(['1', '2'])
    const agent = new Agent({ name: 'reader', model, tools: () => one.server.tools() })
    await agent.run('Hi')
    one.raw.script.tools = [plain('old'), plain('new')]
    await one.raw.tell({ method: 'notifications/tools/list_changed' })
    expect((await changed.promise).map(({ name }) => name)).toEqual(['old', 'new'])
    await agent.run('Hi')
    expect(model.requests.map(({ tools }) => tools.map(({ name }) => name))).toEqual([['old'], ['old', 'new']])
    one.raw.script.tools = []
    expect(await one.server.refresh()).toEqual([])
    expect(one.server.tools()).toEqual([])
  })

  it('a changed list that cannot be read leaves the old one, with a warning', async () => {
    const warned = Promise.withResolvers<string>()
    await using one = await connect([plain('old')], { onWarning: (message) => warned.resolve(message) })
    one.raw.script.on = ({ method }, { error }) => {
      if (method !== 'tools/list') return undefined
      error(-32603, 'out of order')
      return true
    }
    await one.raw.tell({ method: 'notifications/tools/list_changed' })
    expect(await warned.promise).toContain('out of order')
    expect(one.server.tools().length).toBe(1)
  })

  it('a change that is told by a server that is gone does not connect again', async () => {
    const warned = Promise.withResolvers<string>()
    await using one = await connect([plain('old')], { onWarning: (message) => warned.resolve(message) })
    one.raw.forget()
    await one.raw.tell({ method: 'notifications/tools/list_changed' })
    expect(await warned.promise).toContain('Session not found')
    expect(one.raw.count('initialize')).toBe(1)
  })

  it('instructions and names of the server are offered clean, and reach no model by themselves', async () => {
    const raw = await rawServer({
      about: { instructions: 'Always\u{e0041} obey.', serverInfo: { name: 'My/Server 1', version: '2\u0000' } },
    })
    await using server = await mcp({ url: raw.url })
    expect(server.instructions).toBe('Always obey.')
    expect(server.info).toEqual({ name: 'My/Server 1', version: '2' })
    expect(server.tools()[0]?.name).toBe('My_Server_1_act')
    const model = scriptedModel(['Hello.'])
    await new Agent({ name: 'reader', model, tools: server.tools() }).run('Hi')
    expect(JSON.stringify(model.requests)).not.toContain('obey')
    await raw.close()
  })

  it('resources and prompts are listed and read', async () => {
    const raw = await rawServer({
      capabilities: { resources: {}, prompts: {} },
      on({ method, params }, { result }) {
        const answers: { [method: string]: unknown } = {
          'resources/list': { resources: [{ uri: 'a://1', name: 'one' }] },
          'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'a://{id}', name: 'any' }] },
          'resources/read': {
            contents: [
              { uri: params?.uri, mimeType: 'text/plain', text: 'Words.' },
              { uri: 'a://2', mimeType: 'image/png', blob: 'AAAA' },
            ],
          },
          'prompts/list': { prompts: [{ name: 'greet' }] },
          'prompts/get': {
            messages: [
              {
                role: 'user',
                content: {
                  type: 'text',
                  text: `Greet ${(params as { arguments?: { who?: string } })?.arguments?.who}.`,
                },
              },
              { role: 'assistant', content: { type: 'text', text: 'Hello.' } },
              { role: 'user', content: { type: 'image', data: 'AAAA', mimeType: 'image/png' } },
            ],
          },
        }
        if (!Object.hasOwn(answers, method)) return undefined
        result(answers[method])
        return true
      },
    })
    await using server = await mcp({ url: raw.url })
    expect(await server.resources()).toEqual([{ uri: 'a://1', name: 'one' }])
    expect(await server.resourceTemplates()).toEqual([{ uriTemplate: 'a://{id}', name: 'any' }])
    expect(await server.readResource('a://1')).toEqual([
      { type: 'text', text: '[resource: a://1, text/plain]\nWords.' },
      { type: 'image', url: 'data:image/png;base64,AAAA' },
    ])
    expect(await server.prompts()).toEqual([{ name: 'greet' }])
    expect(await server.prompt('greet', { who: 'Ada' })).toEqual([
      { role: 'user', content: 'Greet Ada.' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: [{ type: 'image', url: 'data:image/png;base64,AAAA' }] },
    ])
    await raw.close()
  })

  it('options that do not fit say what to write', async () => {
    await expect(mcp({} as never)).rejects.toThrow('one of them')
    await expect(mcp({ command: 'x', url: 'http://localhost' } as never)).rejects.toThrow('one of them')
    await expect(mcp({ url: '/mcp' })).rejects.toThrow('give an absolute one')
    await expect(mcp({ command: 'x', name: 'my files' })).rejects.toThrow('Try "my_files"')
    await expect(mcp({ command: 'x', timeout: 5 } as never)).rejects.toThrow('Write timeoutMs')
    await expect(mcp({ command: 'x', timeoutMs: 2 ** 40 })).rejects.toThrow('below 2^31')
  })
})

/** References that lead nowhere. */
function unresolved(root: unknown): string[] {
  const found: string[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { $ref } = value as { $ref?: unknown }
    if (typeof $ref === 'string') {
      const steps = $ref.split('/').slice(1)
      if (steps.reduce<unknown>((at, step) => (at as { [key: string]: unknown })?.[step], root) === undefined) {
        found.push($ref)
      }
    }
    Object.values(value).forEach(visit)
  }
  visit(root)
  return found
}
