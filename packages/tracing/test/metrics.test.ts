/** What is measured of model calls. */
import { Agent, type Model, ModelError, noUsage } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { afterEach, expect, it } from 'vitest'
import { trace } from '../src/index.ts'
import { measured, type Point } from './exported.ts'

const metrics = measured()
afterEach(() => metrics.close())

it('measures tokens, duration, the first piece and those that follow, also where there are no spans', async () => {
  const use = [trace({ meterProvider: metrics.meterProvider })]
  const usage = { inputTokens: 120, outputTokens: 30 }
  const model = { ...scriptedModel([{ text: 'one two three', chunks: 3, usage }]), provider: 'somebody', id: 'm/x' }
  await new Agent({ name: 'a', model, use }).run('go')
  const failing: Model = {
    id: 'm/x',
    provider: 'somebody',
    async *generate() {
      throw new ModelError('no', { status: 503 })
    },
  }
  await new Agent({ name: 'a', model: failing, use })
    .run('go')
    .result()
    .catch(() => {})
  const silent: Model = {
    id: 'm/y',
    async *generate() {
      return { content: 'hi', finishReason: 'stop', source: { model: 'm/z' }, usage: { ...noUsage, unreported: 1 } }
    },
  }
  await new Agent({ name: 'a', model: silent, use }).run('go')

  const points = await metrics.points()
  const asked = { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'somebody', 'gen_ai.request.model': 'm/x' }
  const answered = { ...asked, 'gen_ai.response.model': 'scripted' }
  const of = (name: string) =>
    points
      .filter((point) => point.name === name)
      .map(({ attributes, count, sum }): Partial<Point> => ({ attributes, count, sum }))
  expect(of('gen_ai.client.token.usage')).toEqual([
    { attributes: { ...answered, 'gen_ai.token.type': 'input' }, count: 1, sum: 120 },
    { attributes: { ...answered, 'gen_ai.token.type': 'output' }, count: 1, sum: 30 },
  ])
  const unknown = {
    ...asked,
    'gen_ai.provider.name': 'unknown',
    'gen_ai.request.model': 'm/y',
    'gen_ai.response.model': 'm/z',
  }
  expect(of('gen_ai.client.operation.duration').map(({ attributes, count }) => [attributes, count])).toEqual([
    [answered, 1],
    [{ ...asked, 'error.type': '503' }, 1],
    [unknown, 1],
  ])
  expect(of('gen_ai.client.operation.time_to_first_chunk').map(({ attributes, count }) => [attributes, count])).toEqual(
    [[answered, 1]],
  )
  expect(
    of('gen_ai.client.operation.time_per_output_chunk').map(({ attributes, count }) => [attributes, count]),
  ).toEqual([[answered, 2]])
  for (const { name, sum } of points)
    if (name.includes('time') || name.includes('duration')) expect(sum).toBeLessThan(60)
})
