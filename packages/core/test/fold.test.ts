/** A log folds to one state, whatever is in it: step by step, in one pass, and through JSON, and nobody's state is changed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Answer,
  checkHistory,
  emptyState,
  fold,
  type LoggedEvent,
  noUsage,
  type RunState,
  reduce,
} from '../src/index.ts'

const id = fc.constantFrom('a', 'b', 'c', 'd')
const text = fc.string({ maxLength: 5 })
const usage = fc.record({ usd: fc.integer({ min: 0, max: 9 }), inputTokens: fc.integer({ min: 0, max: 99 }) })
const calls = fc
  .uniqueArray(id, { maxLength: 3 })
  .map((ids) => ids.map((each) => ({ id: each, wireId: `w${each}`, name: 'x', arguments: '{"n":1}' })))
const answer: fc.Arbitrary<Answer | { type: 'expire' }> = fc.oneof(
  fc.constant({ type: 'expire' } as const),
  fc.constant({ type: 'approve', always: { pattern: { n: 1 } } } as const),
  fc.constant({ type: 'approve' } as const),
  fc.constantFrom('tool', 'input').map((always): Answer => ({ type: 'approve', always })),
  fc.constant({ type: 'approve', input: { n: 2 } } as const),
  text.map((reason): Answer => ({ type: 'deny', reason })),
  text.map((content): Answer => ({ type: 'respond', content })),
  fc.constant({ type: 'retry' } as const),
  text.map((reason): Answer => ({ type: 'failed', reason })),
)

const { event } = fc.letrec<{ event: LoggedEvent }>((tie) => ({
  event: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      type: fc.constant('run-start' as const),
      v: fc.constant(1 as const),
      id,
      agent: id,
      input: fc.constant([{ role: 'user' as const, content: 'go' }]),
    }),
    fc.record({ type: fc.constant('turn-start' as const), turn: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ turn: fc.integer({ min: 1, max: 5 }), content: text, calls, usage }).map(
      ({ turn, content, calls: toolCalls, usage: used }): LoggedEvent => ({
        type: 'model-end',
        turn,
        message: { role: 'assistant', content, ...(toolCalls.length > 0 && { toolCalls }) },
        finishReason: toolCalls.length > 0 ? 'tool-calls' : 'stop',
        usage: { ...noUsage, requests: 1, ...used },
      }),
    ),
    text.map((partial): LoggedEvent => ({ type: 'model-aborted', turn: 1, partial: { text: partial, reasoning: '' } })),
    usage.map((used): LoggedEvent => ({ type: 'model-restart', reason: 'down', usage: { ...noUsage, ...used } })),
    id.map((each): LoggedEvent => ({ type: 'tool-start', id: each, name: 'x', input: {} })),
    fc.tuple(id, text).map(([each, content]): LoggedEvent => ({ type: 'tool-end', id: each, name: 'x', content })),
    fc
      .tuple(id, fc.constantFrom('approval', 'result', 'child', 'verdict'))
      .map(([each, what]): LoggedEvent => ({ type: 'tool-wait', id: each, name: 'x', for: what, expiresAt: 5 })),
    id.map((each): LoggedEvent => ({ type: 'tool-end', id: each, name: 'x', content: 'over', handoff: 'b' })),
    fc.tuple(id, text).map(([agent, instructions]): LoggedEvent => ({ type: 'handoff', agent, instructions })),
    text.map((content): LoggedEvent => ({ type: 'handoff', agent: 'c', messages: [{ role: 'user', content }] })),
    fc
      .tuple(fc.integer({ min: 1, max: 3 }), text)
      .map(([upTo, content]): LoggedEvent => ({ type: 'compacted', upTo, replacement: [{ role: 'user', content }] })),
    text.map((content): LoggedEvent => ({ type: 'steer', turn: 2, messages: [{ role: 'user', content }] })),
    fc.tuple(id, answer).map(([each, given]): LoggedEvent => ({ type: 'answer', id: each, answer: given })),
    fc.tuple(id, tie('event')).map(([each, inner]): LoggedEvent => ({ type: 'child', id: each, event: inner })),
    fc
      .constantFrom('done', 'waiting', 'stopped', 'aborted')
      .map((status): LoggedEvent => ({ type: 'run-end', status, ...(status === 'stopped' && { stop: 'turns' }) })),
  ) as fc.Arbitrary<LoggedEvent>,
}))

function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) for (const child of Object.values(value)) frozen(child)
  return Object.freeze(value)
}

describe('any log', () => {
  it('folds to the state that its events make one by one, at every prefix, and through JSON', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), (log) => {
        let state: RunState = emptyState()
        for (const [at, each] of log.entries()) {
          state = reduce(frozen(state), each)
          const prefix = JSON.parse(JSON.stringify(log.slice(0, at + 1))) as LoggedEvent[]
          expect(fold(prefix)).toEqual(state)
          expect(JSON.parse(JSON.stringify(state))).toEqual(state)
        }
      }),
      { numRuns: 300, seed: 20261123 },
    )
  })

  it('ends, once its run ended, in a history that every provider takes', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), (log) => {
        const { messages } = fold([...log.filter(({ type }) => type !== 'model-end'), ...inTurns(log)])
        expect(checkHistory(messages)).toBeUndefined()
      }),
      { numRuns: 300, seed: 20261123 },
    )
  })
})

/** Answers of the model come only when the calls of the turn before are closed; then the run ends. */
function inTurns(log: LoggedEvent[]): LoggedEvent[] {
  const end: LoggedEvent = { type: 'run-end', status: 'aborted' }
  return [end, ...log.filter(({ type }) => type === 'model-end').flatMap((each) => [each, end])]
}
