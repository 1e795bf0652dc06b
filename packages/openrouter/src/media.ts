/** Images, files, audio and video: checked before they are sent (sections 5.1 and 13 of the wire contract). */
import type { Content, ContentPart } from '@clew/core'
import { InputError } from '@clew/core'

/** The card's words for kinds of input. A file goes to every model: OpenRouter's parser makes text of it. */
export type Modality = 'image' | 'audio' | 'video'

/** Bytes that an image in a data URL may have. Hosts refuse larger ones. */
const maxImageBytes = 10 * 2 ** 20
const imageTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif']
const audioFormats = ['wav', 'mp3', 'aiff', 'aac', 'ogg', 'flac', 'm4a', 'pcm16', 'pcm24']
const videoTypes = ['video/mp4', 'video/mpeg', 'video/mov', 'video/quicktime', 'video/webm']

/**
 * @param takes the kinds of input that the model is known to take, or undefined when nothing is known of it
 * @throws InputError naming the message, the part, what is wrong and what to do
 */
export function checkMedia(
  content: Content,
  where: string,
  { model, takes }: { model: string; takes: readonly string[] | undefined },
): void {
  if (typeof content === 'string') return
  for (const [index, part] of content.entries()) {
    const problem = problemOf(part)
    if (problem) throw new InputError(`${where}: part ${index} ${problem}`)
    const kind = part.type === 'text' || part.type === 'file' ? undefined : part.type
    if (kind && takes && !takes.includes(kind)) {
      throw new InputError(
        `${where}: part ${index} is ${kind}, but ${model} takes ${takes.join(', ')} only. Choose another model, or leave it out.`,
      )
    }
  }
}

function problemOf(part: ContentPart): string | undefined {
  switch (part.type) {
    case 'text':
      return undefined
    case 'image':
      return problemOfURL(part.url, imageTypes, 'an image') ?? problemOfSize(part.url)
    case 'video':
      return problemOfURL(part.url, videoTypes, 'a video')
    case 'file':
      return problemOfURL(part.data, undefined, 'a file')
    case 'audio':
      return problemOfAudio(part.data, part.format)
  }
}

function problemOfURL(url: string, types: string[] | undefined, what: string): string | undefined {
  if (/^https?:\/\/\S+$/i.test(url)) return undefined
  const type = /^data:([^;,]+)[^,]*;base64,/i.exec(url)?.[1]?.toLowerCase()
  if (type === undefined) {
    return `is ${what} whose address is ${JSON.stringify(url.slice(0, 60))}; give an https URL, or a data URL in base64.`
  }
  if (url.length === url.indexOf(',') + 1) return `is ${what} without a single byte.`
  if (types && !types.includes(type)) return `is ${what} of the type ${type}; models take ${types.join(', ')}.`
  return undefined
}

function problemOfSize(url: string): string | undefined {
  if (!url.startsWith('data:')) return undefined
  const bytes = Math.floor(((url.length - url.indexOf(',') - 1) * 3) / 4)
  if (bytes <= maxImageBytes) return undefined
  return `is an image of ${(bytes / 2 ** 20).toFixed(1)} MiB; hosts take up to ${maxImageBytes / 2 ** 20} MiB. Make it smaller.`
}

function problemOfAudio(data: string, format: string): string | undefined {
  if (/^(https?|data):/i.test(data)) return 'is audio by URL; give its bytes as base64, without "data:…".'
  if (data === '') return 'is audio without a single byte.'
  if (audioFormats.includes(format)) return undefined
  return `is audio of the format ${JSON.stringify(format)}; known are ${audioFormats.join(', ')}.`
}
