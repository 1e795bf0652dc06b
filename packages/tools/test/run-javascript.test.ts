import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { runJavascript } from '../src/run-javascript/run-javascript.ts'
import { call, descendants } from './sandbox-kit.ts'

const javascript = runJavascript({ memoryMb: 32 })
const short = runJavascript({ timeoutMs: 200 })
const run = (code: string, signal?: AbortSignal) => call(javascript, { code }, { ...(signal && { signal }) })

describe.concurrent('run_javascript', () => {
  it('answers an agent with what was printed and the last value', async () => {
    const model = scriptedModel([
      { calls: [{ name: 'run_javascript', arguments: { code: 'console.log("sum", [1, 2]); 1 + 2' } }] },
      ({ messages }) => JSON.stringify(messages.at(-1)?.content),
    ])
    const agent = new Agent({ name: 'a', model, tools: [javascript] })
    expect(JSON.parse((await agent.run('add')).text)).toBe('Printed:\nsum [\n 1,\n 2\n]\n\nResult: 3')
  })

  it('shows values of every kind', async () => {
    const values = '[1n, new Map([["a", 1]]), new Set([2]), null, () => 1, NaN, new Date(0)]'
    expect(JSON.parse((await run(values)).replace('Result: ', ''))).toEqual([
      '1',
      [['a', 1]],
      [2],
      null,
      null,
      null,
      '1970-01-01T00:00:00.000Z',
    ])
    expect(await run('"text"')).toBe('Result: text')
    expect(await run('undefined')).toMatch(/^Done\. Nothing was printed/)
    expect(await run('Promise.resolve(5).then(x => x + 1)')).toBe('Result: 6')
  })

  it('tells errors with their lines, and what was printed before', async () => {
    expect(await run('console.log("so far")\nlet x\nx.y')).toMatch(
      /^error: TypeError: .*\n.*script\.js:3:.*\n\nPrinted:\nso far$/s,
    )
    expect(await run('let = ;')).toMatch(/^error: SyntaxError: .*\n.*script\.js:1/)
    expect(await run('Promise.reject(new Error("late"))')).toMatch(/^error: Error: late/)
    expect(await run('throw { code: 7 }')).toMatch(/^error: thrown: \{\s*"code": 7\s*\}/)
  })

  it('has nothing of the host: no process, require, fetch, import, files, timers', async () => {
    const probes = `
      const tries = [
        () => typeof process, () => typeof require, () => typeof fetch, () => typeof module, () => typeof setTimeout,
        () => typeof WebAssembly, () => typeof Deno, () => typeof Buffer, () => typeof Worker, () => typeof std, () => typeof os,
        () => this.constructor.constructor('return typeof process')(),
        () => console.log.constructor('return typeof process + typeof require')(),
        () => (0, eval)('typeof globalThis.process'),
        () => Object.getPrototypeOf(async () => {}).constructor('return typeof process') instanceof Function && 'undefined',
      ]
      tries.map(attempt => attempt())`
    const seen = new Set(JSON.parse((await run(probes)).replace('Result: ', '')) as string[])
    expect([...seen].sort()).toEqual(['undefined', 'undefinedundefined'])
    expect(await run('import("node:fs")')).toMatch(/^error: .*could not load module/)
    expect(await run('import fs from "fs"')).toMatch(/^error: SyntaxError/)
  })

  it('ends an endless loop within its limit, and keeps what was printed', async () => {
    expect(await call(runJavascript({ timeoutMs: 1_500 }), { code: 'console.log("before"); for (;;);' })).toBe(
      'error: The program was ended after 1500 ms. Make it do less, or look for an endless loop.\n\nPrinted:\nbefore',
    )
  })

  it.each([
    ['in a getter of the result', '({ get a() { for (;;); } })'],
    ['in toJSON', '({ toJSON() { for (;;); } })'],
    ['in a promise', 'Promise.resolve().then(function again() { return Promise.resolve().then(again) })'],
    [
      'in the message of an error',
      'const e = new Error(); Object.defineProperty(e, "message", { get() { for (;;); } }); throw e',
    ],
    ['that swallows its end', 'for (;;) try { for (;;); } catch {} finally { for (;;); }'],
    ['in a regular expression', '/^(a+)+$/.test("a".repeat(60) + "b")'],
  ])('ends an endless loop %s', async (_, code) => {
    expect(await call(short, { code })).toMatch(/^error: The program was ended/)
  })

  it.each([
    ['of strings', 'const all = []; for (;;) all.push("x".repeat(1e6) + all.length)'],
    ['of one string', 'let s = "x"; for (;;) s += s'],
    ['of buffers', 'const all = []; for (;;) all.push(new Uint8Array(1e7).fill(1))'],
  ])('ends an allocation storm %s, while this process stays small', async (_, code) => {
    const before = process.memoryUsage().rss
    expect(await run(code)).toMatch(/^error: /)
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
  })

  it.each([
    ['data', 'let x = []; for (let i = 0; i < 2e5; i++) x = [x]; x'],
    ['source', 'eval("[".repeat(1e5) + "]".repeat(1e5))'],
  ])('ends deep recursion of %s', async (_, code) => {
    expect(await run(code)).toMatch(
      /^error: (InternalError: (stack overflow|out of memory)|The program could not go on)/,
    )
  })

  it('tells a recursion without end', async () => {
    expect(await run('(function f() { return f() + 1 })()')).toMatch(
      /^error: InternalError: stack overflow\n.*script\.js:1/,
    )
  })

  it('says that a promise never settles', async () => {
    expect(await run('new Promise(() => {})')).toBe(
      'error: The promise never settles: here are no timers and no network.',
    )
  })

  it('cuts what is printed and what comes out, and says so', async () => {
    const text = await run('for (let i = 0; i < 100; i++) console.log("x".repeat(10000)); "y".repeat(1e6) + "end"')
    expect(text.length).toBeLessThan(10_500)
    expect(text).toMatch(/characters left out …\]\ny+end$/)
  })

  it('is not fooled by changed built-ins, and the next call has new ones', async () => {
    expect(
      await run('JSON.stringify = () => { throw 1 }; String = () => 2; Array.prototype.map = 0; Error = 0; ({ a: 1 })'),
    ).toBe('Result: {\n "a": 1\n}')
    expect(await run('globalThis.left = 1; JSON.stringify([typeof left, String(3)])')).toBe('Result: ["number","3"]')
    expect(await run('typeof left')).toBe('Result: undefined')
  })

  it('ends with the run: nothing is left of it', async () => {
    const leave = new AbortController()
    const running = call(runJavascript({ timeoutMs: 60_000 }), { code: 'for (;;);' }, { signal: leave.signal })
    leave.abort(new Error('left'))
    expect(await running).toBe('error: left')
  })

  it('refuses limits that bound nothing', () => {
    expect(() => runJavascript({ timeoutMs: Number.NaN })).toThrow('timeoutMs is NaN; give a number from 10 to 600000.')
    expect(() => runJavascript({ memoryMB: 3 } as object)).toThrow('there is no option "memoryMB"')
  })

  it('has a fake that runs nothing', () => {
    expect(javascript.fake?.({ code: 'for (;;);' }, {} as never)).toBe('Result: (not run: 9 characters of JavaScript)')
  })
})

describe('after all sandboxes', () => {
  it('no process is left', async () => {
    expect(descendants().filter((pid) => pid !== process.pid)).toEqual([])
  })
})
