/**
 * `StdioTransport` runs a server as a child process. The SDK's own does not end the processes that the child started, does
 * not see an exit while a grandchild holds the pipes, and keeps nothing of stderr.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { describeError } from '@clew/core'
import { deserializeMessage, type JSONRPCMessage, serializeMessage, type Transport } from '@modelcontextprotocol/client'
import { getDefaultEnvironment } from '@modelcontextprotocol/client/stdio'
import spawn from 'cross-spawn'
import { maxMessageBytes } from './bounded-fetch.ts'
import { Lines } from './lines.ts'
import type { StdioOptions } from './options.ts'

/** How much of stderr is kept for error messages, in characters. */
const keptWords = 2000
/** How long the child may take to leave when its input is closed, and again when it is told to, in milliseconds. */
const patienceMs = 1000
/** After an exit: for what the child wrote last. A process that it left behind may hold the pipe forever. */
const drainMs = 200

const isWindows = process.platform === 'win32'

export class StdioTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #options: StdioOptions
  readonly #lines = new Lines(maxMessageBytes)
  #child: ChildProcessWithoutNullStreams | undefined
  #exited = Promise.withResolvers<void>()
  #isOver = false
  #words = ''
  /** Why there is no more to come, for people. */
  #ending = ''

  constructor(options: StdioOptions) {
    this.#options = options
  }

  /** @throws when the program cannot be started. */
  start(): Promise<void> {
    const { command, args = [], env, cwd } = this.#options
    return new Promise((resolve, reject) => {
      const child = spawn(command, [...args], {
        ...(cwd !== undefined && { cwd }),
        env: { ...getDefaultEnvironment(), ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
        windowsHide: true,
        // A process group of its own: it ends with all that it started.
        detached: !isWindows,
      }) as ChildProcessWithoutNullStreams
      this.#child = child
      child.once('spawn', () => {
        watch(this)
        resolve()
      })
      child.on('error', (error) => {
        reject(error)
        this.onerror?.(error)
      })
      child.once('exit', (code, signal) => this.#onExit(code, signal))
      child.once('close', () => this.#end())
      for (const stream of [child.stdin, child.stdout, child.stderr]) {
        stream?.on('error', (error: Error) => this.onerror?.(error))
      }
      child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk))
      child.stderr?.setEncoding('utf8')
      child.stderr?.on('data', (text: string) => {
        this.#words = (this.#words + text).slice(-keptWords)
      })
    })
  }

  /** What is known of its end, and what it said last. For error messages: a broken pipe is often noticed before an exit. */
  async lastWords(): Promise<string> {
    await this.#leavesWithin(drainMs)
    const words = this.#words.trim()
    return [this.#ending, words && `Last lines on its stderr:\n${words}`].filter(Boolean).join(' ')
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const input = this.#child?.stdin
    if (!input?.writable || this.#isOver) reject(new Error('The server has ended.'))
    else input.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()))
    return promise
  }

  /** Closes its input, asks it to leave, and ends it with all that it started. */
  async close(): Promise<void> {
    const child = this.#child
    if (child?.pid !== undefined && !this.#isOver) {
      child.stdin.end()
      if (!(await this.#leavesWithin(patienceMs))) {
        this.kill('SIGTERM')
        if (!(await this.#leavesWithin(patienceMs))) this.kill('SIGKILL')
      }
    }
    this.#end()
  }

  /** @internal The child and what it started. */
  kill(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    try {
      if (isWindows) spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' }).on('error', () => {})
      else process.kill(-pid, signal)
    } catch {
      // There is nobody left.
    }
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) this.#receive(line)
    } catch (error) {
      this.#ending = `It was ended: a message was longer than can be read (${describeError(error)}).`
      this.onerror?.(error as Error)
      this.kill('SIGKILL')
    }
  }

  /** Log lines on stdout are a common mistake of servers; what is no message is passed over. */
  #receive(line: string): void {
    let message: JSONRPCMessage
    try {
      message = deserializeMessage(line)
    } catch (error) {
      this.onerror?.(error as Error)
      return
    }
    this.onmessage?.(message)
  }

  #onExit(code: number | null, signal: string | null): void {
    this.#ending ||= `The server ended ${signal ? `by ${signal}` : `with exit code ${code}`}.`
    this.kill('SIGKILL')
    this.#exited.resolve()
    // Once more around the loop: it may have been held up, and what arrived meanwhile is read before.
    setTimeout(() => setImmediate(() => setImmediate(() => this.#end())), drainMs).unref()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    alive.delete(this)
    this.#exited.resolve()
    this.#child?.stdout?.destroy()
    this.#child?.stderr?.destroy()
    this.onclose?.()
  }

  async #leavesWithin(ms: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, ms, false)
    })
    const left = await Promise.race([this.#exited.promise.then(() => true as const), late])
    clearTimeout(timer)
    return left
  }
}

/** A program that ends without closing its servers takes them along. */
const alive = new Set<StdioTransport>()
let isWatched = false

function watch(transport: StdioTransport): void {
  alive.add(transport)
  if (isWatched) return
  isWatched = true
  process.once('exit', () => {
    for (const each of alive) each.kill('SIGKILL')
  })
}
