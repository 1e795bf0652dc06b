/** What a sub-agent answers reaches its caller whole: images too. */
import { describe, expect, it } from 'vitest'
import { Agent, type Content, type Model, noUsage, type ToolMessage } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

const image = { type: 'image' as const, url: 'data:image/png;base64,iVBORw0KGgo=' }

function painter(content: Content): Model {
  return {
    id: 'painter',
    async *generate() {
      const usage = { ...noUsage, requests: 1, outputTokens: 100, usd: 0.04 }
      return { content, finishReason: 'stop', usage, source: { model: 'painter' } }
    },
  }
}

async function resultOf(content: Content) {
  const sub = new Agent({ name: 'painter', model: painter(content) })
  const model = scriptedModel([{ calls: [{ name: 'painter', arguments: { task: 'a cat' } }] }, 'Done.'])
  const { state, usage } = await new Agent({ name: 'boss', model, tools: [sub.asTool({})] }).run('Paint.')
  return { usage, message: state.messages.find((each): each is ToolMessage => each.role === 'tool')! }
}

describe('the answer of a sub-agent', () => {
  it('comes with its images, and what it cost counts', async () => {
    const { message, usage } = await resultOf([{ type: 'text', text: 'A cat.' }, image])
    expect(message).toMatchObject({ content: [{ type: 'text', text: 'A cat.' }, image] })
    expect(message.isError).toBeUndefined()
    expect(usage).toMatchObject({ requests: 3, usd: 0.04 })
    expect((await resultOf([image])).message.content).toEqual([image])
  })

  it('is a text where it is nothing else', async () => {
    expect((await resultOf([{ type: 'text', text: 'No cat.' }])).message.content).toBe('No cat.')
    expect((await resultOf('No cat.')).message.content).toBe('No cat.')
    expect((await resultOf([])).message.content).toBe('Agent "painter" has nothing to say.')
  })
})
