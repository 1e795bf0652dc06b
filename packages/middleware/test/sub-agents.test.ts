/** Layers around an agent that calls agents: what passes between them stays whole. */
import { Agent, approve, fold, memorySession, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { guard, guardLoops, redact } from '../src/index.ts'

const input = { type: 'object', properties: {} } as const
const key = `sk-or-v1-${'0123456789abcdef'.repeat(4)}`
const task = { calls: [{ name: 'child', arguments: { task: 'x' } }] }
const look = (needsApproval = false) => tool({ name: 'look', input, needsApproval, effect: 'pure', execute: () => key })

describe('around a sub-agent', () => {
  it('the log stays whole, an agent that waits is not judged, and its answer is', async () => {
    const use = [
      guardLoops(),
      guard({ tool: { after: ({ outcome }) => void judged.push(outcome.content) as undefined } }),
    ]
    const judged: unknown[] = []
    const session = memorySession()
    const child = new Agent({
      name: 'child',
      model: scriptedModel([{ calls: [{ name: 'look' }] }, `found ${key}`]),
      tools: [look(true)],
      use: [redact({ env: false })],
    })
    const model = scriptedModel([task, 'ok'])
    const agent = new Agent({ name: 'a', model, tools: [child.asTool()], use: [...use, redact({ env: false })] })
    const paused = await agent.run('go', { session })
    expect(paused.status).toBe('waiting')
    expect(judged).toEqual([])
    const result = await agent.resume(session, { [paused.needs![0]!.id]: approve() })
    expect(result.status).toBe('done')
    expect(judged).toEqual(['found [redacted]'])
    const { events } = await session.read()
    expect(fold(events)).toEqual(result.state)
    expect(events.filter(({ type }) => type === 'child').length).toBeGreaterThan(5)
    expect(
      JSON.stringify(events.filter((event) => event.type === 'child' && event.event.type === 'tool-end')),
    ).toContain('"content":"[redacted]"')
  })

  it('a stop below is a result for the caller, which goes on', async () => {
    const stopped = new Agent({
      name: 'child',
      model: scriptedModel(['the secret']),
      use: [guard({ output: () => ({ stop: 'why' }) })],
    })
    const model = scriptedModel([task, 'ok'])
    const result = await new Agent({ name: 'a', model, tools: [stopped.asTool()] }).run('go')
    expect(result).toMatchObject({ status: 'done', text: 'ok' })
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({
      isError: true,
      content: 'Agent "child" was stopped (guard) before it was done.',
    })
    expect(JSON.stringify(result.state)).not.toContain('secret')
  })

  it('a loop is counted in the agent that makes it', async () => {
    const circling = { calls: [{ name: 'look' }] }
    const child = new Agent({
      name: 'child',
      model: scriptedModel([...Array(5).fill(circling), 'nothing']),
      tools: [look()],
      use: [guardLoops()],
    })
    const model = scriptedModel([task, 'ok'])
    const result = await new Agent({ name: 'a', model, tools: [child.asTool()], use: [guardLoops()] }).run('go')
    expect(result.status).toBe('done')
    expect(model.requests[1]!.messages.at(-1)!.content).toBe(
      'Agent "child" was stopped (loop) before it was done. So far:\nnothing',
    )
  })
})
