/** `answerCall()` runs what a client calls, through the one door of core, and tells of progress on the way. */
import { callTool, describeError, type Json, type RunEvent, type Tool, type ToolWait } from '@clew/core'
import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server'
import { askPerson } from './ask-person.ts'
import { toResult } from './to-remote.ts'

type Served = { tools: readonly Tool<never, never>[]; caller: string; context: unknown }

export async function answerCall(
  params: { name: string; arguments?: { [key: string]: unknown } | undefined },
  call: ServerContext,
  { tools, caller, context }: Served,
): Promise<CallToolResult> {
  const { signal, _meta } = call.mcpReq
  const tell = progressTeller(_meta?.progressToken, call)
  const policy = askPerson(call)
  const given = { name: params.name, arguments: (params.arguments ?? {}) as Json }
  try {
    const running = callTool(tools, given, { caller, context, signal, policy })
    for (;;) {
      const next = await running.next()
      if (!next.done) await tell(next.value)
      else if (next.value.type === 'tool-end') return toResult(next.value)
      else return toResult({ content: whyNot(next.value), isError: true })
    }
  } catch (error) {
    return toResult({ content: `Tool "${params.name}" was not run: ${describeError(error)}`, isError: true })
  }
}

/** A call cannot wait over MCP: there is nobody who could come back to it. */
function whyNot({ name, for: what }: ToolWait): string {
  const needed =
    what === 'approval' ? `"${name}" needs a person's approval` : `"${name}" came to a point where a person is needed`
  return `Not run: ${needed}, and this client cannot ask one (it has no elicitation).`
}

/** Progress has to rise, by the protocol; what our tools yield can be anything. */
function progressTeller(
  token: string | number | undefined,
  { mcpReq }: ServerContext,
): (event: RunEvent) => Promise<void> {
  let last = 0
  return async (event) => {
    if (token === undefined || event.type !== 'tool-progress') return
    const { progress, total, message } = readProgress(event.data)
    if (progress !== undefined && progress < last) return
    last = progress ?? last + 1
    await mcpReq.notify({
      method: 'notifications/progress',
      params: {
        progressToken: token,
        progress: last,
        ...(total !== undefined && { total }),
        ...(message !== undefined && { message }),
      },
    })
  }
}

function readProgress(data: Json): { progress?: number; total?: number; message?: string } {
  if (typeof data === 'string') return { message: data }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return { message: JSON.stringify(data) }
  const { progress, total, message } = data
  if (typeof progress !== 'number') return { message: JSON.stringify(data) }
  return {
    progress,
    ...(typeof total === 'number' && { total }),
    ...(typeof message === 'string' && { message }),
  }
}
