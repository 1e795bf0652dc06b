/** `decodeText` reads bytes as text, `encodeText` writes it as it was. */

export type Decoded = {
  text: string
  encoding: 'utf-8' | 'utf-16le' | 'utf-16be'
  hasMark: boolean
  /** False when something in it could not be read: "�" stands there, and to write the text back would lose it. */
  isExact: boolean
}

/** @returns nothing for what is no text. UTF-16 is known by its byte order mark. */
export function decodeText(bytes: Uint8Array): Decoded | undefined {
  const [a, b, c] = bytes
  if (a === 0xff && b === 0xfe) return decodeAs('utf-16le', bytes, true)
  if (a === 0xfe && b === 0xff) return decodeAs('utf-16be', bytes, true)
  if (bytes.subarray(0, 8000).includes(0)) return undefined
  const decoded = decodeAs('utf-8', bytes, a === 0xef && b === 0xbb && c === 0xbf)
  if (decoded.isExact) return decoded
  const lost = decoded.text.slice(0, 8000).split('\ufffd').length - 1
  return lost > Math.min(decoded.text.length, 8000) / 10 ? undefined : decoded
}

function decodeAs(encoding: Decoded['encoding'], bytes: Uint8Array, hasMark: boolean): Decoded {
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding, hasMark, isExact: true }
  } catch {
    return { text: new TextDecoder(encoding).decode(bytes), encoding, hasMark, isExact: false }
  }
}

export function encodeText(text: string, { encoding, hasMark }: Pick<Decoded, 'encoding' | 'hasMark'>): Uint8Array {
  const whole = hasMark ? `\ufeff${text}` : text
  if (encoding === 'utf-8') return Buffer.from(whole)
  const bytes = Buffer.from(whole, 'utf16le')
  return encoding === 'utf-16be' ? bytes.swap16() : bytes
}

/** Where half a character stands, which no encoding can write; -1 where none does. */
export function halfCharacter(text: string): number {
  return text.isWellFormed() ? -1 : text.search(/\p{Surrogate}/u)
}
