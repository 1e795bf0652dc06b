/** `resultOf()`: what the model reads when a tool has answered its call, in an agent's run. */
import { Agent, type AgentOptions, type Content, type Tool, textOf } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'

export type Result = { content: Content; text: string; isError: boolean; view?: unknown }

export async function resultOf(tool: Tool<never>, input: object, options: Partial<AgentOptions> = {}): Promise<Result> {
  const model = scriptedModel([{ calls: [{ name: tool.name, arguments: input }] }, 'done'])
  let result: Result | undefined
  const agent = new Agent({ name: 'a', model, tools: [tool], ...options })
  agent.on('tool-end', ({ content, isError = false, view }) => {
    result = { content, text: textOf(content), isError, ...(view !== undefined && { view }) }
  })
  await agent.run('go')
  if (!result) throw new Error(`${tool.name} gave no result`)
  return result
}

/** Without the marks around what strangers wrote. */
export function bare(text: string): string {
  return text.replaceAll(/<untrusted id="[^"]+" tool="[^"]+">\n.*\n|\n<\/untrusted id="[^"]+">/g, '')
}
