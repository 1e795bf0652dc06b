/** `call()`: what a tool answers to a call in an agent's run. */
import { Agent, type Tool, type ToolMessage } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'

export async function call(tools: Tool<never>[], name: string, input: object): Promise<string> {
  const model = scriptedModel([{ calls: [{ name, arguments: input as never }] }, 'done'])
  const result = await new Agent({ name: 'a', model, tools }).run('go')
  const answer = result.state.messages.find((message): message is ToolMessage => message.role === 'tool')
  return answer?.content as string
}
