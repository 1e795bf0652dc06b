/** What a file holds, as text: Markdown, HTML, PDF, and all that is text anyway. */
import { readFile, stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { describeError } from '@clew/core'
import { decodeDocument } from '../text/charset.ts'
import { readHtml } from '../text/html.ts'
import { pdfText } from '../text/pdf.ts'

export type SourceText = { title: string; text: string }

const maxBytes = { text: 5_000_000, pdf: 50_000_000 }

const kinds: { [extension: string]: 'text' | 'html' | 'pdf' } = {
  '.md': 'text',
  '.mdx': 'text',
  '.markdown': 'text',
  '.txt': 'text',
  '.text': 'text',
  '.rst': 'text',
  '.html': 'html',
  '.htm': 'html',
  '.xhtml': 'html',
  '.pdf': 'pdf',
}

/** True for files that a folder of documents is looked through for. One that is named itself is read whatever it is called. */
export function isDocument(path: string): boolean {
  return extname(path).toLowerCase() in kinds
}

/** The text of a file, or why it has none that can be read. */
export async function readSource(path: string, signal?: AbortSignal): Promise<SourceText | { problem: string }> {
  const kind = kinds[extname(path).toLowerCase()] ?? 'text'
  const { size } = await stat(path)
  const most = kind === 'pdf' ? maxBytes.pdf : maxBytes.text
  if (size > most) return { problem: `larger than ${most / 1_000_000} MB` }
  const bytes = await readFile(path, { signal })
  if (kind !== 'pdf' && isBinary(bytes)) return { problem: 'binary' }
  const name = basename(path)
  try {
    const { title, text } = await textOf(kind, bytes, signal)
    return text.trim() === '' ? { problem: 'empty' } : { title: title || name, text }
  } catch (error) {
    signal?.throwIfAborted()
    return { problem: describeError(error) }
  }
}

async function textOf(kind: 'text' | 'html' | 'pdf', bytes: Uint8Array, signal?: AbortSignal): Promise<SourceText> {
  if (kind === 'pdf') return { title: '', text: await pdfText(bytes, signal) }
  const text = decodeDocument(bytes)
  if (kind === 'text') return { title: titleOfText(text), text }
  const { title, markdown } = await readHtml(text, { ...(signal && { signal }) })
  return { title, text: markdown }
}

/** UTF-16 has zeros too, and begins with a mark. */
function isBinary(bytes: Uint8Array): boolean {
  const hasMark = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  return !hasMark && bytes.subarray(0, 8192).includes(0)
}

/** The first heading of a Markdown text. */
export function titleOfText(text: string): string {
  const heading = /^#{1,3}[ \t]+(\S[^\n]{0,300})$/m.exec(text.slice(0, 20_000))?.[1] ?? ''
  return heading
    .replace(/[ \t]#+[ \t]*$/, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`]|<[^>]*>/g, '')
    .trim()
}
