/** Any conversation, cut off by crashes, forked and compacted in any order, is a history that every provider takes. */
import { type AssistantMessage, checkHistory, fold, type LoggedEvent, noUsage, type RunState } from '@clew/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compact } from '../src/index.ts'

type Step =
  | { do: 'run'; words: number; turns: { calls: number; words: number }[] }
  | { do: 'crash'; back: number }
  | { do: 'fork'; at: number }
  | { do: 'compact'; window: number; keepTurns: number; summarise: boolean }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      words: fc.integer({ min: 1, max: 200 }),
      turns: fc.array(fc.record({ calls: fc.integer({ min: 0, max: 3 }), words: fc.integer({ min: 0, max: 900 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), back: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fork' as const), at: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('compact' as const),
      window: fc.integer({ min: 1, max: 3_000 }),
      keepTurns: fc.integer({ min: 0, max: 3 }),
      summarise: fc.boolean(),
    }),
  },
)

let ids = 0
const text = (words: number) => 'word '.repeat(words)

/** The events of a run as the loop logs them. */
function runOf({ words, turns }: Extract<Step, { do: 'run' }>, state: RunState): LoggedEvent[] {
  const events: LoggedEvent[] = []
  // What a crash left is closed by the next run.
  if (state.id !== '' && state.status === 'running') events.push({ type: 'run-end', status: 'aborted' })
  const input = [{ role: 'user' as const, content: `Q${ids++} ${text(words)}` }]
  events.push({ type: 'run-start', v: 2, id: `r${ids++}`, agent: 'a', input })
  for (const [index, { calls, words: long }] of turns.entries()) {
    const isLast = index === turns.length - 1
    const made = Array.from({ length: isLast ? 0 : calls + 1 }, () => `c${ids++}`)
    const toolCalls = made.map((id) => ({ id, wireId: id, name: 'look', arguments: `{"at":"${text(long % 50)}"}` }))
    const message: AssistantMessage = {
      role: 'assistant',
      content: isLast ? `A${ids++}` : '',
      reasoningDetails: [{ type: 'reasoning.encrypted', data: `of ${made.join() || ids++}` }],
      ...(made.length > 0 && { toolCalls }),
    }
    events.push({ type: 'turn-start', turn: index + 1 })
    const finishReason = isLast ? 'stop' : 'tool-calls'
    events.push({ type: 'model-end', turn: index + 1, message, finishReason, usage: { ...noUsage, requests: 1 } })
    for (const id of made) events.push({ type: 'tool-start', id, name: 'look', input: {} })
    for (const id of made.toReversed())
      events.push({ type: 'tool-end', id, name: 'look', content: `${id} ${text(long)}` })
  }
  events.push({ type: 'run-end', status: 'done' })
  return events
}

/** Each assistant message with the reasoning that it came with, by what is in it. */
function reasoningOf(log: LoggedEvent[]): Map<string, string> {
  return new Map(
    log.flatMap((event) =>
      event.type === 'model-end' ? [[keyOf(event.message), JSON.stringify(event.message.reasoningDetails)]] : [],
    ),
  )
}
const keyOf = ({ content, toolCalls = [] }: AssistantMessage) => `${content} ${toolCalls.map(({ id }) => id)}`

/** The history as the next request has it: open calls are closed first. */
function problemOf(log: LoggedEvent[]): string | undefined {
  const state = fold(log)
  const { messages } = state.status === 'running' ? fold([...log, { type: 'run-end', status: 'aborted' }]) : state
  const reasoning = reasoningOf(log)
  const bare = messages.find(
    (message) =>
      message.role === 'assistant' && JSON.stringify(message.reasoningDetails) !== reasoning.get(keyOf(message)),
  )
  return checkHistory(messages) ?? (bare && `a turn lost its reasoning: ${JSON.stringify(bare)}`)
}

async function play(steps: Step[]): Promise<number> {
  let log: LoggedEvent[] = []
  let compactions = 0
  for (const each of steps) {
    if (each.do === 'run') log = [...log, ...runOf(each, fold(log))]
    if (each.do === 'crash') log = log.slice(0, Math.max(1, log.length - each.back))
    if (each.do === 'fork') log = log.slice(0, 1 + (each.at % Math.max(1, log.length)))
    if (each.do === 'compact') {
      const { messages, pending } = fold(log)
      const { window, keepTurns, summarise } = each
      const options = { window, keepTurns, ...(summarise && { summarise: async () => 'They talked.' }) }
      // As the loop does: at the edge of a turn, when nothing is open.
      const made = pending.length > 0 ? undefined : await compact({ messages, tools: [] }, options, AbortSignal.any([]))
      if (made) log = [...log, { type: 'compacted', ...made }]
      if (made) compactions += 1
    }
    expect(problemOf(log)).toBeUndefined()
  }
  return compactions
}

it('P100: no call without result, no result without call, no reasoning without its turn', {
  timeout: 120_000,
}, async () => {
  let compactions = 0
  const holds = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
    compactions += await play(steps)
  })
  await fc.assert(holds, { numRuns: 10_000, seed: 20261123 })
  expect(compactions).toBeGreaterThan(5_000)
})
