import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { testPlugin } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import plugin from '../src/index.ts'

/** What the service answers, in the shape that it documents. */
function answer(request: Request): Response {
  const asked = new URL(request.url).searchParams
  if (asked.get('symbols') === 'XXX') return Response.json({ message: 'not found' }, { status: 404 })
  return Response.json({ amount: 1, base: asked.get('base'), date: '2026-01-02', rates: { USD: 1.17 } })
}

describe('__PLUGIN__', () => {
  // What every plugin keeps to: described inputs, clear errors, no leaked keys, an ear for aborts, honest fakes.
  const calls = { exchange_rate: [{ from: 'EUR', to: 'USD' }] }
  const snapshot = (text: string, name: string) => expect(text).toMatchSnapshot(name)
  for (const { name, run } of testPlugin(plugin, { calls, answer, snapshot })) it(name, run)

  it('tells an agent what to do when there is no such currency', async () => {
    const model = scriptedModel([
      { calls: [{ name: 'exchange_rate', arguments: { from: 'EUR', to: 'XXX' } }] },
      'Sorry.',
    ])
    const parts = { fetch: async (request: unknown) => answer(request as Request) }
    const { state } = await new Agent({ name: 'a', model, plugins: [plugin(undefined, parts)] }).run('Euros to X?')
    expect(state.messages[2]?.content).toMatch(/There is no rate from EUR to XXX\. Try other currencies/)
  })
})
