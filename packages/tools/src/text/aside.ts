/** `aside` parses a document on a thread of its own, bounded in time and memory: a hostile one can take hours, or gigabytes. */
import { Worker } from 'node:worker_threads'
import { DefinitionError, InputError } from '@clew/core'
import type { HtmlText } from './parse-html.ts'

export type Job = { html: string; url?: string } | { pdf: Uint8Array }
export type Done = { value?: HtmlText | string; missing?: string; wrong?: string }

export type AsideOptions = {
  signal?: AbortSignal
  /** Milliseconds. Default 10,000. */
  timeoutMs?: number
  /** Bytes by which the whole process may grow meanwhile. Default 512 MiB. */
  maxGrowth?: number
}

const maxHeapMb = 256
/** Buffers do not count as heap of the thread, so what the process takes is looked at this often. */
const watchMs = 50

/** The thread of the last job, kept for the next. It keeps no process alive. */
let idle: Worker | undefined

/**
 * What the parser made of it, or undefined when it gave up: too slow, too large, or stumbled.
 * @throws DefinitionError for a missing package, InputError for a file that is broken, and the signal's reason.
 */
export function aside(job: { html: string; url?: string }, options?: AsideOptions): Promise<HtmlText | undefined>
export function aside(job: { pdf: Uint8Array }, options?: AsideOptions): Promise<string | undefined>
export async function aside(
  job: Job,
  { signal, timeoutMs = 10_000, maxGrowth = 2 ** 29 }: AsideOptions = {},
): Promise<HtmlText | string | undefined> {
  signal?.throwIfAborted()
  const worker = idle ?? start()
  idle = undefined
  worker.ref()
  const most = process.memoryUsage.rss() + maxGrowth
  return new Promise((resolve, reject) => {
    const settle = (keep: boolean, then: () => void) => {
      clearTimeout(timer)
      clearInterval(watch)
      signal?.removeEventListener('abort', leave)
      worker.off('message', hear)
      worker.off('error', giveUp)
      if (keep && !idle) {
        idle = worker
        worker.unref()
      } else {
        void worker.terminate()
      }
      then()
    }
    const leave = () => settle(false, () => reject(signal?.reason))
    const giveUp = () => settle(false, () => resolve(undefined))
    const hear = ({ value, missing, wrong }: Done) =>
      settle(true, () => {
        if (missing !== undefined) reject(new DefinitionError(missing))
        else if (wrong !== undefined) reject(new InputError(wrong))
        else resolve(value)
      })
    const timer = setTimeout(giveUp, timeoutMs)
    const watch = setInterval(() => process.memoryUsage.rss() > most && giveUp(), watchMs)
    signal?.addEventListener('abort', leave, { once: true })
    worker.once('error', giveUp)
    worker.once('message', hear)
    worker.postMessage(job)
  })
}

function start(): Worker {
  // Beside this file: the source as it stands in development, what was built of it elsewhere.
  const name = import.meta.url.endsWith('.ts') ? './aside-worker.ts' : './aside-worker.js'
  const worker = new Worker(new URL(name, import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    // Documents get nothing of this process to see, were there a way to look.
    env: {},
    execArgv: [],
  })
  // One that fails while nobody waits for it is not missed.
  worker.on('error', () => undefined)
  worker.on('exit', () => {
    if (idle === worker) idle = undefined
  })
  return worker
}
