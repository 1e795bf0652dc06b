/** What every built-in tool keeps to, the same for all of them. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  Agent,
  approve,
  callTool,
  DefinitionError,
  definePlugin,
  type Json,
  type Tool,
  type ToolEnd,
  textOf,
} from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { fakes, testPlugin } from '@clew/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import * as tools from '../src/index.ts'

const place = mkdtempSync(join(tmpdir(), 'clew-every-'))
const inner = join(place, 'inner')
mkdirSync(inner)
writeFileSync(join(place, 'secret.txt'), 'the secret beside it')
writeFileSync(join(inner, 'a.txt'), 'wool\nsilk\n')
const database = join(place, 'data.db')
new DatabaseSync(database).exec('CREATE TABLE wool(colour TEXT); INSERT INTO wool VALUES (1)')
const shelf = tools.documents()
shelf.add([{ id: 'a', title: 'A', text: 'red wool' }])
afterAll(() => {
  shelf.close()
  rmSync(place, { recursive: true })
})

const files = tools.folder(inner, { write: 'allowed' })
const helper = new Agent({ name: 'helper', model: scriptedModel(() => 'Done.') })
/** No name leads anywhere. */
const nowhere = { resolve: async () => [] }
const patch = '*** Begin Patch\n*** Add File: c.txt\n+flax\n*** End Patch'

/** Each with a call that works, or with none where it would need the world outside. */
const light: [Tool<never>, Json?][] = [
  [tools.calculator(), { expression: '1 + 1' }],
  [tools.datetime({ now: () => 0 }), { action: 'now' }],
  [tools.plan(), { items: [{ text: 'spin', status: 'open' }] }],
  [tools.askUser()],
  [tools.readFile(files), { path: 'a.txt' }],
  [tools.listFiles(files), {}],
  [tools.glob(files), { pattern: '*.txt' }],
  [tools.grep(files), { pattern: 'wool' }],
  [tools.writeFile(files), { path: 'b.txt', content: 'flax' }],
  [tools.editFile(files), { path: 'a.txt', old: 'silk', new: 'hemp' }],
  [tools.applyPatch(files), { patch }],
  [tools.searchDocuments(shelf), { query: 'wool' }],
  [tools.readDocument(shelf), { document: 'a' }],
  [tools.webFetch(nowhere)],
  [
    tools.webSearch({ provider: tools.searchOf([{ title: 'A', url: 'https://a.example', text: 'wool' }]) }),
    { query: 'wool' },
  ],
  [tools.httpRequest({ hosts: ['api.example.com'], ...nowhere })],
  [tools.task(helper, { for: 'spinning' })],
  [tools.imageGenerate({ model: scriptedModel(() => 'no picture') })],
]
/** Each call is a process of its own. */
const heavy: Tool<never>[] = [
  tools.sqlQuery({ sqlite: database }),
  tools.runJavascript(),
  tools.runPython(),
  tools.shell(),
  tools.runCommand({ cwd: inner, commands: ['true'] }),
]
const all = [...light.map(([tool]) => tool), ...heavy]

describe('the list of this file', () => {
  it('has every tool that the package makes', () => {
    const made = new Set(all.map(({ name }) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())))
    made.delete('taskHelper')
    const notTools = [
      'documents',
      'folder',
      'fileTools',
      'guardedFetch',
      'readReply',
      'keepPlan',
      'shapeOutput',
      'findTools',
    ]
    const others = ['loadPlugin', 'task', 'brave', 'exa', 'searxng', 'tavily', 'openrouterSearch', 'searchOf']
    const factories = Object.entries(tools).flatMap(([name, value]) =>
      typeof value === 'function' && /^[a-z]/.test(name) && ![...notTools, ...others].includes(name) ? [name] : [],
    )
    expect([...made].sort()).toEqual(factories.sort())
  })
})

describe('an option that nobody reads', () => {
  const model = scriptedModel([])
  it.each<[string, () => unknown]>([
    ['webFetch', () => tools.webFetch({ host: ['a.example'] } as never)],
    ['httpRequest', () => tools.httpRequest({ hosts: ['a.example'], method: 'GET' } as never)],
    ['guardedFetch', () => tools.guardedFetch({ allowHosts: [] } as never)],
    ['webSearch', () => tools.webSearch({ provider: tools.searchOf([]), limit: 3 } as never)],
    ['imageGenerate', () => tools.imageGenerate({ model, approve: true } as never)],
    ['documents', () => tools.documents({ file: 'x' } as never)],
    ['folder', () => tools.folder(inner, { readonly: true } as never)],
    ['sqlQuery', () => tools.sqlQuery({ sqlite: database, readonly: true } as never)],
    ['runJavascript', () => tools.runJavascript({ timeout: 1 } as never)],
    ['runPython', () => tools.runPython({ timeout: 1 } as never)],
    ['shell', () => tools.shell({ folder: '/' } as never)],
    ['runCommand', () => tools.runCommand({ cwd: inner, commands: ['true'], shell: true } as never)],
    ['askUser', () => tools.askUser({ choices: [] } as never)],
    ['task', () => tools.task(helper, { for: 'x', model } as never)],
    ['findTools', () => tools.findTools([], { limit: 3 } as never)],
    ['datetime', () => tools.datetime({ timezone: 'UTC' } as never)],
    ['shapeOutput', () => tools.shapeOutput({ max: 3 } as never)],
  ])('is refused: %s', (_, make) => {
    expect(make).toThrow(DefinitionError)
    expect(make).toThrow(/no option "?\w+"?/)
  })

  it('is refused: loadPlugin', async () => {
    const url = new URL('./plugins/layered.ts', import.meta.url)
    await expect(tools.loadPlugin(url, { allow: {}, isolated: true } as never)).rejects.toThrow(/no option "isolated"/)
    await expect(tools.loadPlugin(url, { allow: { network: [] } } as never)).rejects.toThrow(/no option "network"/)
  })
})

describe('every tool', () => {
  const asPlugin = (list: readonly Tool<never>[]) => definePlugin({ name: 'built-in', tools: list })
  const calls = Object.fromEntries(light.flatMap(([tool, input]) => (input ? [[tool.name, [input as object]]] : [])))
  const working = light.flatMap(([tool, input]) => (input && !tool.isAgent ? [tool] : []))
  for (const { name, run } of testPlugin(asPlugin(working), { calls })) it(name, run)
  for (const { name, run } of testPlugin(asPlugin(all), { calls: {} }))
    if (/described|sent/.test(name)) it(`${name}, those that compute or reach out, too`, run)

  it('has a fake, unless somebody else answers it', () => {
    for (const tool of all) if (tool.execute && !tool.isAgent) expect(fakes([tool])).toHaveLength(1)
  })

  it('that changes something or reaches out says so', () => {
    const said = Object.fromEntries(
      all.map(({ name, effect, sends, untrusted }) => [name, { effect, sends, untrusted }]),
    )
    for (const name of ['write_file', 'edit_file', 'apply_patch', 'run_command', 'http_request']) {
      expect(said[name]?.effect, name).not.toBe('pure')
    }
    for (const name of ['web_fetch', 'http_request']) expect(said[name], name).toMatchObject({ untrusted: true })
    expect(said.web_fetch).toMatchObject({ sends: true })
  })
})

const sample = readCases<{ s: string }>('naughty-strings').map(({ s }) => s)
const hostile = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '../secret.txt',
  'a'.repeat(200_000),
  '('.repeat(5000),
  '{"__proto__":1}',
  '-1e999',
  ...sample,
]

/** The call's input with every text in its place. */
function* filled(
  parameters: { properties?: { [key: string]: unknown }; required?: string[] },
  text: string,
): Generator<Json> {
  const keys = Object.keys(parameters.properties ?? {})
  yield Object.fromEntries(keys.map((key) => [key, text]))
  yield Object.fromEntries((parameters.required ?? keys).map((key) => [key, text]))
}

async function end(tool: Tool<never>, input: Json): Promise<ToolEnd | undefined> {
  const running = callTool([tool], { name: tool.name, arguments: input }, { caller: 'test', policy: () => approve() })
  for (;;) {
    const { done, value } = await running.next()
    if (done) return value.type === 'tool-end' ? value : undefined
  }
}

describe('what models write into', () => {
  it.each(light.map(([tool]) => [tool.name, tool] as const))(
    '%s comes back as a result, whatever it is',
    async (_, tool) => {
      const { parameters } = await tool.spec()
      for (const text of hostile) {
        for (const input of filled(parameters, text)) {
          const result = await end(tool, input)
          if (!result) continue
          const said = textOf(result.content)
          expect(said.length).toBeLessThan(tool.maxResultChars + 1000)
          expect(said).not.toContain('the secret beside it')
          expect(said).not.toMatch(/(TypeError|RangeError|is not a function|Cannot read prop|undefined is not)/)
        }
      }
      expect(readdirSync(place).sort()).toEqual(['data.db', 'inner', 'secret.txt'])
    },
  )

  it.each(all.map((tool) => [tool.name, tool] as const))(
    '%s is refused where it has the wrong type',
    async (_, tool) => {
      const { parameters } = await tool.spec()
      for (const wrong of [null, 7, true, [], { a: 1 }]) {
        const keys = Object.keys(parameters.properties ?? {})
        const input = Object.fromEntries(keys.map((key) => [key, wrong]))
        if (tool.name === 'plan' && Array.isArray(wrong)) continue // an empty one is a plan
        const result = await end(tool, input as Json)
        if (keys.length > 0 && result) expect(result).toMatchObject({ isError: true })
      }
    },
  )
})
