/**
 * `Connection` holds the one live line to a server and makes a new one when it is gone: after a restart of the server, an
 * exit of the child, or when the person has authorised.
 */
import { describeError, InputError } from '@clew/core'
import { type Client, SdkError, SdkErrorCode, UnauthorizedError } from '@modelcontextprotocol/client'
import { HttpTransport, httpTransport, isSessionGone } from './http.ts'
import { type McpOptions, requestTimeoutMs } from './options.ts'
import { StdioTransport } from './stdio.ts'

/** One initialized line. */
type Line = { client: Client; transport: StdioTransport | HttpTransport; users: number; isLeft: boolean }

/** How long the server may take to hear that we leave, in milliseconds. */
const goodbyeMs = 1000
const maxErrorChars = 1000

export class Connection {
  readonly #options: McpOptions
  readonly #newClient: () => Client
  readonly #onLine: () => void
  /** All that are not closed: the one in use, one that gets ready, those that somebody still waits on. */
  readonly #open = new Set<Line>()
  #line: Promise<Line> | undefined
  /** The line in use, once it is there. */
  #current: Line | undefined
  #hadLine = false
  #isClosed = false

  /** `newClient` makes one for each line; `onLine` hears of every line but the first. */
  constructor(options: McpOptions, newClient: () => Client, onLine: () => void) {
    this.#options = options
    this.#newClient = newClient
    this.#onLine = onLine
  }

  /** Where it leads to, for people. */
  get where(): string {
    const options = this.#options
    return 'url' in options ? String(options.url) : [options.command, ...(options.args ?? [])].join(' ')
  }

  /** The client of the line in use, if there is one now. */
  get live(): Client | undefined {
    return this.#current?.client
  }

  /**
   * Does `work` with a live client. It is done once more, on a new line, only where the server has refused it unread: it
   * does not know the session any more, or wants authorisation first.
   */
  async use<Value>(work: (client: Client) => Promise<Value>, isAgain = false): Promise<Value> {
    const line = await this.#getLine()
    line.users += 1
    try {
      return await work(line.client)
    } catch (error) {
      if (!isAgain && isSessionGone(error, line.transport)) this.#leave(line)
      else if (!isAgain && (await this.#authorise(error, line))) this.#leave(line)
      else throw await this.#explain(error, line)
    } finally {
      line.users -= 1
      if (line.isLeft && line.users === 0) void line.client.close().catch(() => {})
    }
    return this.use(work, true)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#line = undefined
    await Promise.all([...this.#open].map((line) => this.#end(line)))
  }

  async #end({ transport, client, isLeft }: Line): Promise<void> {
    if (transport instanceof HttpTransport && !isLeft) await within(goodbyeMs, transport.terminateSession())
    await client.close().catch(() => {})
  }

  async #getLine(): Promise<Line> {
    if (this.#isClosed) throw new InputError(`The connection to ${this.where} was closed. Call mcp() for a new one.`)
    this.#line ??= this.#connect()
    const line = this.#line
    try {
      return await line
    } catch (error) {
      if (this.#line === line) this.#line = undefined
      throw error
    }
  }

  async #connect(isAgain = false): Promise<Line> {
    const options = this.#options
    const transport = 'url' in options ? httpTransport(options) : new StdioTransport(options)
    const client = this.#newClient()
    const line: Line = { client, transport, users: 0, isLeft: false }
    this.#open.add(line)
    client.onclose = () => {
      this.#open.delete(line)
      this.#leave(line)
    }
    try {
      await client.connect(transport, { timeout: requestTimeoutMs })
      if (line.isLeft) throw new Error('it was closed as soon as it was there')
    } catch (error) {
      await transport.close().catch(() => {})
      this.#open.delete(line)
      if (!isAgain && (await this.#authorise(error, line))) return this.#connect(true)
      throw await this.#explain(error, line)
    }
    this.#current = line
    if (this.#hadLine) this.#onLine()
    this.#hadLine = true
    return line
  }

  /** The next work gets a new line; this one stays open for those who still wait on it. */
  #leave(line: Line): void {
    line.isLeft = true
    if (this.#current !== line) return
    this.#current = undefined
    this.#line = undefined
  }

  /** True when the person has authorised and it can be tried again. */
  async #authorise(error: unknown, { transport }: Line): Promise<boolean> {
    const { waitForAuthorization } = this.#options as { waitForAuthorization?: () => Promise<URLSearchParams> }
    if (!(error instanceof UnauthorizedError && waitForAuthorization && transport instanceof HttpTransport))
      return false
    await transport.finishAuth(await waitForAuthorization())
    return true
  }

  async #explain(error: unknown, { transport }: Line): Promise<Error> {
    const text = this.#inWords(error, transport).slice(0, maxErrorChars).toWellFormed()
    const words = isBroken(error) ? await transport.lastWords() : ''
    return new Error(words === '' ? text : `${text} ${words}`, { cause: error })
  }

  #inWords(error: unknown, transport: Line['transport']): string {
    if (error instanceof UnauthorizedError) {
      return `The MCP server ${this.where} wants authorisation. Give mcp() an authProvider, and waitForAuthorization where a person has to agree.`
    }
    if (isSessionGone(error, transport))
      return `The MCP server ${this.where} does not know a session that it has just given.`
    if (isBroken(error)) return `The connection to the MCP server ${this.where} failed: ${withCause(error)}.`
    return describeError(error)
  }
}

/** True for what is of the line, not of the request. */
function isBroken(error: unknown): boolean {
  const ofRequests: string[] = [SdkErrorCode.RequestTimeout, SdkErrorCode.InvalidResult]
  if (error instanceof SdkError) return !ofRequests.includes(error.code)
  return error instanceof Error && !('code' in error && typeof error.code === 'number')
}

/** `fetch failed` alone says nothing. */
function withCause(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  return cause === undefined ? describeError(error) : `${describeError(error)} (${describeError(cause)})`
}

async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise.catch(() => {}), late])
  clearTimeout(timer)
}
