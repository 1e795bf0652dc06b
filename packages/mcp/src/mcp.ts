/** `mcp()` connects to an MCP server; its tools work as tools of an agent. */
import { pathToFileURL } from 'node:url'
import { type Content, describeError, type Message, type Tool } from '@clew/core'
import type { Client, Prompt, Resource, ResourceTemplateType } from '@modelcontextprotocol/client'
import { checkOptions } from './check-options.ts'
import { cleanText } from './clean.ts'
import { Connection } from './connection.ts'
import { asRecord, toMessages, toResource } from './content.ts'
import { answerElicitations, elicitationCapability } from './elicitation.ts'
import { anyResult, listTools } from './list-tools.ts'
import { legalNames, toPrefix } from './names.ts'
import { type McpOptions, type McpTool, requestTimeoutMs as timeout } from './options.ts'
import { OrderlyClient } from './orderly-client.ts'
import { sampler } from './sampling.ts'
import { toTool } from './to-tool.ts'

/** A connected server. It is connected again by itself where that is safe; `close()` ends it. */
export type McpServer = AsyncDisposable & {
  /** What the server says of itself. */
  readonly info: { readonly name: string; readonly version: string }
  /** How the server wants its tools to be used: a stranger's words. They reach no model unless you put them there. */
  readonly instructions: string | undefined
  /** Its tools as they are now. `tools: () => server.tools()` has an agent see changes at its next run. */
  tools(): Tool[]
  /** Asks for the list anew, without waiting for the server to tell of a change. */
  refresh(): Promise<Tool[]>
  resources(): Promise<Resource[]>
  resourceTemplates(): Promise<ResourceTemplateType[]>
  /** A stranger's words, as parts that a message can have. */
  readResource(uri: string): Promise<Content>
  prompts(): Promise<Prompt[]>
  /** A prompt as input for `agent.run()`: a stranger's words. */
  prompt(name: string, values?: { [name: string]: string }): Promise<Message[]>
  /** Ends the session, the connection and the child process with all that it started. */
  close(): Promise<void>
}

const maxInstructionsChars = 10_000

/**
 * @throws DefinitionError for options that do not fit, Error when the server cannot be reached or does not speak MCP.
 */
export async function mcp(options: McpOptions): Promise<McpServer> {
  checkOptions(options)
  const { name, onWarning = warnProcess } = options
  const sample = options.sampling && sampler(options.sampling)
  const connection = new Connection(options, newClient, () => void noticeChange())
  const warn = (message: string) => onWarning(`MCP server ${connection.where}: ${message}`)
  let tools: Tool[] = []
  let reading: Promise<void> | undefined
  let isStale = false
  let isClosed = false
  let info = { name: '', version: '' }
  let instructions: string | undefined

  function newClient(): Client {
    const client = new OrderlyClient(
      { name: 'clew', version: '0.1.0' },
      {
        capabilities: {
          ...(options.onElicitation && { elicitation: elicitationCapability }),
          ...(sample && { sampling: {} }),
          ...(options.roots && { roots: {} }),
        },
      },
    )
    answerElicitations(client, options)
    sample?.(client)
    if (options.roots) {
      const roots = options.roots.map((folder) => ({ uri: pathToFileURL(folder).href, name: folder }))
      client.setRequestHandler('roots/list', () => ({ roots }))
    }
    client.setNotificationHandler('notifications/tools/list_changed', () => void noticeChange())
    return client
  }

  /** A list that changes while it is read is read once more. */
  async function noticeChange(): Promise<void> {
    isStale = true
    reading ??= readWhileStale().finally(() => {
      reading = undefined
    })
    await reading.catch((error) => {
      if (!isClosed) warn(`the changed list of tools could not be read: ${describeError(error)}`)
    })
  }

  async function readWhileStale(): Promise<void> {
    while (isStale) {
      isStale = false
      // Only where it was told: a server that says so and dies would be started over and over.
      const client = connection.live
      if (!client) return
      take(await listTools(client, warn))
      options.onToolsChanged?.(tools)
    }
  }

  async function read(): Promise<void> {
    take(await connection.use((client) => listTools(client, warn)))
  }

  function take(found: readonly McpTool[]): void {
    const prefix = name ?? toPrefix(info.name)
    const names = legalNames(
      found.map((tool) => tool.name),
      prefix,
    )
    tools = found.flatMap((tool) => quarantined(tool, names.get(tool.name) as string))
  }

  /** One tool that cannot be sent does not take the others along. */
  function quarantined(remote: McpTool, as: string): Tool[] {
    try {
      return [toTool(remote, as, connection, options)]
    } catch (error) {
      warn(`tool ${JSON.stringify(remote.name)} was left out: ${describeError(error)}`)
      return []
    }
  }

  async function introduce(): Promise<void> {
    await connection.use(async (client) => {
      const { name: calledName = '', version = '' } = client.getServerVersion() ?? {}
      info = { name: cleanText(calledName, 100), version: cleanText(version, 100) }
      const words = client.getInstructions()
      instructions = words === undefined ? undefined : cleanText(words, maxInstructionsChars)
    })
    await read()
  }

  async function close(): Promise<void> {
    isClosed = true
    await connection.close()
  }

  try {
    await introduce()
  } catch (error) {
    await close()
    throw error
  }

  return {
    get info() {
      return info
    },
    get instructions() {
      return instructions
    },
    tools: () => [...tools],
    async refresh() {
      await read()
      return [...tools]
    },
    resources: () => connection.use(async (client) => (await client.listResources({}, { timeout })).resources),
    resourceTemplates: () =>
      connection.use(async (client) => (await client.listResourceTemplates({}, { timeout })).resourceTemplates),
    async readResource(uri) {
      const request = { method: 'resources/read', params: { uri } }
      const { contents } = await connection.use((client) => client.request(request, anyResult, { timeout }))
      return Array.isArray(contents) ? contents.map((each) => toResource(asRecord(each))) : []
    },
    prompts: () => connection.use(async (client) => (await client.listPrompts({}, { timeout })).prompts),
    async prompt(named, values = {}) {
      const request = { method: 'prompts/get', params: { name: named, arguments: values } }
      const { messages } = await connection.use((client) => client.request(request, anyResult, { timeout }))
      return toMessages(Array.isArray(messages) ? messages.map(asRecord) : [])
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function warnProcess(message: string): void {
  process.emitWarning(message, 'ClewWarning')
}
