/** The seam for compaction: what a middleware puts in the place of the history's beginning is checked, logged, and holds. */
import { describe, expect, it } from 'vitest'
import {
  Agent,
  type Compaction,
  checkHistory,
  fold,
  type HistoryView,
  isClewError,
  type Middleware,
  ModelError,
  memorySession,
  noUsage,
  type Tool,
  tool,
} from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

const look = tool({ name: 'look', effect: 'pure', execute: () => 'ok' }) as Tool
const calls = [{ name: 'look' }]
const summary = (text: string) => [{ role: 'user' as const, content: text }]
const overflow = () =>
  new ModelError('too long', { kind: 'context-overflow', usage: { ...noUsage, requests: 1, inputTokens: 7 } })

function agentOf(
  replies: ScriptedReply[],
  compact: NonNullable<Middleware['compact']>,
  more: Partial<Agent['options']> = {},
) {
  const model = scriptedModel(replies)
  const use = [{ name: 'shorter', compact }]
  return { model, agent: new Agent({ name: 'a', model, tools: [look], instructions: 'Be brief.', use, ...more }) }
}

const roles = (messages: readonly { role: string }[]) => messages.map(({ role }) => role).join(' ')

describe('a compaction', () => {
  it('is asked before each turn; what it gives holds from then on, in the log as well', async () => {
    const views: HistoryView[] = []
    const { agent, model } = agentOf([{ calls }, { calls }, 'Done.'], (view) => {
      views.push(view)
      return views.length === 2 ? { upTo: 3, replacement: summary('They looked.') } : undefined
    })
    const session = memorySession()
    const result = await agent.run('go', { session })
    expect(model.requests.map(({ messages }) => roles(messages))).toEqual(['user', 'user', 'user assistant tool'])
    expect(model.requests[2]?.messages[0]).toEqual({ role: 'user', content: 'They looked.' })
    expect(views[1]).toMatchObject({
      instructions: 'Be brief.',
      tools: [{ name: 'look' }],
      counted: { tokens: 15, messages: 2 },
    })
    expect(views[0]).not.toHaveProperty('counted')
    const { events } = await session.read()
    expect(fold(events)).toEqual(result.state)
    expect(events.filter(({ type }) => type === 'model-end')).toHaveLength(3)
    expect(result.state.counted).toEqual({ tokens: 15, messages: 4 })
  })

  it('knows what the model’s context holds, and what was counted in the run before', async () => {
    const views: HistoryView[] = []
    const { agent, model } = agentOf(['1', '2'], (view) => void views.push(view))
    model.contextTokens = () => 262_144
    const session = memorySession()
    await agent.run('one', { session })
    await agent.run('two', { session })
    expect(views.map(({ counted, contextTokens }) => [counted, contextTokens])).toEqual([
      [undefined, 262_144],
      [{ tokens: 15, messages: 2 }, 262_144],
    ])
  })

  it.each<[string, Compaction, RegExp]>([
    ['cuts a call from its result', { upTo: 2, replacement: [] }, /no such call stands before it/],
    [
      'leaves a call without its result',
      {
        upTo: 3,
        replacement: [
          { role: 'assistant', content: '', toolCalls: [{ id: 'x', wireId: 'x', name: 'x', arguments: '{}' }] },
        ],
      },
      /should be the result of call "x"/,
    ],
    ['replaces nothing', { upTo: 0, replacement: summary('x') }, /upTo is 0 of 3/],
    ['replaces more than there is', { upTo: 4, replacement: summary('x') }, /upTo is 4 of 3/],
    ['has no number', { upTo: '2' as never, replacement: [] }, /upTo is "2"/],
    ['has no messages', { upTo: 3, replacement: undefined as never }, /with no in their place/],
  ])('that %s is refused, and nothing of it is in the log', async (_, made, message) => {
    const { agent } = agentOf([{ calls }, 'Done.'], (view) => (view.messages.length === 3 ? made : undefined))
    const session = memorySession()
    const error = await agent
      .run('go', { session })
      .result()
      .catch((thrown) => thrown)
    expect(isClewError(error, 'run')).toBe(true)
    expect(error.message).toMatch(/Middleware "shorter": compact\(\) gave a history/)
    expect(error.message).toMatch(message)
    expect((await session.read()).events.at(-1)?.type).toBe('tool-end')
    const mended = new Agent({ ...agent.options, use: [] })
    expect((await mended.resume(session)).status).toBe('done')
  })

  it('changes nothing through what it holds of the history', async () => {
    const held: { content: unknown }[] = summary('short')
    const { agent, model } = agentOf([{ calls }, 'Done.'], (view) => {
      ;(view.messages as unknown[]).length = 0
      return view.overflow ? undefined : { upTo: 1, replacement: held as never }
    })
    const session = memorySession()
    await agent
      .run('go', { session })
      .result()
      .catch(() => {})
    held[0]!.content = 'changed'
    expect(model.requests[0]?.messages).toEqual(summary('short'))
    expect(JSON.stringify((await session.read()).events)).not.toContain('changed')
  })
})

describe('a request that is too long', () => {
  it('is made once more with a shorter history, in the same turn, and its cost counts', async () => {
    const seen: (boolean | undefined)[] = []
    const { agent, model } = agentOf([{ calls }, overflow(), 'Done.'], (view) => {
      seen.push(view.overflow)
      return view.overflow ? { upTo: 3, replacement: summary('They looked.') } : undefined
    })
    const session = memorySession()
    const result = await agent.run('go', { session })
    expect([result.text, result.usage.inputTokens, result.state.turn]).toEqual(['Done.', 10 + 7 + 10, 2])
    expect(seen).toEqual([undefined, undefined, true])
    expect(roles(model.requests[2]!.messages)).toBe('user')
    const { events } = await session.read()
    expect(events.slice(-5).map(({ type }) => type)).toEqual([
      'turn-start',
      'compacted',
      'model-restart',
      'model-end',
      'run-end',
    ])
    expect(fold(events)).toEqual(result.state)
    for (let cut = 1; cut <= events.length; cut++) {
      const cutOff = memorySession('c', events.slice(0, cut))
      const again = scriptedModel(({ messages }) => (checkHistory(messages) ? new Error('invalid') : 'Done.'))
      expect((await new Agent({ ...agent.options, model: again }).resume(cutOff)).text).toBe('Done.')
    }
  })

  it('twice fails the run; so does one that nothing could make shorter', async () => {
    const twice = agentOf([overflow(), overflow()], (view) =>
      view.overflow ? { upTo: 1, replacement: summary('s') } : undefined,
    )
    await expect(twice.agent.run('go')).rejects.toThrow(/too long/)
    const session = memorySession()
    const never = agentOf([overflow()], () => undefined)
    await expect(never.agent.run('go', { session })).rejects.toThrow(/too long/)
    expect(never.model.requests).toHaveLength(1)
    expect((await session.read()).events.at(-1)).toMatchObject({ type: 'model-failed', usage: { inputTokens: 7 } })
  })

  it('is left when the run is, while the history is made shorter', async () => {
    const controller = new AbortController()
    const { agent } = agentOf([overflow()], (view) => {
      if (!view.overflow) return undefined
      controller.abort()
      return new Promise(() => {})
    })
    const session = memorySession()
    const error = await agent
      .run('go', { session, signal: controller.signal })
      .result()
      .catch((thrown) => thrown)
    expect(isClewError(error, 'abort')).toBe(true)
    expect((await session.read()).events.map(({ type }) => type).slice(-2)).toEqual(['model-aborted', 'run-end'])
  })
})
