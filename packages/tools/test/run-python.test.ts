import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { runPython } from '../src/run-python/run-python.ts'
import { call, descendants } from './sandbox-kit.ts'

const python = runPython({ timeoutMs: 30_000, memoryMb: 96 })
const short = runPython({ timeoutMs: 200, memoryMb: 96 })
const run = (code: string) => call(python, { code })

// Python's snapshot is made once, for all.
beforeAll(() => run('1'))

describe.concurrent('run_python', () => {
  it('answers an agent with what was printed and the last value', async () => {
    const code = 'import sys\nprint("sum")\nprint("aside", file=sys.stderr)\n[1, "two"]'
    const model = scriptedModel([
      { calls: [{ name: 'run_python', arguments: { code } }] },
      ({ messages }) => JSON.stringify(messages.at(-1)?.content),
    ])
    const agent = new Agent({ name: 'a', model, tools: [python] })
    expect(JSON.parse((await agent.run('add')).text)).toBe("Printed:\nsum\naside\n\nResult: [1, 'two']")
  })

  it('has the standard library, top-level await and chance', async () => {
    const code = `
import asyncio, csv, datetime, decimal, json, random, re, sqlite3, statistics, zoneinfo
await asyncio.sleep(0)
sqlite3.connect(':memory:').execute('select 1 + 1').fetchone()[0], statistics.mean([1, 3]), random.random()`
    const [first, second] = [await run(code), await run(code)]
    expect(first).toMatch(/^Result: \(2, 2, 0\.\d+\)$/)
    expect(second).toMatch(/^Result: \(2, 2, 0\.\d+\)$/)
    expect(second).not.toBe(first)
  })

  it('tells errors with the lines of the program, and what was printed before', async () => {
    expect(await run('print("so far")\ndef f():\n    return 1 / 0\nf()')).toMatch(
      /^error: Traceback .*File "script\.py", line 4, in <module>\n {4}f\(\).*line 3, in f\n {4}return 1 \/ 0.*\nZeroDivisionError: division by zero\n\nPrinted:\nso far$/s,
    )
    expect(await run('(1 +')).toMatch(/^error: {3}File "script\.py", line 1\n.*SyntaxError: /s)
    expect(await run('exit(3)')).toBe('error: SystemExit: 3')
  })

  it('has nothing of the host: no JavaScript, processes, network, files, environment', async () => {
    const probes = `
import os, sys
def ends(attempt):
    try: return attempt()
    except BaseException as error: return type(error).__name__ + ': ' + str(error)
def js_process():
    import js
    return js.process
def js_names():
    import js
    return [name for name in js.object_keys()]
def api():
    import pyodide_js
def constructor():
    from pyodide.ffi import to_js
    return to_js([]).constructor.constructor('return process')()
def prototype():
    from pyodide.ffi import to_js
    return [name for name in dir(to_js([]).constructor.constructor) if name in ('process', 'require', 'binding')]
def run_js():
    from pyodide.code import run_js
    run_js('1')
def http():
    from pyodide.http import pyfetch
    pyfetch('http://127.0.0.1:1').send(None)
def subprocess():
    import subprocess
    subprocess.run('id')
def socket():
    import socket
    socket.create_connection(('127.0.0.1', 80))
def host_file(): return open('/etc/passwd').read()
def leaks(): return [value for value in os.environ.values() if '/' in value and 'lib' not in value]
print([ends(attempt) for attempt in [js_names, leaks, prototype]])
for attempt in [js_process, api, constructor, run_js, http, subprocess, socket, host_file, lambda: os.fork(), lambda: os.execv('/bin/sh', ['sh'])]:
    print(ends(attempt))
sorted(os.listdir('/')), os.getcwd(), os.listdir('.')`
    const [lists, ...refusals] = (await run(probes)).split('\n').slice(1)
    expect(lists).toBe("[[], ['/', '/', '/home/user'], []]")
    expect(refusals.slice(0, 10).join('\n')).toMatch(
      new RegExp(
        [
          '^AttributeError: process',
          "ModuleNotFoundError: No module named 'pyodide_js'",
          'JsException: EvalError: Code generation from strings disallowed for this context',
          '\\w+Error: .*',
          '\\w+Error: .*',
          'OSError: .* does not support processes\\.',
          'OSError: .*unreachable',
          'FileNotFoundError: .*',
          '\\w+Error: .*',
          '\\w+Error: .*$',
        ].join('\n'),
      ),
    )
    expect(refusals.at(-1)).toBe("Result: (['dev', 'home', 'lib', 'proc', 'tmp'], '/home/user', [])")
  })

  it.each([
    ['a shell', 'import os; os.system("touch /tmp/escaped")'],
    ['JavaScript through ctypes', 'import ctypes; ctypes.CDLL(None).emscripten_run_script(b"process.exit(0)")'],
    ['its own end', 'import os; os.abort()'],
  ])('ends with an error when the program wants %s', async (_, code) => {
    expect(await run(`print("before")\n${code}`)).toMatch(
      /^error: The (interpreter broke down|program was ended: its process ended early)/,
    )
  })

  it('ends an endless loop within its limit, and keeps what was printed', async () => {
    const slow = (ms: number) =>
      `error: The program was ended after ${ms} ms. Make it do less, or look for an endless loop.`
    const [loop, deaf, inC] = await Promise.all([
      call(runPython({ timeoutMs: 4_000 }), { code: 'print("before")\nwhile True: pass' }),
      call(short, { code: 'while True:\n  try:\n    while True: pass\n  except BaseException: pass' }),
      call(short, { code: 'sum(iter(int, 1))' }),
    ])
    expect(loop).toBe(`${slow(4_000)}\n\nPrinted:\nbefore`)
    expect(deaf).toBe(slow(200))
    expect(inC).toBe(slow(200))
  })

  it('ends storms of memory and files, while this process stays small', async () => {
    const before = process.memoryUsage().rss
    const code = `
def ends(attempt):
    try: attempt()
    except BaseException as error: return type(error).__name__ + str(getattr(error, 'errno', ''))
def memory():
    kept = []
    while True: kept.append(bytearray(10**7))
def files():
    for name in range(10**6): open(f'f{name}', 'wb').write(bytes(10**7))
def hole(): open('hole', 'wb').truncate(10**10)
def recursion(): recursion()
def source(): eval('(' * 10**5)
[ends(attempt) for attempt in [memory, files, hole, recursion, source]]`
    expect(await run(code)).toMatch(
      /^Result: \['MemoryError', 'OSError51', 'OSError51', 'RecursionError', '(MemoryError|SyntaxError)'\]$/,
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
  })

  it('cuts what is printed and what comes out, and says so', async () => {
    const text = await run('print("x" * 10**7)\n"y" * 10**7')
    expect(text.length).toBeLessThan(10_500)
    expect(text.match(/characters left out/g)).toHaveLength(2)
  })

  it('keeps nothing from one call to the next', async () => {
    await run('import builtins\nbuiltins.left = 1\nopen("left", "w").write("x")')
    expect(await run('import os, builtins\nos.listdir("."), hasattr(builtins, "left")')).toBe('Result: ([], False)')
  })

  it('ends with the run', async () => {
    const leave = new AbortController()
    const running = call(short, { code: 'while True: pass' }, { signal: leave.signal })
    leave.abort(new Error('left'))
    expect(await running).toBe('error: left')
  })

  it('refuses limits that bound nothing', () => {
    expect(() => runPython({ memoryMb: 1 })).toThrow('memoryMb is 1; give a number from 64 to 2048.')
    expect(() => runPython({ packages: [] } as object)).toThrow('there is no option "packages"')
  })

  it('has a fake that runs nothing', () => {
    expect(python.fake?.({ code: 'print(1)' }, {} as never)).toBe('Result: (not run: 8 characters of Python)')
  })
})

describe('after all interpreters', () => {
  it('no process is left', async () => {
    expect(descendants()).toEqual([])
  })
})
