/** `toTool()` makes one of a server's tools one of ours. */
import { type Tool, tool } from '@clew/core'
import { callRemote } from './call.ts'
import type { Connection } from './connection.ts'
import type { McpOptions, McpTool } from './options.ts'

/** @throws DefinitionError when its schema cannot be sent. */
export function toTool(remote: McpTool, name: string, connection: Connection, options: McpOptions): Tool {
  const { effect = 'once', needsApproval, maxResultChars } = options.perTool?.(remote) ?? {}
  return tool({
    name,
    ...(remote.description !== '' && { description: remote.description }),
    input: remote.inputSchema,
    effect,
    untrusted: true,
    sends: true,
    ...(needsApproval !== undefined && { needsApproval }),
    ...(maxResultChars !== undefined && { maxResultChars }),
    execute: (input, execution) => callRemote(connection, options, remote, input, execution),
  }) as Tool
}
