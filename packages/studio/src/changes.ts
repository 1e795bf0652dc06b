/** `Changes` tells open pages which traces changed: one look at the store for all of them, and none while no page is open. */
import type { ServerResponse } from 'node:http'
import type { Traces } from '@clew/tracing'
import { headers } from './guard.ts'

/** Between two looks. A page that asks again sooner shows nothing that an eye could follow. */
const everyMs = 250

export class Changes {
  readonly #traces: Traces
  readonly #open = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined
  #at = 0

  constructor(traces: Traces) {
    this.#traces = traces
  }

  open(response: ServerResponse): void {
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' })
    // What happened since the page read its lists is not lost: it reads them again when the stream opens.
    response.write('event: open\ndata: {}\n\n')
    if (this.#open.size === 0) this.#start()
    this.#open.add(response)
    response.once('close', () => {
      this.#open.delete(response)
      if (this.#open.size === 0) clearInterval(this.#timer)
    })
  }

  close(): void {
    clearInterval(this.#timer)
    for (const response of this.#open) response.end()
  }

  #start(): void {
    this.#at = this.#traces.changes().at
    this.#timer = setInterval(() => this.#look(), everyMs)
  }

  #look(): void {
    const { at, spans } = this.#changes()
    this.#at = at
    const traces = [...new Set(spans.map(({ traceId }) => traceId))]
    if (traces.length === 0) return
    for (const response of this.#open) response.write(`event: change\ndata: ${JSON.stringify({ traces })}\n\n`)
  }

  /** A store that is written to by another process can be busy; the next look tells what this one could not. */
  #changes(): ReturnType<Traces['changes']> {
    try {
      return this.#traces.changes(this.#at)
    } catch {
      return { at: this.#at, spans: [] }
    }
  }
}
