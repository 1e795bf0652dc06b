/** `ask_user`: the run waits for the person, and goes on with the answer. */
import { Agent, failed, memorySession, respond } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { askUser } from '../src/index.ts'
import { resultOf } from './result-of.ts'

const question = { question: 'Which colour?', choices: ['red', 'blue'] }

function waiting() {
  const model = scriptedModel([{ calls: [{ name: 'ask_user', arguments: question }] }, 'Painted.'])
  return { model, agent: new Agent({ name: 'painter', model, tools: [askUser()] }), session: memorySession() }
}

describe('ask_user', () => {
  it('makes the run wait with the question, and the answer is its result', async () => {
    const { model, agent, session } = waiting()
    const paused = await agent.run('Paint it.', { session })
    expect(paused.status).toBe('waiting')
    const [need] = paused.needs ?? []
    expect(need).toMatchObject({ tool: 'ask_user', for: 'result', input: question })
    const result = await agent.resume(session, { [need!.id]: respond('green') })
    expect(result.text).toBe('Painted.')
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: 'tool', content: 'green' })
  })

  it('can be told that nobody answers', async () => {
    const { model, agent, session } = waiting()
    const paused = await agent.run('Paint it.', { session })
    await agent.resume(session, { [paused.needs![0]!.id]: failed('Nobody is here.') })
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({
      isError: true,
      content: expect.stringContaining('Nobody is here.'),
    })
  })

  it.each([
    [{}, 'question'],
    [{ question: '' }, 'question'],
    [{ question: 'Which?', choices: ['one'] }, 'choices'],
  ])('%j comes back to the model, and nobody is asked', async (input, field) => {
    const { text, isError } = await resultOf(askUser(), input)
    expect(isError).toBe(true)
    expect(text).toContain(`${field}: `)
  })

  it('is pure, expires as told, and its fake takes the first choice', () => {
    expect(askUser()).toMatchObject({ effect: 'pure' })
    expect(askUser({ expiresMs: 1000 }).expiresMs).toBe(1000)
    expect(askUser().fake?.(question as never, {} as never)).toBe('red')
    expect(askUser().fake?.({ question: 'Why?' } as never, {} as never)).toBe('Decide yourself.')
    expect(() => askUser({ timeout: 1 } as never)).toThrow('there is no option "timeout"')
  })
})
