/** `withoutLinks` gives what a plugin's process showed, without what others would have to fetch for it. */
import { type Answer, type Content, type ContentPart, respond } from '@clew/core'

/**
 * The address of a picture is fetched by the provider of the model: it would carry away what the process itself cannot.
 * `shown` comes from there, so it can be anything.
 */
export function withoutLinks(shown: unknown): Content {
  const { content } = respond(shown) as Extract<Answer, { type: 'respond' }>
  return typeof content === 'string' ? content : content.map(inside)
}

function inside(part: ContentPart): ContentPart {
  if (part.type === 'text' || part.type === 'audio') return part
  const source = part.type === 'file' ? part.data : part.url
  if (source.startsWith('data:')) return part
  return { type: 'text', text: `[${part.type} left out: it has an address in the place of its bytes.]` }
}
