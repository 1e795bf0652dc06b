/** `listTools()` reads all pages of a server's tools, one by one: a tool that cannot be read does not take the others along. */
import { isTooDeep } from '@clew/core'
import type { Client, StandardSchemaV1 } from '@modelcontextprotocol/client'
import { cleanSchema, cleanText } from './clean.ts'
import { asRecord, asText, type Loose } from './content.ts'
import { type McpTool, requestTimeoutMs as timeout } from './options.ts'

/** A server whose pages never end is cut off here. */
const maxPages = 100
const maxTools = 1000
/** Longer than every honest one that was seen (7,000), shorter than a second system prompt. */
const maxDescriptionChars = 10_000
const maxSchemaChars = 100_000

/** Any result: the SDK's own schemas refuse a whole answer for one bad entry in it. */
export const anyResult: StandardSchemaV1<unknown, Loose> = {
  '~standard': { version: 1, vendor: 'clew', validate: (value) => ({ value: asRecord(value) }) },
}

export async function listTools(client: Client, warn: (message: string) => void): Promise<McpTool[]> {
  if (!client.getServerCapabilities()?.tools) return []
  const tools = new Map<string, McpTool>()
  const cursors = new Set<string>()
  let cursor: string | undefined
  do {
    const params = cursor === undefined ? {} : { cursor }
    const page: Loose = await client.request({ method: 'tools/list', params }, anyResult, { timeout })
    for (const given of Array.isArray(page.tools) ? page.tools : []) {
      const tool = readTool(asRecord(given))
      if (typeof tool === 'string') warn(tool)
      else if (tools.has(tool.name)) warn(`Tool ${JSON.stringify(tool.name)} is listed twice; the first one is used.`)
      else tools.set(tool.name, tool)
    }
    cursor = asText(page.nextCursor)
    if (cursor !== undefined && cursors.has(cursor)) {
      warn(`The list of tools goes round in a circle; ${tools.size} were read.`)
      break
    }
    if (cursor !== undefined) cursors.add(cursor)
  } while (cursor !== undefined && cursors.size < maxPages && tools.size < maxTools)
  if (cursors.size >= maxPages || tools.size > maxTools) {
    warn(`The list of tools is too long; the first ${Math.min(tools.size, maxTools)} are used.`)
  }
  return [...tools.values()].slice(0, maxTools)
}

/** The tool, or why it cannot be used. */
function readTool(given: Loose): McpTool | string {
  const name = asText(given.name)
  if (name === undefined || name === '' || name.length > 500) {
    return `A tool without a usable name was left out: ${JSON.stringify(given.name)?.slice(0, 100) ?? 'none'}.`
  }
  const { inputSchema } = given
  const leftOut = (why: string) => `Tool ${JSON.stringify(name)} was left out: ${why}`
  if (Object.keys(asRecord(inputSchema)).length === 0 && !isRecord(inputSchema))
    return leftOut('it has no inputSchema.')
  if (isTooDeep(inputSchema, 100)) return leftOut('its inputSchema has more than 100 levels.')
  if (JSON.stringify(inputSchema).length > maxSchemaChars) {
    return leftOut(`its inputSchema has more than ${maxSchemaChars} characters.`)
  }
  const title = asText(given.title)
  return {
    name,
    ...(title !== undefined && { title: cleanText(title, 200) }),
    description: cleanText(asText(given.description) ?? '', maxDescriptionChars),
    inputSchema: cleanSchema(inputSchema, maxDescriptionChars) as McpTool['inputSchema'],
    annotations: asRecord(given.annotations) as McpTool['annotations'],
    ...(asRecord(given.execution).taskSupport === 'required' && { isTask: true as const }),
  }
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
