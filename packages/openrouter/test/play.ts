/** One run of an agent against OpenRouter on localhost, with all that it showed and sent. */
import {
  Agent,
  type AgentInput,
  type AgentOptions,
  type EventOf,
  type RunEvent,
  type RunOptions,
  type RunResult,
} from '@clew/core'
import { type ChatRequest, type LocalReply, type Respond, startOpenRouter } from '@clew/testing'
import { type OpenRouterSettings, openrouter } from '../src/index.ts'

export type Played<Output> = { events: RunEvent[]; bodies: ChatRequest[]; texts: string[]; result: RunResult<Output> }

/** Plays the replies in order; rejects with what the run rejected with. */
export async function play<Output = string>(
  respond: readonly (LocalReply | Respond)[],
  {
    input = 'Hi',
    model = 'm/x',
    settings = {},
    options = {},
    ...agent
  }: Partial<Omit<AgentOptions<unknown, Output>, 'model'>> & {
    input?: AgentInput
    model?: string
    settings?: OpenRouterSettings
    options?: RunOptions
  } = {},
): Promise<Played<Output>> {
  await using server = await startOpenRouter({ respond })
  const run = new Agent<unknown, Output>({
    name: 'a',
    model: openrouter(model, { baseURL: server.url, apiKey: 'k', retries: 0, ...settings }),
    ...agent,
  }).run(input, options)
  const events: RunEvent[] = []
  for await (const event of run) events.push(event)
  return {
    events,
    bodies: server.requests.map((request) => request.body),
    texts: server.requests.map((request) => request.text),
    result: await run,
  }
}

/** One chunk of a stream as OpenRouter sends it. */
export function chunk(delta: object | null, finish: string | null = null, extra: object = {}): object {
  const choices = [{ index: 0, delta, finish_reason: finish, native_finish_reason: finish, logprobs: null }]
  return {
    id: 'gen-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm/x',
    provider: 'SomeHost',
    choices,
    ...extra,
  }
}

/** A fragment of a tool call, in a chunk. */
export const callChunk = (fragment: object): object =>
  chunk({ role: 'assistant', content: null, tool_calls: [fragment] })

export function eventsOf<Type extends RunEvent['type']>(events: RunEvent[], type: Type): EventOf<Type>[] {
  return events.filter((event): event is EventOf<Type> => event.type === type)
}

/** The messages of a role that a request carried. */
export const sent = (body: ChatRequest | undefined, role: string) =>
  (body?.messages ?? []).filter((message) => message.role === role)

/** The text of a request up to the end of its messages: what the next request of the conversation begins with. */
export const prefixOf = (text: string) =>
  text.replace(/\](,"tool_choice":("\w+"|\{.*?\}\}))?(,"provider":\{[^}]*\})?,"stream":true\}$/, '')
