/** One call of a tool, to its end. */
import { callTool, type Json, type RunEvent, type Tool, type ToolEnd, type ToolWait } from '@clew/core'

export async function runCall(
  tools: readonly Tool<never, never>[],
  name: string,
  input: { [key: string]: Json } = {},
  options: { signal?: AbortSignal; onEvent?: (event: RunEvent) => void } = {},
): Promise<ToolEnd | ToolWait> {
  const { onEvent, ...rest } = options
  const running = callTool(tools, { name, arguments: input }, { caller: 'test', ...rest })
  for (;;) {
    const next = await running.next()
    if (next.done) return next.value
    onEvent?.(next.value)
  }
}
