/** Every case of `../shared/cases/sse`: bytes to events, however the bytes arrive. */
import { describe, expect, it } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import { readEvents } from '../src/sse.ts'
import { cutAtRandom, streamOf } from './serve.ts'

type Case = { id: string; b64: string; expected: { data: string }[]; note: string }

async function dataOf(pieces: Uint8Array[]): Promise<{ data: string[]; isDone: boolean }> {
  const { events } = readEvents(streamOf(pieces))
  const data: string[] = []
  for (;;) {
    const next = await events.next()
    if (next.done) return { data, isDone: next.value }
    data.push(...next.value)
  }
}

/**
 * What our reader makes of a case: data only, no blank events, and by section 8.1 of the wire contract an event at the
 * end of the stream that lacks its blank line; the note of a case says where it may.
 */
function expectedData({ expected, note }: Case, text: string): string[] {
  const data = expected.map((event) => event.data).filter((each) => each.trim() !== '')
  if (!/unfinished event/.test(note)) return data
  const lines = text.split(/\r\n|\r|\n/)
  const last = lines.slice(lines.lastIndexOf('') + 1).filter((line) => line.startsWith('data:'))
  return [...data, last.map((line) => line.slice('data:'.length)).join('\n')]
}

const cases = readCases<Case>('sse')

describe.skipIf(cases.length === 0)('event streams', () => {
  it.each(cases)('$id is the same events whole, byte by byte and cut at random', async (each) => {
    const bytes = Buffer.from(each.b64, 'base64')
    const expected = { data: expectedData(each, bytes.toString()), isDone: false }
    expect(await dataOf([bytes])).toEqual(expected)
    expect(await dataOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected)
    for (let seed = 1; seed <= 20; seed += 1) {
      expect(await dataOf(cutAtRandom(bytes, seed)), `cut by seed ${seed}`).toEqual(expected)
    }
  })
})

it('[DONE] is the end, and what follows is left unread', async () => {
  const bytes = Buffer.from('data: 1\n\n: [DONE]\n\ndata: [DONE]\n\ndata: 2\n\n')
  const expected = { data: ['1'], isDone: true }
  expect(await dataOf([bytes])).toEqual(expected)
  expect(await dataOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected)
})
