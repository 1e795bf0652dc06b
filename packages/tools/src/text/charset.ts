/** `decodeDocument` turns bytes of a page or file into text, whatever they are encoded in. Never throws. */

/**
 * By byte order mark, else the charset of the content type, else what the document says of itself (`<meta>`, XML), else
 * UTF-8, else Windows-1252: the order of https://html.spec.whatwg.org/#determining-the-character-encoding.
 */
export function decodeDocument(bytes: Uint8Array, contentType = ''): string {
  const told = markOf(bytes) ?? /charset\s*=\s*["']?([\w.:-]+)/i.exec(contentType)?.[1] ?? declared(bytes)
  const decoder = told === undefined ? undefined : decoderFor(told)
  if (decoder) return decoder.decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    // With a charset that nobody knows it is more likely damaged UTF-8 than anything else.
    return new TextDecoder(told === undefined ? 'windows-1252' : 'utf-8').decode(bytes)
  }
}

function markOf(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return undefined
}

/** A document that can be read as ASCII is not in UTF-16, whatever it says. */
function declared(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 1024))
  const name = /<meta[^>]{0,200}charset\s*=\s*["']?([\w.:-]+)|<\?xml[^>]{0,100}encoding\s*=\s*["']([\w.:-]+)/i.exec(
    head,
  )
  const told = name?.[1] ?? name?.[2]
  return told !== undefined && /^utf-?16/i.test(told) ? 'utf-8' : told
}

function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label)
  } catch {
    return undefined
  }
}
