/** Images as content parts. */
import type { ImagePart } from '@clew/core'
import { InputError } from '@clew/core'

/** First bytes of the formats that models take (section 13 of the wire contract). */
const signatures: [mediaType: string, bytes: number[], offset: number][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47], 0],
  ['image/jpeg', [0xff, 0xd8, 0xff], 0],
  ['image/gif', [0x47, 0x49, 0x46, 0x38], 0],
  ['image/webp', [0x57, 0x45, 0x42, 0x50], 8],
]

/**
 * An image for a message or a tool's result: an https or data URL as it is, unchecked; bytes, a Blob, a `file:` URL or a
 * path to a file as a data URL. The kind of image is told by its bytes, not by its name.
 * @throws InputError for what is no png, jpeg, gif or webp, and for a file that cannot be read.
 */
export async function image(
  source: string | URL | Uint8Array | ArrayBuffer | Blob,
  options: { detail?: ImagePart['detail'] } = {},
): Promise<ImagePart> {
  const detail = options.detail ? { detail: options.detail } : {}
  if (typeof source === 'string' && /^(https?:|data:image\/)/.test(source))
    return { type: 'image', url: source, ...detail }
  if (source instanceof URL && source.protocol.startsWith('http')) return { type: 'image', url: source.href, ...detail }
  const bytes = await bytesOf(source)
  const shown =
    typeof source === 'string' || source instanceof URL ? `"${source}"` : `An image of ${bytes.length} bytes`
  const mediaType = signatures.find(([, expected, offset]) =>
    expected.every((byte, at) => bytes[offset + at] === byte),
  )?.[0]
  if (!mediaType) throw new InputError(`${shown} is not png, jpeg, gif or webp. Convert it, or send it as a file part.`)
  return { type: 'image', url: `data:${mediaType};base64,${toBase64(bytes)}`, ...detail }
}

async function bytesOf(source: string | URL | Uint8Array | ArrayBuffer | Blob): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer())
  try {
    const { readFile } = await import('node:fs/promises')
    return await readFile(typeof source === 'string' && source.startsWith('file:') ? new URL(source) : source)
  } catch (cause) {
    throw new InputError(`The image "${source}" could not be read: ${(cause as Error).message}`, { cause })
  }
}

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(binary)
}
