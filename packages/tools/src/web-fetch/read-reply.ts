/** `readReply` makes text of what a server sent, by its type. */
import type { NetworkReply } from '../guard/net/guarded-fetch.ts'
import { NetworkError } from '../guard/net/network-error.ts'
import { type AsideOptions, aside } from '../text/aside.ts'
import { decodeDocument } from '../text/charset.ts'
import { maxHtmlChars, readHtml } from '../text/html.ts'
import { indentedJson } from '../text/json.ts'

export type ReadPage = {
  status: number
  kind: 'HTML' | 'JSON' | 'PDF' | 'Text'
  /** After redirects. */
  url: string
  title?: string
  /** ISO 8601. */
  date?: string
  text: string
  isCut?: boolean
}

export type ReadReplyOptions = { signal: AbortSignal; parseMs?: number }

/** @throws NetworkError `bad-response` for what cannot be read as text */
export async function readReply(reply: NetworkReply, { signal, parseMs }: ReadReplyOptions): Promise<ReadPage> {
  const { status, url, body } = reply
  const contentType = reply.headers.get('content-type') ?? ''
  const kind = kindOf(contentType, body)
  const bounds = { signal, ...(parseMs !== undefined && { timeoutMs: parseMs }) }
  switch (kind) {
    case 'HTML': {
      const html = decodeDocument(body, contentType)
      const { title, markdown, date } = await readHtml(html, { url, ...bounds })
      const isCut = html.length > maxHtmlChars
      return { status, kind, url, title, text: markdown, isCut, ...(date !== undefined && { date }) }
    }
    case 'PDF':
      return { status, kind, url, text: await readPdf(body, bounds) }
    case 'JSON':
      return { status, kind, url, text: withoutControls(indentedJson(decodeDocument(body, contentType))) }
    case 'Text':
      return { status, kind, url, text: withoutControls(decodeDocument(body, contentType)) }
    default:
      throw new NetworkError(
        'bad-response',
        `What stands there is no text but ${known.test(kind) ? kind : 'something else'} of ${body.length} bytes. Look for a page that describes it.`,
      )
  }
}

const known = /^(image|audio|video|font|application)\/[\w.+-]{1,40}$/

/** The type as the server says it, where that says something; else by the first bytes. */
function kindOf(contentType: string, body: Uint8Array): string {
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase()
  const head = Buffer.from(body.subarray(0, 512)).toString('latin1')
  if (head.startsWith('%PDF-') || type === 'application/pdf') return 'PDF'
  if (/^(text\/html|application\/xhtml\+xml)$/.test(type)) return 'HTML'
  if (/[/+]json$/.test(type)) return 'JSON'
  if (/^text\/|[/+](xml|yaml|toml|javascript|ecmascript|x-ndjson|jsonl|sql|graphql|rtf|x-sh)$/.test(type)) return 'Text'
  if (type !== '' && type !== 'application/octet-stream') return type
  if (/^\s*<(!doctype html|html|head|body|!--)/i.test(head)) return 'HTML'
  return head.includes('\0') ? type : 'Text'
}

async function readPdf(pdf: Uint8Array, bounds: AsideOptions): Promise<string> {
  const text = await aside({ pdf }, bounds)
  if (text !== undefined) return withoutControls(text)
  throw new NetworkError('bad-response', 'The PDF there takes too much to read. Look for the same text as a page.')
}

function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '')
}
