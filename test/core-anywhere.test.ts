/** Core runs where there is no Node: bundled for browsers, in a bare context. */
import { join } from 'node:path'
import vm from 'node:vm'
import { rolldown } from 'rolldown'
import { beforeAll, describe, expect, it } from 'vitest'

const dist = join(import.meta.dirname, '..', 'packages', 'core', 'dist')
let code: string

beforeAll(async () => {
  const entry = `export * from ${JSON.stringify(join(dist, 'index.js'))}; export * from ${JSON.stringify(join(dist, 'testing/index.js'))}`
  const bundle = await rolldown({
    input: 'entry',
    platform: 'browser',
    plugins: [
      { name: 'entry', resolveId: (id) => (id === 'entry' ? id : null), load: (id) => (id === 'entry' ? entry : null) },
    ],
  })
  const { output } = await bundle.generate({ format: 'iife', name: 'clew', codeSplitting: false })
  code = output[0].code
})

describe('core without Node', () => {
  it('P148: is imported in a bare context without fetch, timers, process or crypto', () => {
    const context = vm.createContext(Object.create(null))
    expect(() => vm.runInContext(code, context)).not.toThrow()
    expect(vm.runInContext('typeof clew.Agent', context)).toBe('function')
    expect(code).not.toMatch(/["']node:/)
  })

  it('runs an agent with a tool on what every runtime has', async () => {
    const { AbortController, DOMException, URL, clearTimeout, crypto, performance, setTimeout, structuredClone } =
      globalThis
    const context = vm.createContext({
      AbortController,
      DOMException,
      URL,
      clearTimeout,
      crypto,
      performance,
      setTimeout,
      structuredClone,
    })
    vm.runInContext(code, context)
    const result = await vm.runInContext(
      `(async () => {
        const input = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
        const weather = clew.tool({ name: 'weather', input, execute: ({ city }) => 'Sunny in ' + city })
        const model = clew.scriptedModel([{ calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] }, 'Go for a walk.'])
        const result = await new clew.Agent({ name: 'guide', model, tools: [weather] }).run('Oslo?')
        return JSON.stringify([result.text, result.state.messages[2].content])
      })()`,
      context,
    )
    expect(JSON.parse(result)).toEqual(['Go for a walk.', 'Sunny in Oslo'])
  })
})
