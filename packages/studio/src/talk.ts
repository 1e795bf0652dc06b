/** `Talks` lets the page talk to agents: each talk is a session in the memory of this process, and ends with it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type Agent,
  type Answers,
  type Content,
  describeError,
  memorySession,
  type Run,
  type RunEvent,
  type RunResult,
  type Session,
} from '@clew/core'
import { headers } from './guard.ts'
import type { TalkLine } from './wire.ts'

/** What the page sends: words and images, or answers to what an agent needs. */
type Asked = { agent: string; talk: string; input?: Content; answers?: Answers }

/** A picture of a camera is some megabytes, and a third more as text. */
const maxBytes = 30 * 2 ** 20

export class Talks {
  readonly #agents: Map<string, Agent>
  readonly #sessions = new Map<string, Session>()

  constructor(agents: readonly Agent[]) {
    this.#agents = new Map(agents.map((agent) => [agent.name, agent]))
  }

  get names(): string[] {
    return [...this.#agents.keys()]
  }

  /** Answers with a line for each event. Whoever leaves cancels the run. */
  async open(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const write = (line: TalkLine) => void response.write(`${JSON.stringify(line)}\n`)
    const leaving = new AbortController()
    response.once('close', () => leaving.abort())
    response.writeHead(200, { ...headers, 'content-type': 'application/x-ndjson' })
    try {
      const run = this.#begin(await read(request), leaving.signal)
      for await (const event of run as AsyncIterable<RunEvent>) write(event)
      const result = await run.result()
      write({ type: 'talk-end', status: result.status, needs: result.needs ?? [] })
    } catch (error) {
      if (!leaving.signal.aborted) write({ type: 'talk-failed', error: describeError(error) })
    }
    response.end()
  }

  #begin({ agent: name, talk, input, answers }: Asked, signal: AbortSignal): Run<RunResult<unknown>> {
    const agent = this.#agents.get(name)
    if (!agent) throw new Error(`There is no agent ${JSON.stringify(name)} here.`)
    const session = this.#sessions.get(talk) ?? memorySession(talk)
    this.#sessions.set(talk, session)
    if (answers) return agent.resume(session, answers, { signal })
    return agent.run(typeof input === 'string' ? input : [{ role: 'user', content: input ?? '' }], { session, signal })
  }
}

/** What is wrong in it, core tells. */
async function read(request: IncomingMessage): Promise<Asked> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > maxBytes) throw new Error('This is too much for one message: 20 MB of images and files are the most.')
    pieces.push(piece)
  }
  return JSON.parse(Buffer.concat(pieces).toString('utf8')) as Asked
}
