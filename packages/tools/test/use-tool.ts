/** Calls tools as a model does: through an agent, with what the model then reads. */
import { Agent, type Content, type Tool, type ToolMessage, textOf, type Usage } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'

export type Used = {
  content: Content
  /** All of it. */
  text: string
  /** What stands between the marks. */
  inside: string
  /** The tool's own words. */
  outside: string
  isError: boolean
  usage: Usage
}

/** Approves whatever asks. */
export async function useTool(tool: Tool<never>, input: unknown, signal?: AbortSignal): Promise<Used> {
  const model = scriptedModel([{ calls: [{ name: tool.name, arguments: input }] }, 'Done.'])
  const agent = new Agent({ name: 'user', model, tools: [tool], policy: () => ({ type: 'approve' }) })
  const { state, usage } = await agent.run('Go.', signal ? { signal } : {})
  const message = state.messages.find((each): each is ToolMessage => each.role === 'tool')!
  const text = textOf(message.content)
  const mark = /<untrusted id="([^"]+)"[^>]*>\nWhat follows[^\n]*\n([\s\S]*)\n<\/untrusted id="\1">/
  return {
    content: message.content,
    text,
    inside: mark.exec(text)?.[2] ?? '',
    outside: text.replace(mark, '…'),
    isError: message.isError === true,
    usage,
  }
}
