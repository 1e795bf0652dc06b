/** A plugin whose tools run in a process of their own: it looks like any other, and its process is started again when it dies. */
import { InputError, type Json, type Plugin, type Tool, type ToolExecution, textOf, tool } from '@clew/core'
import type { PluginProcess } from './plugin-process.ts'
import type { CallFacts, FromPlugin, PluginTold, ToolFacts } from './wire.ts'
import { withoutLinks } from './without-links.ts'

/** Progress that waits to be yielded, at most: one that tells more than anyone reads does not fill the memory. */
const maxWaiting = 100

type Start = () => Promise<{ process: PluginProcess; plugin: PluginTold }>
type Result = Extract<FromPlugin, { type: 'result' }>

/** `start` makes a process that has loaded the plugin; the first one is there already. */
export function isolatedPlugin(first: Awaited<ReturnType<Start>>, start: Start): Plugin & { close(): void } {
  let current: Promise<PluginProcess> = Promise.resolve(first.process)
  let isClosed = false
  const alive = async () => {
    const process = await current.catch(() => undefined)
    if (await process?.isAlive()) return process as PluginProcess
    if (isClosed) throw new InputError(`Plugin "${first.plugin.name}" was closed.`)
    current = start().then((started) => started.process)
    return current
  }
  const { tools, ...facts } = first.plugin
  return {
    ...facts,
    use: [],
    tools: tools.map((each) => toTool(each, alive)),
    close() {
      isClosed = true
      current.then((process) => process.end()).catch(() => {})
    },
  }
}

function toTool(
  { parameters, needsApproval, isAnswered, ...facts }: ToolFacts,
  alive: () => Promise<PluginProcess>,
): Tool<never> {
  const { name } = facts
  const callOf = (input: unknown, { idempotencyKey: callId, agent, fence }: ToolExecution): CallFacts => {
    // Its process sets the marks, and they have to be those that are known here.
    const mark = /id="([^"]*)"/.exec(fence(''))?.[1]
    return { tool: name, input: input as Json, callId, agent, ...(mark !== undefined && { mark }) }
  }
  return tool({
    ...facts,
    input: parameters,
    ...(needsApproval === 'asks'
      ? {
          async needsApproval(input: unknown, execution: ToolExecution) {
            const answer = await (await alive()).call('approve', callOf(input, execution), execution.signal)
            return (answer as { value: boolean }).value !== false
          },
        }
      : needsApproval !== undefined && { needsApproval }),
    ...(!isAnswered && {
      async *execute(input: unknown, execution: ToolExecution) {
        const result = yield* follow(await alive(), callOf(input, execution), execution.signal)
        const { view, isError } = result
        const content = withoutLinks(result.content)
        // What the plugin did not take for a stranger's words, it said itself.
        const isOwn = facts.untrusted && !result.untrusted
        if (isError) {
          const message = textOf(content).replace(`Tool "${name}" failed: `, '')
          throw isOwn ? new InputError(message) : new Error(message)
        }
        if (view === undefined && !isOwn) return content
        return { content, ...(view !== undefined && { view }), ...(isOwn && { untrusted: false }) }
      },
    }),
  }) as Tool<never>
}

/** The call's progress as it comes, and then its result. */
async function* follow(process: PluginProcess, call: CallFacts, signal: AbortSignal): AsyncGenerator<Json, Result> {
  const waiting: Json[] = []
  let wake: () => void = () => {}
  let isOver = false
  const result = process.call('execute', call, signal, (data) => {
    waiting.push(data)
    if (waiting.length > maxWaiting) waiting.shift()
    wake()
  })
  const settled = () => {
    isOver = true
    wake()
  }
  result.then(settled, settled)
  while (!isOver || waiting.length > 0) {
    if (waiting.length > 0) yield waiting.shift() as Json
    else if (!isOver)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  return (await result) as Result
}
