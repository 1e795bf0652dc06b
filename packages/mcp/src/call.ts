/** `callRemote()` makes one call of a server's tool: progress is yielded, the result returned, an error result thrown. */
import { type Json, type ToolExecution, textOf } from '@clew/core'
import {
  type Client,
  type ProgressNotificationParams,
  type RequestOptions,
  SdkError,
  SdkErrorCode,
} from '@modelcontextprotocol/client'
import type { Connection } from './connection.ts'
import { asRecord, asText, type Loose, toContent } from './content.ts'
import { askForUrls } from './elicitation.ts'
import { anyResult } from './list-tools.ts'
import { defaultMaxMs, defaultTimeoutMs, type McpOptions, type McpTool } from './options.ts'

const maxWaiting = 100

export async function* callRemote(
  connection: Connection,
  options: McpOptions,
  { name, isTask }: McpTool,
  input: { [key: string]: unknown },
  { signal, idempotencyKey: id, runId }: ToolExecution,
): AsyncGenerator<Json, unknown> {
  const { timeoutMs = defaultTimeoutMs, maxMs = defaultMaxMs, meta } = options
  const deadline = AbortSignal.timeout(maxMs)
  const progress = new Progress()
  const params = { name, arguments: input, ...(meta && { _meta: meta({ tool: name, id, runId }) }) }
  const life: RequestOptions = {
    signal: AbortSignal.any([signal, deadline]),
    timeout: timeoutMs,
    resetTimeoutOnProgress: true,
    onprogress: (each) => progress.put(each),
  }
  const answer = connection.use((client) =>
    isTask
      ? callAsTask(client, params, life, maxMs)
      : client.request({ method: 'tools/call', params }, anyResult, life),
  )
  try {
    for (;;) {
      const result = await Promise.race([answer, progress.some()])
      yield* progress.take()
      if (result) return outcomeOf(result)
    }
  } catch (error) {
    const { cause } = error as Error
    await askForUrls(cause, options, signal)
    if (deadline.aborted) throw new Error(`No answer within ${maxMs} ms in all. It may have taken effect.`)
    if (cause instanceof SdkError && cause.code === SdkErrorCode.RequestTimeout) {
      throw new Error(`No answer and no progress for ${timeoutMs} ms. It may have taken effect.`)
    }
    throw error
  }
}

/** The server takes the call as a task; its result is waited for as long as a call may take at all. */
async function callAsTask(
  client: Client,
  params: { [key: string]: unknown },
  life: RequestOptions,
  maxMs: number,
): Promise<Loose> {
  const request = { method: 'tools/call', params: { ...params, task: {} } }
  const { taskId } = asRecord((await client.request(request, anyResult, life)).task)
  const task = { taskId: asText(taskId) ?? '' }
  try {
    return await client.request({ method: 'tasks/result', params: task }, anyResult, { ...life, timeout: maxMs })
  } catch (error) {
    // The task lives on when nobody waits for it.
    if (life.signal?.aborted) client.request({ method: 'tasks/cancel', params: task }, anyResult).catch(() => {})
    throw error
  }
}

/** @throws Error for an error result: what is thrown becomes one of ours. */
function outcomeOf(result: Loose): unknown {
  const content = toContent(result)
  if (result.isError === true) throw new Error((content && textOf(content)) || 'The tool failed and did not say why.')
  const { structuredContent } = result
  return structuredContent === undefined || content === undefined ? content : { content, view: structuredContent }
}

/** Progress that waits to be yielded. A server that tells more than anyone reads does not fill the memory. */
class Progress {
  #waiting: Json[] = []
  #wake = Promise.withResolvers<void>()

  put({ progress, total, message }: Omit<ProgressNotificationParams, 'progressToken'>): void {
    this.#waiting.push({ progress, ...(total !== undefined && { total }), ...(message !== undefined && { message }) })
    if (this.#waiting.length > maxWaiting) this.#waiting.shift()
    this.#wake.resolve()
  }

  /** Resolves when there is some. */
  async some(): Promise<undefined> {
    await this.#wake.promise
    return undefined
  }

  take(): Json[] {
    const taken = this.#waiting
    this.#waiting = []
    this.#wake = Promise.withResolvers()
    return taken
  }
}
