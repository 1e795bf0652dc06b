/** The rules, by table: they read a state and touch nothing. */
import { describe, expect, it } from 'vitest'
import {
  decide,
  emptyState,
  type Limits,
  type Message,
  noUsage,
  type PendingCall,
  type RunState,
  type Step,
} from '../src/index.ts'

const user: Message = { role: 'user', content: 'go' }
const answer: Message = { role: 'assistant', content: 'done' }
const call = (id: string) => ({ id, wireId: id, name: 'x', arguments: '{}' })
const ready = (id: string): PendingCall => ({ call: call(id), agent: 'a', status: 'ready' })
const waiting = (id: string): PendingCall => ({ call: call(id), agent: 'a', status: 'waiting', for: 'approval' })
const running = (id: string): PendingCall => ({ call: call(id), agent: 'a', status: 'running' })
const again = (id: string): PendingCall => ({
  call: call(id),
  agent: 'a',
  status: 'ready',
  approved: true,
  again: true,
})
const state = (part: Partial<RunState>): RunState => ({
  ...emptyState(),
  id: 'r',
  agent: 'a',
  messages: [user],
  ...part,
})

describe('decide', () => {
  it.each<[string, Partial<RunState>, Limits, Step]>([
    ['at the start: ask the model', {}, {}, { type: 'model', turn: 1 }],
    ['after results: ask again', { turn: 3 }, {}, { type: 'model', turn: 4 }],
    ['crashed in a model call: the same turn again', { turn: 3, request: {} }, {}, { type: 'model', turn: 3 }],
    [
      'crashed in the last model call: still the last',
      { turn: 3, request: { last: 'turns' } },
      {},
      { type: 'model', turn: 3, last: 'turns' },
    ],
    ['an answer', { turn: 1, messages: [user, answer] }, {}, { type: 'finish', status: 'done' }],
    [
      'a history that ends with an answer is no answer of this run',
      { messages: [user, answer] },
      {},
      { type: 'model', turn: 1 },
    ],
    [
      'an answer that was left is no answer',
      { turn: 1, messages: [user, { ...answer, aborted: true }] },
      {},
      { type: 'model', turn: 2 },
    ],
    [
      'an answer that was cut',
      { turn: 1, messages: [user, answer], finishReason: 'length' },
      {},
      { type: 'finish', status: 'stopped', stop: 'length' },
    ],
    [
      'an answer within the limit, over the budget',
      { turn: 1, messages: [user, answer], usage: { ...noUsage, usd: 2 } },
      { usd: 1 },
      { type: 'finish', status: 'done' },
    ],
    [
      'a middleware stopped the run: before any limit, and whatever waits',
      {
        turn: 1,
        pending: [waiting('w'), ready('r')],
        stopping: { by: 'guard', reason: 'why' },
        usage: { ...noUsage, usd: 2 },
      },
      { usd: 1 },
      { type: 'finish', status: 'stopped', stop: 'guard', reason: 'why' },
    ],
    [
      'a middleware stopped the run with an answer',
      { turn: 1, messages: [user, answer], stopping: { by: 'loop', reason: 'why' } },
      {},
      { type: 'finish', status: 'stopped', stop: 'loop', reason: 'why' },
    ],
    ['20 turns are the default', { turn: 20 }, {}, { type: 'model', turn: 21, last: 'turns' }],
    ['19 are not', { turn: 19 }, {}, { type: 'model', turn: 20 }],
    ['a limit of turns', { turn: 2 }, { turns: 2 }, { type: 'model', turn: 3, last: 'turns' }],
    [
      'the last answer was given',
      { turn: 3, last: 'turns', messages: [user, answer] },
      { turns: 2 },
      { type: 'finish', status: 'stopped', stop: 'turns' },
    ],
    [
      'the last answer asked for tools all the same',
      { turn: 3, last: 'turns' },
      { turns: 2 },
      { type: 'finish', status: 'stopped', stop: 'turns' },
    ],
    [
      'a limit of dollars',
      { turn: 1, usage: { ...noUsage, usd: 0.5 } },
      { usd: 0.5 },
      { type: 'finish', status: 'stopped', stop: 'usd' },
    ],
    [
      'a limit of tokens',
      { turn: 1, usage: { ...noUsage, inputTokens: 6, outputTokens: 5 } },
      { tokens: 11 },
      { type: 'finish', status: 'stopped', stop: 'tokens' },
    ],
    ['a limit of time', { turn: 1, ms: 100 }, { ms: 100 }, { type: 'finish', status: 'stopped', stop: 'ms' }],
    [
      'over the budget with open calls: none of them runs',
      { turn: 1, ms: 100, pending: [ready('a')] },
      { ms: 100 },
      { type: 'finish', status: 'stopped', stop: 'ms' },
    ],
    [
      'open calls',
      { turn: 1, pending: [ready('a'), waiting('b')] },
      {},
      { type: 'tools', calls: [ready('a')], refused: [] },
    ],
    ['only questions are open', { turn: 1, pending: [waiting('b')] }, {}, { type: 'finish', status: 'waiting' }],
    [
      'more calls than the limit leaves',
      { turn: 1, toolCalls: 1, pending: [ready('a'), ready('b')] },
      { toolCalls: 2 },
      { type: 'tools', calls: [ready('a')], refused: [ready('b')] },
    ],
    [
      'a limit below what was spent',
      { turn: 1, toolCalls: 3, pending: [ready('a')] },
      { toolCalls: 1 },
      { type: 'tools', calls: [], refused: [ready('a')] },
    ],
    [
      'calls that were started are not refused',
      { turn: 1, toolCalls: 2, pending: [running('a'), again('b')] },
      { toolCalls: 2 },
      { type: 'tools', calls: [running('a'), again('b')], refused: [] },
    ],
    [
      'the limit of calls is reached',
      { turn: 1, toolCalls: 2 },
      { toolCalls: 2 },
      { type: 'model', turn: 2, last: 'toolCalls' },
    ],
    ['nothing is left', { status: 'done', turn: 1, messages: [user, answer] }, {}, { type: 'stop' }],
    ['waiting', { status: 'waiting', turn: 1, pending: [waiting('a')] }, {}, { type: 'stop' }],
  ])('%s', (_, part, limits, step) => {
    const before = Object.freeze(state(part))
    const { usd = 0, inputTokens, outputTokens } = before.usage
    expect(decide(before, limits, { usd, tokens: inputTokens + outputTokens, ms: before.ms })).toEqual(step)
  })

  it.each<[string, Partial<RunState>, number, Step]>([
    ['would go over: it is not made', {}, 0.6, { type: 'finish', status: 'stopped', stop: 'usd' }],
    ['just fits', {}, 0.5, { type: 'model', turn: 2 }],
    ['crashed before, and would go over', { request: {} }, 0.6, { type: 'finish', status: 'stopped', stop: 'usd' }],
    ['is not next', { pending: [ready('a')] }, 0.6, { type: 'tools', calls: [ready('a')], refused: [] }],
  ])('a request that %s', (_, part, nextUsd, step) => {
    const spend = { usd: 0.5, tokens: 0, ms: 0, nextUsd }
    expect(decide(Object.freeze(state({ turn: 1, ...part })), { usd: 1 }, spend)).toEqual(
      step.type === 'model' && part.request ? { ...step, turn: 1 } : step,
    )
    expect(decide(state({ turn: 1 }), {}, spend)).toEqual({ type: 'model', turn: 2 })
  })
})
