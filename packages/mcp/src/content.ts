/** `toContent()` makes of what a server answered what a model can read. Bytes never become text. */
import type { Content, ContentPart, Json, Message } from '@clew/core'

/** What comes from a server is read as it is: nothing of it can be relied on. */
export type Loose = { readonly [key: string]: unknown }

/** What no model reads. The cap on a result's characters does not count pictures, and not how many parts there are. */
const maxParts = 100
const maxMediaChars = 10_000_000

/** The parts of a result, and its structured content where the text does not say the same. */
export function toContent({ content, structuredContent }: Loose): Content | undefined {
  const blocks: unknown[] = Array.isArray(content) ? content : []
  const parts = blocks.slice(0, maxParts).map(toPart)
  if (blocks.length > maxParts) parts.push(text(note(`${blocks.length - maxParts} more parts were left out`)))
  if (structuredContent !== undefined && !parts.some((part) => saysTheSame(part, structuredContent))) {
    parts.push({ type: 'text', text: JSON.stringify(structuredContent) })
  }
  const [first] = parts
  if (first === undefined) return undefined
  return parts.length === 1 && first.type === 'text' ? first.text : parts
}

/** A prompt's messages, as input for an agent. */
export function toMessages(messages: readonly Loose[]): Message[] {
  return messages.map(({ role, content }) => {
    const part = toPart(content)
    const given = part.type === 'text' ? part.text : [part]
    return role === 'assistant' ? { role: 'assistant', content: given } : { role: 'user', content: given }
  })
}

export function toPart(block: unknown): ContentPart {
  const { type, ...rest } = asRecord(block)
  switch (type) {
    case 'text':
      return text(asText(rest.text) ?? note('text that is missing'))
    case 'image':
    case 'audio':
      return toMedia(rest, type)
    case 'resource':
      return toResource(asRecord(rest.resource))
    case 'resource_link':
      return text(note('link', rest.uri, rest.name, rest.mimeType, bytes(rest.size), rest.description))
    default:
      return text(note(`content of unknown type ${JSON.stringify(type) ?? 'none'}`))
  }
}

/** What a resource holds: its text below its address, or its bytes. */
export function toResource(resource: Loose): ContentPart {
  const body = asText(resource.text)
  if (body !== undefined) return text(`${note('resource', resource.uri, resource.mimeType)}\n${body}`)
  return toMedia({ ...resource, data: resource.blob }, 'file', resource.uri)
}

/** Formats that providers take as sound; other sound is told, not sent. */
const sounds: { [mime: string]: string } = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
}
const images = ['image/png', 'image/jpeg', 'image/gif', 'image/webp']

/** By what it is, not by what the server calls it. */
function toMedia({ data, mimeType, name }: Loose, kind: string, uri?: unknown): ContentPart {
  const base64 = asText(data)
  const mime = (asText(mimeType) ?? 'application/octet-stream').toLowerCase().split(';')[0]!.trim()
  if (base64 === undefined || !isBase64(base64)) return text(note(kind, uri, name, mime, 'its data cannot be read'))
  const size = bytes(Math.floor((base64.length * 3) / 4))
  if (base64.length > maxMediaChars) return text(note(kind, uri, name, mime, size, 'too large to be sent'))
  if (images.includes(mime)) return { type: 'image', url: `data:${mime};base64,${base64}` }
  const format = Object.hasOwn(sounds, mime) ? sounds[mime] : undefined
  if (format) return { type: 'audio', data: base64, format }
  if (mime === 'application/pdf') {
    return { type: 'file', filename: fileName(uri), data: `data:${mime};base64,${base64}` }
  }
  return text(note(kind, uri, name, mime, size))
}

function isBase64(data: string): boolean {
  return data !== '' && /^[A-Za-z0-9+/]+={0,2}$/.test(data)
}

function fileName(uri: unknown): string {
  const last = asText(uri)
    ?.split('/')
    .at(-1)
    ?.replace(/[^\w.-]+/g, '_')
  return last ? last.slice(-100) : 'file.pdf'
}

const maxNoteChars = 200

/** `[link: file:///a.txt, a.txt, text/plain, 120 bytes]` */
function note(kind: string, ...facts: unknown[]): string {
  const known = facts.flatMap((fact) => (typeof fact === 'string' && fact !== '' ? [fact.slice(0, maxNoteChars)] : []))
  return `[${[kind, known.join(', ')].filter(Boolean).join(': ').toWellFormed()}]`
}

function bytes(size: unknown): string | undefined {
  return typeof size === 'number' ? `${size} bytes` : undefined
}

function saysTheSame(part: ContentPart, structured: unknown): boolean {
  if (part.type !== 'text') return false
  try {
    return sameJson(JSON.parse(part.text) as Json, structured as Json)
  } catch {
    return false
  }
}

function sameJson(a: Json, b: Json): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}

function text(given: string): ContentPart {
  return { type: 'text', text: given.toWellFormed() }
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function asRecord(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {}
}
