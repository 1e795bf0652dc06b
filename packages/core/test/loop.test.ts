import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Agent, type RunEvent, tool } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

const weather = tool({
  name: 'weather',
  description: 'The weather in a city.',
  input: z.object({ city: z.string() }),
  effect: 'pure',
  execute: ({ city }) => `Sunny in ${city}`,
})

describe('the loop', () => {
  it('answers without tools', async () => {
    const model = scriptedModel(['Hello.'])
    const result = await new Agent({ name: 'a', model, instructions: 'Be kind.' }).run('Hi')
    expect(result).toMatchObject({
      status: 'done',
      text: 'Hello.',
      output: 'Hello.',
      usage: { requests: 1, inputTokens: 10 },
    })
    expect(model.requests[0]).toMatchObject({
      instructions: 'Be kind.',
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [],
    })
    expect(model.requests[0]).not.toHaveProperty('toolChoice')
  })

  it('runs the calls of a turn and sends their results in the order asked', async () => {
    const model = scriptedModel([
      {
        text: 'Let me look.',
        calls: [
          { id: 'x', name: 'weather', arguments: { city: 'Oslo' } },
          { id: 'y', name: 'weather', arguments: { city: 'Rome' } },
        ],
      },
      'Both are sunny.',
    ])
    const result = await new Agent({ name: 'a', model, tools: [weather] }).run('Compare Oslo and Rome.')
    expect(result.text).toBe('Both are sunny.')
    expect(model.requests[1]!.messages.slice(1)).toMatchObject([
      { role: 'assistant', content: 'Let me look.', toolCalls: [{ wireId: 'x' }, { wireId: 'y' }] },
      { role: 'tool', content: 'Sunny in Oslo' },
      { role: 'tool', content: 'Sunny in Rome' },
    ])
  })

  it('streams the same run', async () => {
    const model = scriptedModel([
      { calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
      { text: 'Sunny.', chunks: 3 },
    ])
    const events: RunEvent[] = []
    for await (const event of new Agent({ name: 'a', model, tools: [weather] }).run('Oslo?')) events.push(event)
    expect(events.map((event) => event.type)).toEqual([
      'run-start',
      'turn-start',
      'tool-input-start',
      'tool-input-delta',
      'tool-input-end',
      'model-end',
      'tool-start',
      'tool-end',
      'turn-start',
      'text-delta',
      'text-delta',
      'text-delta',
      'model-end',
      'run-end',
    ])
  })
})
