/** Runs JavaScript of strangers in QuickJS, which is WebAssembly with memory of its own. Started by `inJail`. */
import type * as quickjs from 'quickjs-emscripten'
import { load, serve } from '../jail/inside.ts'
import { Kept, kept } from '../jail/kept.ts'

export type JavascriptRequest = { url: string; code: string; timeoutMs: number; memoryMb: number; chars: number }
export type ProgramAnswer = { printed: string; result?: string; error?: string; isTimeout?: true }

/**
 * Defined before the program's own code, with functions that the program cannot change afterwards. What is told of a value
 * is made in there: getters, proxies and `toJSON` run under the limits too.
 */
const prelude = `(print => {
  const { stringify } = JSON, text = String, error = Error, isArray = Array.isArray
  const plain = (key, value) =>
    typeof value === 'bigint' ? text(value) : value instanceof Map || value instanceof Set ? [...value] : value
  const show = value => {
    if (typeof value === 'string') return value
    if (value instanceof error) return value.name + ': ' + value.message
    return stringify(value, plain, value !== null && typeof value === 'object' ? 1 : 0) ?? text(value)
  }
  const log = (...values) => {
    let line = ''
    for (let i = 0; i < values.length; i++) line += (i ? ' ' : '') + show(values[i])
    print(line + '\\n')
  }
  globalThis.console = { log, info: log, warn: log, error: log, debug: log }
  return [
    value => value === undefined ? undefined : show(value),
    thrown => thrown instanceof error ? thrown.name + ': ' + thrown.message + '\\n' + thrown.stack : 'thrown: ' + show(thrown),
  ]
})`

await serve<JavascriptRequest>(async ({ url, code, timeoutMs, memoryMb, chars }) => {
  const { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } = await load<typeof quickjs>(url)
  // QuickJS's own limit does not count all it takes; this one the engine holds. 64 KiB a page.
  const wasmMemory = new WebAssembly.Memory({ initial: 256, maximum: Math.max(256, memoryMb * 16) })
  const library = await newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, { wasmMemory }))
  const runtime = library.newRuntime()
  runtime.setMemoryLimit(memoryMb * 1024 * 1024)
  // With 512 KiB a deep recursion overflows the stack of WebAssembly itself.
  runtime.setMaxStackSize(256 * 1024)
  const context = runtime.newContext()
  const printed = new Kept(chars)

  return () => {
    const answer = run()
    return { answer: { ...answer, printed: printed.toString() } satisfies ProgramAnswer }
  }

  function run(): Omit<ProgramAnswer, 'printed'> {
    const deadline = Date.now() + timeoutMs
    let isTimeout = false
    const print = context.newFunction('print', (text) => printed.add(context.getString(text)))
    const helpers = context.unwrapResult(
      context.callFunction(context.unwrapResult(context.evalCode(prelude, 'prelude.js')), context.undefined, print),
    )
    const [show, tell] = [context.getProp(helpers, 0), context.getProp(helpers, 1)]
    runtime.setInterruptHandler(() => {
      isTimeout ||= Date.now() > deadline
      return isTimeout
    })
    try {
      const value = settled(context.evalCode(code, 'script.js', { type: 'global' }))
      if (isTimeout) return { isTimeout }
      if ('error' in value) return failed(value.error)
      if (value.value === undefined) return { error: 'The promise never settles: here are no timers and no network.' }
      const shown = context.callFunction(show, context.undefined, value.value)
      if (shown.error) return failed(shown.error)
      const isText = context.typeof(shown.value) === 'string'
      return isTimeout ? { isTimeout } : isText ? { result: kept(context.getString(shown.value), chars) } : {}
    } catch {
      // Out of memory or broken inside: the process ends after this answer.
      return isTimeout ? { isTimeout } : { error: 'The program could not go on: out of memory, or nested too deeply.' }
    }

    function failed(error: quickjs.QuickJSHandle): Omit<ProgramAnswer, 'printed'> {
      if (isTimeout) return { isTimeout }
      const told = context.callFunction(tell, context.undefined, error)
      if (isTimeout) return { isTimeout }
      if (!told.error && context.typeof(told.value) === 'string') {
        const lines = context.getString(told.value).split('\n')
        return { error: kept(lines.filter((line) => !line.includes('prelude.js')).join('\n'), 2_000) }
      }
      return { error: 'The program threw something that cannot be shown.' }
    }
  }

  /** What the program comes to; for a promise, what it settles to once all that is due was done. */
  function settled(
    result: ReturnType<typeof context.evalCode>,
  ): { value?: quickjs.QuickJSHandle } | { error: quickjs.QuickJSHandle } {
    if (result.error) return { error: result.error }
    const jobs = runtime.executePendingJobs()
    if (jobs.error) return { error: jobs.error }
    const state = context.getPromiseState(result.value)
    if (state.type === 'rejected') return { error: state.error }
    return state.type === 'pending' ? {} : { value: state.value }
  }
})
