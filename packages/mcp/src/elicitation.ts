/** `answerElicitations()` lets a live handler answer what a server wants to know of the person; without one it is declined. */
import {
  type Client,
  ProtocolError,
  ProtocolErrorCode,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/client'
import type { Elicitation, ElicitationAnswer, McpOptions } from './options.ts'

/** What is told to the server of it. Defaults of a form are filled in by the SDK (SEP-1034). */
export const elicitationCapability = { form: { applyDefaults: true }, url: {} }

export function answerElicitations(client: Client, { onElicitation }: McpOptions): void {
  if (!onElicitation) {
    // It was not told that we could; a server that asks all the same gets the answer that it can work with.
    client.fallbackRequestHandler = async ({ method }) => {
      if (method === 'elicitation/create') return { action: 'decline' }
      throw new ProtocolError(ProtocolErrorCode.MethodNotFound, `There is no method ${JSON.stringify(method)}.`)
    }
    return
  }
  client.setRequestHandler('elicitation/create', async ({ params }, { mcpReq }) => {
    const { message } = params
    const asked: Elicitation =
      params.mode === 'url'
        ? { mode: 'url', message, url: params.url }
        : { mode: 'form', message, schema: params.requestedSchema as { [key: string]: unknown } }
    return ask(onElicitation, asked, mcpReq.signal)
  })
}

/**
 * A call can be refused until the person has visited a page (-32042 of the protocol). The page is for the person: the model
 * does not get its address.
 * @throws Error that tells the model what became of it; returns where `error` is something else.
 */
export async function askForUrls(error: unknown, { onElicitation }: McpOptions, signal: AbortSignal): Promise<void> {
  if (!(error instanceof UrlElicitationRequiredError)) return
  if (!onElicitation)
    throw new Error('Not run: the server wants a person to visit a page first, and nobody can be asked.')
  for (const { message, url } of error.elicitations ?? []) {
    const { action } = await ask(onElicitation, { mode: 'url', message, url }, signal)
    if (action !== 'accept')
      throw new Error('Not run: the server wants the person to visit a page, who does not want to.')
  }
  throw new Error(
    'Not run yet: the person was sent to a page of the server. Call again when the person says it is done.',
  )
}

/** A handler that fails has given no answer. */
async function ask(
  handler: NonNullable<McpOptions['onElicitation']>,
  asked: Elicitation,
  signal: AbortSignal,
): Promise<ElicitationAnswer> {
  try {
    return await handler(asked, { signal })
  } catch {
    return { action: 'cancel' }
  }
}
