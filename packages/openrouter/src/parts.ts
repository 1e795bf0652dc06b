/** Content and its parts as they stand on the wire (section 5.1 of the wire contract). */
import type { Content, ContentPart, ToolMessage } from '@clew/core'
import { textOf } from '@clew/core'

/** The text of a tool result whose other parts follow in a message of their own. */
export function withoutMedia(content: Content): string {
  if (typeof content === 'string') return content
  const count = content.filter((part) => part.type !== 'text').length
  const note = `[${count} attachment${count === 1 ? '' : 's'} of this result: see the message behind the results.]`
  return [textOf(content), note].filter((text) => text).join('\n')
}

/** That message. */
export function mediaOf(results: readonly ToolMessage[]): object {
  const parts = results.flatMap(({ name, content }): ContentPart[] => {
    const media = typeof content === 'string' ? [] : content.filter((part) => part.type !== 'text')
    return [{ type: 'text', text: `From the result of the tool "${name}":` }, ...media]
  })
  return { role: 'user', content: parts.map(wirePart) }
}

/** A single text is a text. */
export function wireContent(content: Content): string | object[] {
  if (typeof content === 'string') return content
  const [first] = content
  if (content.length === 1 && first?.type === 'text') return first.text
  return content.map(wirePart)
}

export function wirePart(part: ContentPart): object {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return { type: 'image_url', image_url: { url: part.url, ...(part.detail && { detail: part.detail }) } }
    case 'file':
      return { type: 'file', file: { filename: part.filename, file_data: part.data } }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } }
    case 'video':
      return { type: 'video_url', video_url: { url: part.url } }
  }
}
