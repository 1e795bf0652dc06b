/** `readHtml` reads a page on a thread of its own, bounded in time and memory: a hostile page can take hours to parse. */
import { Worker } from 'node:worker_threads'
import { DefinitionError } from '@clew/core'
import type { HtmlText } from './parse-html.ts'
import { plainText } from './plain-text.ts'

export type { HtmlText } from './parse-html.ts'

export type ReadHtmlOptions = {
  /** Where it was found: links become absolute. */
  url?: string
  signal?: AbortSignal
  /** Milliseconds to parse it; afterwards its bare words are taken. Default 10,000. */
  timeoutMs?: number
}

/** Characters of HTML that are read, at most. */
export const maxHtmlChars = 2_000_000
/** Levels of elements that the parsers, which call themselves, go down without harm. */
const maxDepth = 250
const maxHeapMb = 256

/** The thread of the last page, kept for the next. It keeps no process alive. */
let idle: Worker | undefined

/**
 * The article of a page. One that is nested too deep, or takes too long, comes as its bare words without title.
 * @throws DefinitionError without the packages `linkedom`, `@mozilla/readability` and `turndown`, and the signal's reason.
 */
export async function readHtml(html: string, options: ReadHtmlOptions = {}): Promise<HtmlText> {
  options.signal?.throwIfAborted()
  const page = html.slice(0, maxHtmlChars)
  const parsed = isTooDeep(page) ? undefined : await parseAside(page, options)
  if (parsed) return parsed
  const text = plainText(page)
  return { title: '', markdown: text, text }
}

function parseAside(html: string, { url, signal, timeoutMs = 10_000 }: ReadHtmlOptions): Promise<HtmlText | undefined> {
  const worker = idle ?? start()
  idle = undefined
  worker.ref()
  return new Promise<HtmlText | undefined>((resolve, reject) => {
    const settle = (keep: boolean, then: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', leave)
      worker.off('message', hear)
      worker.off('error', fail)
      if (keep && !idle) {
        idle = worker
        worker.unref()
      } else {
        void worker.terminate()
      }
      then()
    }
    const leave = () => settle(false, () => reject(signal?.reason))
    const fail = () => settle(false, () => resolve(undefined))
    const hear = ({ done, missing }: { done?: HtmlText; missing?: string }) =>
      settle(true, () => (missing === undefined ? resolve(done) : reject(new DefinitionError(missing))))
    const timer = setTimeout(fail, timeoutMs)
    signal?.addEventListener('abort', leave, { once: true })
    worker.once('error', fail)
    worker.once('message', hear)
    worker.postMessage({ html, url })
  })
}

function start(): Worker {
  // Beside this file: the source as it stands in development, what was built of it elsewhere.
  const name = import.meta.url.endsWith('.ts') ? './html-worker.ts' : './html-worker.js'
  const worker = new Worker(new URL(name, import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    // Pages get nothing of this process to see, were there a way to look.
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

/** Scripts, styles and comments as a whole: tags in them are none. */
const tags = /<(script|style)\b[\s\S]*?(?:<\/\1|$)|<!--[\s\S]*?(?:-->|$)|<(\/?)([a-z][a-z\d-]*)/gi
/** HTML closes these by itself. */
const unnested =
  /^(area|base|br|col|dd|dt|embed|hr|img|input|li|link|meta|option|p|source|tbody|td|tfoot|th|thead|tr|track|wbr)$/i

function isTooDeep(html: string): boolean {
  let depth = 0
  for (const [, , close, name = ''] of html.matchAll(tags)) {
    if (name === '' || unnested.test(name)) continue
    if (close) depth = Math.max(0, depth - 1)
    else if (++depth > maxDepth) return true
  }
  return false
}
