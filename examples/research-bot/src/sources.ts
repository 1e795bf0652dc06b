/** From what the user named (folders, files, URLs) to documents. */
import { relative } from 'node:path'
import type { Documents } from '@clew/tools'
import { isClewError } from 'clew'
import type { WebPages } from './web.ts'

export type LeftOut = { path: string; reason: string }[]

export class SourceError extends Error {}

/**
 * @returns what was left out: binary, empty or very large files
 * @throws SourceError when a source does not exist or nothing in all of them can be read
 */
export async function gather(
  sources: readonly string[],
  library: Documents,
  web: WebPages,
  signal: AbortSignal,
): Promise<LeftOut> {
  const leftOut: LeftOut = []
  for (const source of sources) {
    signal.throwIfAborted()
    if (/^https?:\/\//.test(source)) await gatherPage(source, library, web, signal)
    else leftOut.push(...(await gatherFiles(source, library, signal)))
  }
  if (library.size > 0) return leftOut
  const why = leftOut.slice(0, 3).map(({ path, reason }) => `${path} (${reason})`)
  const left = why.length > 0 ? ` Left out: ${why.join(', ')}${leftOut.length > 3 ? ', …' : ''}.` : ''
  throw new SourceError(
    `There is nothing to read in ${sources.join(', ')}. Name folders with Markdown, HTML, PDF or text files, or web pages.${left}`,
  )
}

async function gatherPage(url: string, library: Documents, web: WebPages, signal: AbortSignal): Promise<void> {
  if (!URL.canParse(url)) throw new SourceError(`${url} is no URL.`)
  web.allow(url)
  try {
    library.add([await web.fetch(url, signal)])
  } catch (cause) {
    signal.throwIfAborted()
    throw new SourceError(`The page ${url} could not be read: ${(cause as Error).message}`, { cause })
  }
}

async function gatherFiles(path: string, library: Documents, signal: AbortSignal): Promise<LeftOut> {
  try {
    const { skipped } = await library.index([path], { signal })
    return skipped.map((file) => ({ ...file, path: shownPath(file.path) }))
  } catch (cause) {
    if (!isClewError(cause, 'input')) throw cause
    throw new SourceError(cause.message, { cause })
  }
}

/** Short where that is possible, and the same on every machine. Packages in node_modules go by their name. */
export function shownPath(path: string): string {
  const shown = relative(process.cwd(), path).replaceAll('\\', '/') || path
  return shown.replace(/^.*node_modules\//, '')
}
