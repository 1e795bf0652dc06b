/** One call of a tool, to its end. */
import { type Content, callTool, type Json, type RunEvent, type Tool, type ToolEnd, type ToolWait } from '@clew/core'

/** What servers say comes fenced; the result is given without the marks, which have a test of their own. */
export async function runCall(
  tools: readonly Tool<never, never>[],
  name: string,
  input: { [key: string]: Json } = {},
  options: { signal?: AbortSignal; onEvent?: (event: RunEvent) => void } = {},
): Promise<Omit<ToolEnd, 'untrusted'> | ToolWait> {
  const { onEvent, ...rest } = options
  const running = callTool(tools, { name, arguments: input }, { caller: 'test', ...rest })
  for (;;) {
    const next = await running.next()
    if (next.done && next.value.type === 'tool-wait') return next.value
    if (next.done) {
      const { untrusted, content, ...end } = next.value as ToolEnd
      return { ...end, content: untrusted ? bare(content) : content }
    }
    onEvent?.(next.value)
  }
}

const begin = /^<untrusted id="[^"]+" tool="[^"]+">\nWhat follows .*\n/
const end = /\n<\/untrusted id="[^"]+">$/

export function bare(content: Content): Content {
  if (typeof content === 'string') return content.replace(begin, '').replace(end, '')
  const [first, ...rest] = content
  const inside = first?.type === 'text' && begin.test(first.text) ? rest.slice(0, -1) : content
  return inside
}
