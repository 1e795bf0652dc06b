/** A plugin in a process of its own, under Node's permission model: how it is started, asked, and ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import {
  type CommandResult,
  DefinitionError,
  describeError,
  type Json,
  type PluginFacts,
  type PluginHost,
} from '@clew/core'
import { permissionFlags } from './permissions.ts'
import {
  type CallFacts,
  type FromPlugin,
  type PluginTold,
  type ToPlugin,
  type WireRequest,
  type WireResponse,
  wire,
} from './wire.ts'

const child = new URL(`./plugin-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** Heap of the process; beyond it the process ends, and its calls with an error. */
const maxHeapMegabytes = 256
/** A process that does not say that it is loaded in this time is ended. */
const startMs = 30_000
/** How long a call may take to end after an abort, before its process is ended. */
const graceMs = 2_000
/** Fetches and commands that the program sees to for it at once. */
const maxOutside = 64
const maxBodyBytes = 16 * 1024 * 1024

type Result = Extract<FromPlugin, { type: 'result' }>
type Call = {
  end: (message: Result | Extract<FromPlugin, { type: 'approval' }>) => void
  fail: (error: Error) => void
  progress?: (data: Json) => void
}

export class PluginProcess {
  readonly #child: ChildProcess
  readonly #send: (message: ToPlugin) => void
  readonly #calls = new Map<number, Call>()
  readonly #aborted = new Set<Promise<unknown>>()
  readonly #outside = new Map<number, AbortController>()
  readonly #host: Pick<PluginHost, 'fetch' | 'run'>
  #lastId = 0
  #lastWords = ''
  #begun: { resolve: (message: FromPlugin) => void; reject: (error: Error) => void } | undefined
  #end: string | undefined

  /** `facts` are those that were allowed; before they are known, the process may touch nothing but code. */
  constructor(entry: URL, facts: Pick<PluginFacts, 'capabilities'>, host: Pick<PluginHost, 'fetch' | 'run'>) {
    this.#host = host
    const flags = [...permissionFlags(entry, child, facts.capabilities), `--max-old-space-size=${maxHeapMegabytes}`]
    this.#child = spawn(process.execPath, [...flags, fileURLToPath(child), entry.href], {
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#lastWords = (this.#lastWords + chunk.toString()).slice(-2000)
      })
    }
    const pipe = this.#child.stdio[3] as Duplex
    this.#send = wire<ToPlugin, FromPlugin>(
      pipe,
      (message) => this.#hear(message),
      (reason) => this.#stop(reason),
    )
    watch(this)
    this.#child.on('error', (error) => this.#stop(`it could not be started: ${error.message}`))
    this.#child.on('exit', (code, signal) => this.#stop(`it exited with ${code ?? signal}`))
  }

  /** False when its process is gone. A call that was aborted is waited for: it may take the process with it. */
  async isAlive(): Promise<boolean> {
    while (this.#aborted.size > 0) await Promise.allSettled(this.#aborted)
    return this.#end === undefined
  }

  /** What the plugin tells of itself when its code is loaded. */
  async facts(): Promise<PluginFacts> {
    return ((await this.#begin()) as Extract<FromPlugin, { type: 'facts' }>).facts
  }

  async load(config: unknown, secrets: { [name: string]: string }): Promise<PluginTold> {
    const begun = this.#begin()
    this.#send({ type: 'load', config, secrets })
    return ((await begun) as Extract<FromPlugin, { type: 'loaded' }>).plugin
  }

  /** Asks, and waits for the answer; an abort is passed on, and ends the process when nothing comes of it. */
  call(
    type: 'execute' | 'approve',
    facts: CallFacts,
    signal?: AbortSignal,
    progress?: Call['progress'],
  ): Promise<unknown> {
    if (this.#end !== undefined) return Promise.reject(this.#gone())
    this.#lastId += 1
    const id = this.#lastId
    let timer: ReturnType<typeof setTimeout> | undefined
    const answer = new Promise((resolve, reject) => {
      this.#calls.set(id, { end: resolve, fail: reject, ...(progress && { progress }) })
      this.#send({ type, id, ...facts })
    }).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      this.#calls.delete(id)
      this.#aborted.delete(answer)
      this.#hold(this.#calls.size > 0)
    })
    const onAbort = () => {
      this.#aborted.add(answer)
      this.#send({ type: 'abort', id })
      timer = setTimeout(() => this.#stop('it did not end an aborted call'), graceMs)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#hold(true)
    return answer
  }

  end(): void {
    this.#stop('it was closed')
  }

  #begin(): Promise<FromPlugin> {
    if (this.#end !== undefined) return Promise.reject(this.#gone())
    const timer = setTimeout(() => this.#stop(`it did not answer in ${startMs} ms`), startMs)
    this.#hold(true)
    return new Promise<FromPlugin>((resolve, reject) => {
      this.#begun = { resolve, reject }
    }).finally(() => {
      clearTimeout(timer)
      this.#begun = undefined
      this.#hold(this.#calls.size > 0)
    })
  }

  /** An idle plugin does not keep the program from ending. */
  #hold(isBusy: boolean): void {
    const parts = [this.#child, ...this.#child.stdio] as ({ ref?(): void; unref?(): void } | null)[]
    for (const part of parts) isBusy ? part?.ref?.() : part?.unref?.()
  }

  #hear(message: FromPlugin): void {
    switch (message?.type) {
      case 'facts':
      case 'loaded':
        this.#begun?.resolve(message)
        break
      case 'failed':
        this.#begun?.reject(new DefinitionError(`The plugin could not be loaded: ${message.message}`))
        break
      case 'progress':
        this.#calls.get(message.id)?.progress?.(message.data)
        break
      case 'result':
      case 'approval':
        this.#calls.get(message.id)?.end(message)
        break
      case 'refusal':
        this.#calls.get(message.id)?.fail(new Error(message.message))
        break
      case 'fetch':
        void this.#serve(message.id, (signal) => this.#fetch(message.request, signal))
        break
      case 'run': {
        const { command, args, input } = message
        void this.#serve(message.id, (signal) =>
          this.#host.run(command, args, { signal, ...(input !== undefined && { input }) }),
        )
        break
      }
      case 'cancel':
        this.#outside.get(message.id)?.abort()
        break
      default:
        this.#stop('it sent a message that nobody knows')
    }
  }

  async #serve(id: number, work: (signal: AbortSignal) => Promise<WireResponse | CommandResult>): Promise<void> {
    if (this.#outside.size >= maxOutside) {
      this.#send({ type: 'refusal', id, message: `More than ${maxOutside} fetches and commands at once.` })
      return
    }
    const controller = new AbortController()
    this.#outside.set(id, controller)
    try {
      this.#send({ type: 'answer', id, value: await work(controller.signal) })
    } catch (error) {
      this.#send({ type: 'refusal', id, message: describeError(error) })
    } finally {
      this.#outside.delete(id)
    }
  }

  async #fetch({ url, method, headers, body }: WireRequest, signal: AbortSignal): Promise<WireResponse> {
    const response = await this.#host.fetch(url, {
      method,
      headers,
      signal,
      ...(body !== undefined && { body: Buffer.from(body, 'base64') }),
    })
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > maxBodyBytes)
        throw new Error(`The answer of ${new URL(url).host} has more than ${maxBodyBytes} bytes.`)
      chunks.push(chunk)
    }
    return { status: response.status, headers: [...response.headers], body: Buffer.concat(chunks).toString('base64') }
  }

  #stop(reason: string): void {
    if (this.#end !== undefined) return
    this.#end = reason
    alive.delete(this)
    this.#child.kill('SIGKILL')
    for (const controller of this.#outside.values()) controller.abort()
    for (const { fail } of this.#calls.values()) fail(this.#gone())
    this.#begun?.reject(this.#gone())
  }

  #gone(): Error {
    const words = this.#lastWords.trim()
    return new Error(
      `The plugin's process is gone: ${this.#end}.${words === '' ? '' : ` Its last words: ${words.slice(-300)}`}`,
    )
  }
}

/** A program that ends without closing its plugins takes them along: one that wants to stay heeds no closed pipe. */
const alive = new Set<PluginProcess>()
let isWatched = false

function watch(plugin: PluginProcess): void {
  alive.add(plugin)
  if (isWatched) return
  isWatched = true
  process.once('exit', () => {
    for (const each of alive) each.end()
  })
}
