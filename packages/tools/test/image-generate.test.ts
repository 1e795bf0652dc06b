import { Agent, isClewError, type Model, type ToolMessage, textOf } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { openrouter } from '@clew/openrouter'
import { startOpenRouter } from '@clew/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { imageGenerate } from '../src/index.ts'
import { useTool } from './use-tool.ts'

const url = 'data:image/png;base64,iVBORw0KGgo='

/** A model of OpenRouter that answers as the wire contract says of generated images. */
async function painter(delta: object): Promise<{ model: Model; asked: () => unknown }> {
  let asked: unknown
  const server = await startOpenRouter({
    respond: (request) => {
      asked = request
      const usage = { prompt_tokens: 7, completion_tokens: 1290, total_tokens: 1297, cost: 0.04 }
      return {
        chunks: [
          {
            id: 'gen-1',
            model: 'painter',
            choices: [{ index: 0, delta: { role: 'assistant', ...delta }, finish_reason: null }],
          },
          {
            id: 'gen-1',
            model: 'painter',
            choices: [{ index: 0, delta: { content: '' }, finish_reason: 'stop' }],
            usage,
          },
        ],
      }
    },
  })
  onTestFinished(() => server.close())
  const settings = { baseURL: server.url, apiKey: 'k', modalities: ['image', 'text'] }
  return { model: openrouter('google/gemini-2.5-flash-image', settings), asked: () => asked }
}

describe('image_generate', () => {
  it('gives the pictures with a note, and what they cost is in the usage of the run', async () => {
    const images = [{ type: 'image_url', image_url: { url } }]
    const { model, asked } = await painter({ content: 'Here it is.', images })
    const { content, usage, isError } = await useTool(imageGenerate({ model }), { prompt: 'A red ball of thread' })
    expect(isError).toBe(false)
    expect(content).toEqual([
      { type: 'text', text: '1 picture, made by google/gemini-2.5-flash-image:\n' },
      { type: 'text', text: 'Here it is.' },
      { type: 'image', url },
    ])
    expect(usage).toMatchObject({ requests: 3, usd: 0.04 })
    expect(usage.outputTokens).toBeGreaterThanOrEqual(1290)
    expect(asked()).toMatchObject({
      modalities: ['image', 'text'],
      messages: [{ role: 'user', content: 'A red ball of thread' }],
    })
  })

  it('says when no picture was made, and why', async () => {
    const { model } = await painter({ content: 'I do not draw that.' })
    const { text, usage } = await useTool(imageGenerate({ model }), { prompt: 'x' })
    expect(text).toBe('No picture was made. What google/gemini-2.5-flash-image said instead:\nI do not draw that.')
    expect(usage.usd).toBe(0.04)
  })

  it('a failing model is told to the one that asked', async () => {
    const model: Model = {
      id: 'broken',
      async *generate() {
        throw new Error('out of paint')
      },
    }
    const { text, isError } = await useTool(imageGenerate({ model }), { prompt: 'x' })
    expect([isError, text]).toEqual([true, expect.stringContaining('out of paint')])
  })

  it('is bounded by the dollars of the run, and asks a person where that is wanted', async () => {
    const { model } = await painter({ images: [{ type: 'image_url', image_url: { url } }] })
    const call = { calls: [{ name: 'image_generate', arguments: { prompt: 'x' } }] }
    const run = (options: { needsApproval?: boolean }) =>
      new Agent({
        name: 'a',
        model: scriptedModel([call, call, 'Done.']),
        tools: [imageGenerate({ model, ...options })],
        limits: { usd: 0.05 },
      }).run('Go.')
    const spent = await run({})
    expect([spent.status, spent.stop]).toEqual(['stopped', 'usd'])
    expect((await run({ needsApproval: true })).status).toBe('waiting')
  })

  it('has a fake that asks no model', async () => {
    const model = scriptedModel([])
    const tool = imageGenerate({ model })
    const fake = tool.fake as () => ToolMessage['content']
    expect(textOf(fake())).toContain('1 picture, made by scripted')
    expect(fake()).toEqual(fake())
    expect(fake()[1]).toMatchObject({ type: 'image' })
    expect(model.requests).toEqual([])
  })

  it('needs a model', () => {
    let thrown: unknown
    try {
      imageGenerate({} as never)
    } catch (error) {
      thrown = error
    }
    expect(isClewError(thrown, 'definition')).toBe(true)
  })
})
