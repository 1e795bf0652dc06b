/** Every case of `../shared/cases/chat-streams`: the streams of many servers, assembled as their clients do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import { type Chunk, expectReading, type Reading, readChunks } from './reading.ts'
import { type Answered, answerOf, cutAtRandom, events, exactly, startServing } from './serve.ts'

type Case = {
  id: string
  chunks: string[]
  expected: {
    content: string
    reasoning: string
    toolCalls: Reading['calls']
    finishReason: string
    usage: Reading['usage']
  }
}

const cases = readCases<Case>('chat-streams')
const textOf = ({ chunks }: Case) => `${chunks.map((chunk) => `data: ${chunk}\n\n`).join('')}data: [DONE]\n\n`
/** The judge wrote parts of content as "[object Object]"; what they say stands in the chunks. */
const isMisjudged = ({ expected }: Case) => expected.content.includes('[object Object]')

describe.skipIf(cases.length === 0)('chat streams', () => {
  let server: Awaited<ReturnType<typeof startServing>>
  beforeAll(async () => {
    server = await startServing()
  })
  afterAll(() => server.close())

  it.each(cases)('$id is assembled as expected, whole and cut at random', async (each) => {
    const text = textOf(each)
    const whole = await answerOf(server.play([events(text)]).model())
    expectCase(whole, each)
    for (let seed = 1; seed <= 20; seed += 1) {
      const pieces = cutAtRandom(Buffer.from(text), seed)
      expect(await answerOf(exactly(pieces)), `cut by seed ${seed}`).toStrictEqual(whole)
    }
  })
})

function expectCase(whole: Answered, each: Case): void {
  const { content, reasoning, toolCalls, finishReason, usage } = each.expected
  const reading = readChunks(each.chunks.map((chunk) => JSON.parse(chunk) as Chunk))
  expectReading(whole, {
    ...reading,
    text: isMisjudged(each) ? textOfParts(each.chunks) : content,
    reasoning,
    calls: toolCalls,
    finish: finishReason,
    usage,
  })
  expect(whole.reply?.rawFinishReason).toBe(finishReason)
}

/** Content that came in typed parts: the text of those that are text. */
function textOfParts(chunks: string[]): string {
  const contents = chunks.map((chunk) => JSON.parse(chunk).choices[0]?.delta.content as string | { text?: string }[])
  return contents
    .flatMap((content) => (typeof content === 'string' ? content : content.map((part) => part.text ?? '')))
    .join('')
}
