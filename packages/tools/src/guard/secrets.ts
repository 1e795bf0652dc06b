/** `hideSecrets()`: texts without the secrets that a tool holds, however they are written. */
import { DefinitionError } from '@clew/core'

/** Takes the secrets out of a text. */
export type HideSecrets = (text: string) => string

/** A piece of a base64 text that is shorter than this could be anything. */
const leastPiece = 8
const replacement = '[secret]'

/**
 * For tools with keys, around whatever comes back from a server or a library: each secret as it is, percent-encoded (in
 * either case, with `+` for spaces), escaped as in JSON, and in base64 or base64url, also inside a longer text that was
 * encoded as a whole, as `user:password` is for basic authorization.
 * @throws DefinitionError for a secret that is empty; it names no value
 */
export function hideSecrets(secrets: readonly string[]): HideSecrets {
  if (secrets.some((secret) => typeof secret !== 'string' || secret.trim() === '')) {
    throw new DefinitionError('A secret is empty. Give the key or password itself, or none at all.')
  }
  if (secrets.length === 0) return (text) => text
  const forms = [...new Set(secrets.flatMap(formsOf))].toSorted((a, b) => b.length - a.length)
  const pattern = new RegExp(forms.join('|'), 'g')
  return (text) => text.replace(pattern, replacement)
}

/** As patterns. */
function formsOf(secret: string): string[] {
  const encoded = [encodeURIComponent(secret), encodeURIComponent(secret).replaceAll('%20', '+'), everywhere(secret)]
  return [
    literal(secret),
    literal(JSON.stringify(secret).slice(1, -1)),
    ...encoded.map(anyCase),
    ...base64Forms(secret).map(literal),
  ]
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** Also what need not be encoded: some programs write `!` as `%21`. */
function everywhere(secret: string): string {
  return encodeURIComponent(secret).replace(
    /[!'()*~._-]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** `%2F` and `%2f` are the same. */
function anyCase(encoded: string): string {
  return literal(encoded).replace(
    /%([0-9A-F])([0-9A-F])/g,
    (_, ...digits: string[]) =>
      `%${digits
        .slice(0, 2)
        .map((digit) => (/[A-F]/.test(digit) ? `[${digit}${digit.toLowerCase()}]` : digit))
        .join('')}`,
  )
}

/** Three bytes are four characters, so there are three ways in which a secret can stand in an encoded text. */
function base64Forms(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret)
  const pieces = [0, 1, 2].map((before) => {
    const text = toBase64(new Uint8Array([...new Uint8Array(before), ...bytes]))
    // The characters at both edges hold bits of what stands beside it.
    const start = Math.ceil((before * 4) / 3)
    const end = Math.floor(((before + bytes.length) * 4) / 3)
    return text.slice(start, end)
  })
  const whole = toBase64(bytes).replace(/=+$/, '')
  const standard = [...pieces, whole].filter((piece) => piece.length >= leastPiece)
  return standard.flatMap((piece) => [piece, piece.replaceAll('+', '-').replaceAll('/', '_')])
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
