/** `toRemote()` tells of our tools, `toResult()` of what they answered, in the words of MCP. */
import type { Content, ContentPart, Tool, ToolEnd } from '@clew/core'
import type { CallToolResult, ContentBlock, Tool as RemoteTool } from '@modelcontextprotocol/server'

export async function toRemote({ spec, effect }: Tool<never, never>): Promise<RemoteTool> {
  const { name, description, parameters } = await spec()
  return {
    name,
    ...(description !== undefined && { description }),
    inputSchema: parameters as RemoteTool['inputSchema'],
    ...(effect === 'pure' && { annotations: { readOnlyHint: true } }),
    ...(effect === 'idempotent' && { annotations: { idempotentHint: true } }),
  }
}

export function toResult({ content, isError }: Pick<ToolEnd, 'content' | 'isError'>): CallToolResult {
  return { content: toBlocks(content), ...(isError && { isError }) }
}

function toBlocks(content: Content): ContentBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content.map(toBlock)
}

function toBlock(part: ContentPart): ContentBlock {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'audio':
      return { type: 'audio', data: part.data, mimeType: part.format === 'mp3' ? 'audio/mpeg' : `audio/${part.format}` }
    case 'image': {
      const bytes = readDataUrl(part.url)
      if (bytes) return { type: 'image', data: bytes.base64, mimeType: bytes.mimeType }
      return link(part.url, 'image')
    }
    case 'file':
      return toEmbedded(part.data, part.filename)
    case 'video':
      return toEmbedded(part.url, 'video')
  }
}

/** A file is known by its name; one that is an address itself is known by that. */
function toEmbedded(url: string, name: string): ContentBlock {
  const bytes = readDataUrl(url)
  if (!bytes) return link(url, name)
  const { mimeType, base64 } = bytes
  const uri = URL.canParse(name) ? name : `file:///${encodeURIComponent(name)}`
  if (!mimeType.startsWith('text/')) return { type: 'resource', resource: { uri, mimeType, blob: base64 } }
  return { type: 'resource', resource: { uri, mimeType, text: Buffer.from(base64, 'base64').toString('utf8') } }
}

function link(uri: string, name: string): ContentBlock {
  return { type: 'resource_link', uri, name }
}

function readDataUrl(url: string): { mimeType: string; base64: string } | undefined {
  const found = /^data:([^;,]+)(?:;[^;,]+)*;base64,/.exec(url)
  return found ? { mimeType: found[1] as string, base64: url.slice(found[0].length) } : undefined
}
