/** Every short sequence of reasoning fragments, merged as section 6.3 of the wire contract says. */
import type { Json } from '@clew/core'
import { expect, it } from 'vitest'
import { mergeDetail } from '../src/reasoning.ts'
import { type Detail, mergeDetails } from './reading.ts'

const fragments: Detail[] = [
  { type: 'reasoning.text', text: 'a', index: 0 },
  { type: 'reasoning.text', text: 'b', index: 0, id: null, format: null, signature: null },
  { type: 'reasoning.text', text: 'c', index: 0, id: 'one', format: 'f' },
  { type: 'reasoning.text', text: null, index: 0, id: 'two' },
  { type: 'reasoning.text', text: 'd', index: 1 },
  { type: 'reasoning.summary', summary: 'e', index: 0 },
  { type: 'reasoning.summary', summary: 'f' },
  { type: 'reasoning.encrypted', data: 'g', index: 0 },
  { type: 'reasoning.of-tomorrow', text: 'h', index: 0, extra: { kept: true } },
]
/** In a fragment of its own, and the last of its text. */
const signature: Detail = { type: 'reasoning.text', signature: 'S', index: 0 }

function merge(sequence: Detail[]): Json[] {
  const merged: Json[] = []
  for (const fragment of sequence) mergeDetail(merged, fragment as Json)
  return merged
}

it('what belongs together is joined, nulls are filled, and all else stays apart', () => {
  const pairs = fragments.flatMap((first) => fragments.map((second) => [first, second]))
  const sequences = [
    ...fragments.map((each) => [each]),
    ...pairs,
    ...pairs.flatMap((a) => pairs.map((b) => [...a, ...b])),
  ]
  for (const sequence of sequences) {
    for (const each of [sequence, [...sequence, signature]]) {
      expect(merge(each), JSON.stringify(each)).toStrictEqual(mergeDetails(each))
    }
  }
})

it('merging leaves the fragments as they came', () => {
  const before = structuredClone(fragments)
  merge([...fragments, ...fragments])
  expect(fragments).toStrictEqual(before)
})
