/** Parses pages on a thread of its own: see `html.ts`. */
import { parentPort } from 'node:worker_threads'
import { isClewError } from '@clew/core'
import { parseHtml } from './parse-html.ts'

parentPort?.on('message', async ({ html, url }: { html: string; url?: string }) => {
  try {
    parentPort?.postMessage({ done: await parseHtml(html, url) })
  } catch (error) {
    // Without its packages nothing will do; a page that it stumbles over can be read in another way.
    const missing = isClewError(error, 'definition') ? error.message : undefined
    parentPort?.postMessage({ missing })
  }
})
