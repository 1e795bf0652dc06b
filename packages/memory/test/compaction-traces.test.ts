/** The recorded conversations of `../shared/cases`, compacted before every request as for a model with a tiny context. */
import type { Message } from '@clew/core'
import { describe, expect, it } from 'vitest'
import { type CompactOptions, compact } from '../src/index.ts'
import { applied, firstFlaw, frozen } from './check-compaction.ts'
import { type Trace, traces } from './traces.ts'

/** The whole conversation, the user coming back `times` times with the same, in the pieces that come between two requests. */
function piecesOf({ turns }: Trace, times: number, allAtOnce: boolean): Message[][] {
  const pieces: Message[][] = []
  for (const [index, { user, calls }] of Array.from({ length: times }, () => turns)
    .flat()
    .entries()) {
    pieces.push([{ role: 'user', content: user }])
    for (const group of allAtOnce ? [calls].filter(({ length }) => length > 0) : calls.map((call) => [call])) {
      const source = { model: 'm', generationId: `${index}-${pieces.length}` }
      const reasoningDetails = [{ type: 'reasoning.encrypted', data: `${index}`.repeat(100) }]
      const made = group.map((call, at) => ({ ...call, callId: `${index}-${pieces.length}-${at}` }))
      const toolCalls = made.map(({ callId: id, name, arguments: given }) => ({
        id,
        wireId: id,
        name,
        arguments: JSON.stringify(given),
      }))
      pieces.push([
        { role: 'assistant', content: '', reasoningDetails, toolCalls, source },
        ...made.map(({ callId, name, result }): Message => ({ role: 'tool', callId, name, content: result })),
      ])
    }
    const source = { model: 'm', generationId: `end-${index}` }
    pieces.at(-1)!.push({ role: 'assistant', content: `End of turn ${index}.`, source })
  }
  return frozen(pieces)
}

async function compactAll(pieces: Message[][], options: Omit<CompactOptions, 'window'>): Promise<number> {
  let view: Message[] = []
  let compactions = 0
  for (const piece of pieces) {
    view = [...view, ...piece]
    const given = { messages: frozen(view), tools: [] }
    const all = { window: 2_000, ...options }
    const compaction = await compact(given, all, AbortSignal.any([]))
    expect(firstFlaw(given, all, compaction)).toBeUndefined()
    if (compaction) compactions += 1
    view = applied(view, compaction)
  }
  return compactions
}

describe.skipIf(traces.length === 0)('recorded conversations in a context of 2,000 tokens', () => {
  describe.each([false, true])('with all calls of a turn in one message: %s', (allAtOnce) => {
    it('stay whole with artifacts and summaries', async () => {
      let compactions = 0
      for (const trace of traces) {
        const stored: string[] = []
        compactions += await compactAll(piecesOf(trace, 3, allAtOnce), {
          artifacts: { put: async (text) => `art-${stored.push(text)}` },
          summarise: async (messages) => `They exchanged ${messages.length} messages.`,
        })
      }
      expect(compactions).toBeGreaterThan(traces.length)
    })

    it('stay whole when atoms are left out', async () => {
      let compactions = 0
      for (const trace of traces) compactions += await compactAll(piecesOf(trace, 3, allAtOnce), { keepTurns: 1 })
      expect(compactions).toBeGreaterThan(traces.length)
    })
  })
})
