/** Rows of the acceptance list that need a compiler or a second copy of the package, and sessions by their ids. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Agent, approve, isClewError, memorySession, tool } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

const root = join(import.meta.dirname, '..')

/** A user's project in a folder of its own, compiled by tsc. */
function compile(text: string): { output: string; declarations: string; ms: number } {
  const folder = mkdtempSync(join(tmpdir(), 'clew-types-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(
      join(folder, 'index.ts'),
      text.replaceAll("'@clew/core'", JSON.stringify(join(root, 'dist/index.js'))),
    )
    const options = {
      declaration: true,
      strict: true,
      module: 'nodenext',
      target: 'es2024',
      lib: ['es2024', 'dom'],
      types: [],
      outDir: 'out',
      skipLibCheck: true,
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['index.ts'] }))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const started = performance.now()
    const { stdout } = spawnSync('tsc', ['-p', folder], { encoding: 'utf8' })
    const ms = performance.now() - started
    return {
      output: stdout,
      declarations: stdout === '' ? readFileSync(join(folder, 'out/index.d.ts'), 'utf8') : '',
      ms,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('types', () => {
  it('P150: what a user exports can be declared, and reads well', () => {
    const { output, declarations } = compile(`
      import { Agent, tool, type Model, type ToolExecution } from '@clew/core'
      import { z } from 'zod'
      declare const model: Model
      export const weather = tool({ name: 'weather', input: z.object({ city: z.string() }), execute: ({ city }) => city })
      export const who = tool({ name: 'who', execute: (_: object, { context }: ToolExecution<{ user: string }>) => context.user })
      export const agent = new Agent({ name: 'a', model, tools: [weather, who], output: z.object({ year: z.number() }) })
      export const ask = () => agent.run('x', { context: { user: 'ada' } }).result()
      export const events = async () => {
        const all = []
        for await (const event of agent.run('x', { context: { user: 'ada' } })) if (event.type === 'tool-end') all.push(event)
        return all
      }
    `)
    expect(output).toBe('')
    expect(declarations).toMatch(/weather: .*Tool<\{\s*city: string;?\s*\}, unknown>/)
    expect(declarations).toMatch(/agent: Agent<\{\s*user: string;?\s*\}, \{\s*year: number;?\s*\}>/)
  })

  it('P050: 30 tools with nested, union and record schemas of zod 3 and 4 compile', () => {
    const nested = (z: string, depth: number): string =>
      depth === 0
        ? `${z}.union([${z}.string(), ${z}.number(), ${z}.object({ k: ${z}.literal('x') })])`
        : `${z}.object({ a: ${nested(z, depth - 1)}.optional(), r: ${z}.record(${z}.string(), ${z}.array(${z}.enum(['p', 'q']))) })`
    const tools = Array.from(
      { length: 30 },
      (_, n) => `tool({ name: 't${n}', input: ${nested(n % 2 ? 'z' : 'z3', 4)}, execute: (input) => input.r })`,
    )
    const { output } = compile(`
      import { Agent, tool, type Model } from '@clew/core'
      import { z } from 'zod'
      import { z as z3 } from 'zod/v3'
      declare const model: Model
      export const agent = new Agent({ name: 'a', model, tools: [${tools.join(',\n')}] })
    `)
    expect(output).toBe('')
  })
})

describe('two copies of the package', () => {
  it('P149: know each other’s errors', async () => {
    const folder = mkdtempSync(join(root, 'node_modules/.copy-'))
    try {
      cpSync(join(root, 'dist'), folder, { recursive: true })
      const copy = (await import(join(folder, 'index.js'))) as typeof import('../src/index.ts')
      const error = new copy.InputError('from the copy')
      expect(isClewError(error, 'input')).toBe(true)
      expect(isClewError(error, 'model')).toBe(false)
      expect(copy.isClewError(copy.fatal('x'), 'fatal')).toBe(true)
      const boom = copy.tool({
        name: 'boom',
        execute: () => {
          throw copy.fatal('stop all')
        },
      })
      await expect(
        new Agent({ name: 'a', model: scriptedModel([{ calls: [{ name: 'boom' }] }]), tools: [boom as never] }).run(
          'go',
        ),
      ).rejects.toThrow('stop all')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('sessions', () => {
  const look = tool({ name: 'look', input: z.object({ id: z.number() }), execute: ({ id }) => ({ id }) })

  it('P137 P138: a later run sees results and arguments as they were', async () => {
    const session = memorySession()
    await new Agent({
      name: 'a',
      model: scriptedModel([{ calls: [{ name: 'look', arguments: '{"id": 7}' }] }, 'ok']),
      tools: [look],
    }).run('go', { session })
    const model = scriptedModel(['7'])
    await new Agent({ name: 'a', model, tools: [look] }).run('Which?', { session })
    expect(model.requests[0]!.messages).toMatchObject([
      {},
      { toolCalls: [{ arguments: '{"id": 7}' }] },
      { content: '{"id":7}' },
      {},
      { content: 'Which?' },
    ])
  })

  it('P074: usage after a pause is that of both parts', async () => {
    const ask = tool({ name: 'ask', needsApproval: true, execute: () => 'yes' })
    const agent = (reply: string | object) =>
      new Agent({ name: 'a', model: scriptedModel([reply as string]), tools: [ask] })
    const paused = await agent({ calls: [{ name: 'ask' }], usage: { usd: 0.25 } }).run('go')
    const done = await agent({ text: 'ok', usage: { usd: 0.5 } }).resume(paused.state, {
      [paused.needs![0]!.id]: approve(),
    })
    expect(done.usage).toMatchObject({ requests: 2, inputTokens: 20, usd: 0.75 })
  })

  it('P067: an approval holds with another context object, and is not asked again', async () => {
    const seen: unknown[] = []
    const ask = tool({ name: 'ask', needsApproval: true, execute: (_: object, { context }) => seen.push(context) })
    const paused = await new Agent({
      name: 'a',
      model: scriptedModel([{ calls: [{ name: 'ask' }] }]),
      tools: [ask],
    }).run('go', { context: 1 })
    const done = await new Agent({ name: 'a', model: scriptedModel(['ok']), tools: [ask] }).resume(
      paused.state,
      { [paused.needs![0]!.id]: approve() },
      { context: 2 },
    )
    expect(done.status).toBe('done')
    expect(seen).toEqual([2])
  })

  it('P105: after a model error the user message is in the session once', async () => {
    const session = memorySession()
    await expect(
      new Agent({ name: 'a', model: scriptedModel([new Error('502')]) }).run('Hello', { session }),
    ).rejects.toThrow('502')
    const model = scriptedModel(['Hi.'])
    await new Agent({ name: 'a', model }).resume(session)
    expect(model.requests[0]!.messages).toEqual([{ role: 'user', content: 'Hello' }])
  })

  it('P075: a crash after the first of two calls does not run that one again', async () => {
    let runs = 0
    const count = tool({ name: 'count', execute: () => ++runs })
    const session = memorySession()
    const agent = () =>
      new Agent({
        name: 'a',
        model: scriptedModel([{ calls: [{ name: 'count' }, { name: 'count' }] }, 'ok']),
        tools: [count],
        concurrency: 1,
      })
    for await (const event of agent().run('go', { session })) if (event.type === 'tool-end') break
    expect(runs).toBe(1)
    const { events } = await session.read()
    const crashed = memorySession(
      'crashed',
      events.slice(0, events.findIndex((event) => event.type === 'tool-end') + 1),
    )
    const done = await new Agent({ name: 'a', model: scriptedModel(['ok']), tools: [count] }).resume(crashed)
    expect(done.status).toBe('done')
    expect(runs).toBe(2)
  })
})
