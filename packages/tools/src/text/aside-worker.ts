/** The thread that `aside.ts` starts. */
import { parentPort } from 'node:worker_threads'
import { isClewError } from '@clew/core'
import type { Done, Job } from './aside.ts'
import { parseHtml } from './parse-html.ts'
import { parsePdf } from './parse-pdf.ts'

parentPort?.on('message', async (job: Job) => {
  let done: Done
  try {
    done = { value: 'pdf' in job ? await parsePdf(job.pdf) : await parseHtml(job.html, job.url) }
  } catch (error) {
    // What is missing, or wrong with the file, is for the caller; all else is a document that the parser stumbles over.
    if (isClewError(error, 'definition')) done = { missing: error.message }
    else if (isClewError(error, 'input')) done = { wrong: error.message }
    else done = {}
  }
  parentPort?.postMessage(done)
})
