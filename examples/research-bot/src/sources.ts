/** From what the user named (folders, files, URLs) to documents. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join, relative } from 'node:path'
import type { Document } from './library.ts'
import { fromHtml, titleOfText, type WebPages } from './web.ts'

const textTypes = new Set(['.md', '.mdx', '.markdown', '.txt', '.text', '.rst', '.html', '.htm', '.xhtml'])
const skippedFolders = new Set(['node_modules', '.git', 'dist', '.turbo'])
const maxFileBytes = 5 * 1024 * 1024

export type Gathered = { documents: Document[]; skipped: { path: string; reason: string }[] }

export class SourceError extends Error {}

/**
 * @throws SourceError when a source does not exist or nothing in all of them can be read. What is left out beside
 * that (binary, empty or very large files) is told in `skipped`.
 */
export async function gather(sources: readonly string[], web: WebPages, signal: AbortSignal): Promise<Gathered> {
  const gathered: Gathered = { documents: [], skipped: [] }
  for (const source of sources) {
    signal.throwIfAborted()
    if (/^https?:\/\//.test(source)) await gatherPage(source, web, signal, gathered)
    else await gatherPath(source, signal, gathered)
  }
  if (gathered.documents.length === 0) {
    const why = gathered.skipped.slice(0, 3).map(({ path, reason }) => `${path} (${reason})`)
    const left = why.length > 0 ? ` Left out: ${why.join(', ')}${gathered.skipped.length > 3 ? ', …' : ''}.` : ''
    throw new SourceError(
      `There is nothing to read in ${sources.join(', ')}. Name folders with Markdown, HTML or text files, or web pages.${left}`,
    )
  }
  return gathered
}

async function gatherPage(url: string, web: WebPages, signal: AbortSignal, gathered: Gathered): Promise<void> {
  if (!URL.canParse(url)) throw new SourceError(`${url} is no URL.`)
  web.allow(url)
  try {
    gathered.documents.push(await web.fetch(url, signal))
  } catch (cause) {
    signal.throwIfAborted()
    const { message, cause: inner } = cause as { message: string; cause?: { message?: string } }
    throw new SourceError(
      `The page ${url} could not be read: ${message}${inner?.message ? ` (${inner.message})` : ''}`,
      { cause },
    )
  }
}

async function gatherPath(path: string, signal: AbortSignal, gathered: Gathered): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new SourceError(`There is no file or folder "${path}".`)
  if (found.isFile()) return gatherFile(path, idOf(path), gathered)
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && textTypes.has(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (file) =>
        !relative(path, file)
          .split(/[/\\]/)
          .some((folder) => skippedFolders.has(folder)),
    )
    .sort()
  for (const file of files) {
    signal.throwIfAborted()
    await gatherFile(file, idOf(file), gathered)
  }
}

async function gatherFile(path: string, id: string, { documents, skipped }: Gathered): Promise<void> {
  const bytes = await readFile(path)
  if (bytes.length > maxFileBytes) skipped.push({ path, reason: 'larger than 5 MB' })
  else if (bytes.subarray(0, 8192).includes(0)) skipped.push({ path, reason: 'binary' })
  else {
    const text = new TextDecoder().decode(bytes)
    if (text.trim() === '') skipped.push({ path, reason: 'empty' })
    else if (/\.x?html?$/i.test(path)) documents.push(fromHtml(id, text))
    else documents.push({ id, title: titleOfText(text) ?? basename(path), text })
  }
}

/** Short where that is possible, and the same on every machine. Packages in node_modules go by their name. */
function idOf(path: string): string {
  const shown = relative(process.cwd(), path).replaceAll('\\', '/') || path
  return shown.replace(/^.*node_modules\//, '')
}
