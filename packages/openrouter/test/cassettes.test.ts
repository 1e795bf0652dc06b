/** Every exchange of `../shared/cases/openrouter-cassettes`, served to our client for the same kind of request. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import { type Chunk, expectReading, readBody, readEventText, sentBack } from './reading.ts'
import {
  type Answered,
  answerOf,
  events,
  json,
  named,
  plain,
  type Served,
  secondRequest,
  startServing,
} from './serve.ts'

type Exchange = {
  request: {
    path: string
    body: {
      model: string
      messages: { role: string; content: string | { text?: string }[] }[]
      tools?: { function: { name: string; description?: string; parameters: { [key: string]: unknown } } }[]
    }
  }
  response: { status: number; json?: Chunk; text?: string }
}

const exchanges = readCases<{ id: string; interactions: Exchange[] }>('openrouter-cassettes').flatMap(
  ({ id, interactions }) =>
    interactions.map((exchange, index) => ({ name: `${id} (${index + 1} of ${interactions.length})`, ...exchange })),
)
const chats = exchanges.filter(({ request }) => request.path.endsWith('/chat/completions'))
const skipped = exchanges.length - chats.length

const servedBy = ({ response: { json: body, text, status } }: Exchange): Served =>
  text === undefined || status >= 400 ? json(text ?? JSON.stringify(body), status) : events(text)

/** The texts of the messages of a role, those of their parts too. */
function textsOf({ request }: Exchange, role: string): string {
  return request.body.messages
    .filter((message) => message.role === role)
    .flatMap(({ content }) => (typeof content === 'string' ? [content] : content.map((part) => part.text ?? '')))
    .join('\n')
}

describe.skipIf(exchanges.length === 0)(
  `cassettes (${skipped} of ${exchanges.length} skipped: not Chat Completions)`,
  () => {
    let server: Awaited<ReturnType<typeof startServing>>
    beforeAll(async () => {
      server = await startServing()
    })
    afterAll(() => server.close())

    /** The same instructions, question and tools as were recorded. */
    function ask(exchange: Exchange): Promise<Answered> {
      const { model, tools = [] } = exchange.request.body
      return answerOf(server.play([servedBy(exchange)]).model(model), {
        instructions: textsOf(exchange, 'system'),
        messages: [{ role: 'user', content: textsOf(exchange, 'user') }],
        tools: tools.map(({ function: { name, description = '', parameters } }) => ({ name, description, parameters })),
      })
    }

    it.each(named(chats.filter(({ response }) => response.status < 400)))(
      '%s is what was recorded',
      async (_, exchange) => {
        const { text, json: body } = exchange.response
        const reading = text === undefined ? readBody(body ?? {}) : readEventText(text)
        expectReading(await ask(exchange), reading)
        if (reading.failed || reading.calls.length === 0) return
        const play = server.play([servedBy(exchange), plain])
        const names = reading.calls.map((call) => call.name)
        const { messages } = await secondRequest(play, reading.model, names)
        const turn = messages.find((message) => message.role === 'assistant')
        expect(turn?.reasoning_details).toStrictEqual(sentBack(reading))
        expect(turn?.tool_calls?.map((call) => call.id)).toEqual(reading.calls.map((call) => call.id))
      },
    )

    it.each(named(chats.filter(({ response }) => response.status >= 400)))(
      '%s is an error, retryable where waiting helps',
      async (_, exchange) => {
        const { status } = exchange.response
        const { error } = await ask(exchange)
        expect(error?.details).toMatchObject({ status, retryable: [408, 429].includes(status) || status >= 500 })
      },
    )
  },
)
