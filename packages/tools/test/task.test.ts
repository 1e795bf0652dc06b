/** `task`: work that other agents do apart. */
import { Agent, approve, memorySession, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { task } from '../src/index.ts'

describe('task', () => {
  it('gives the work to the agent that the model names, and its answer is the result', async () => {
    const made = ['Finder One', 'writer'].map((name) => {
      const model = scriptedModel([`${name} did it.`])
      return { model, agent: new Agent({ name, model }) }
    })
    const tools = made.map(({ agent }) => task(agent, { for: `It is ${agent.name}.` }))
    const model = scriptedModel([
      {
        calls: [
          { name: 'task_writer', arguments: { task: 'Write it.' } },
          { name: 'task_Finder_One', arguments: { task: 'Find it.' } },
        ],
      },
      'Both did.',
    ])
    await new Agent({ name: 'boss', model, tools }).run('Find and write.')
    expect(made.map(({ model: { requests } }) => requests[0]?.messages[0]?.content)).toEqual(['Find it.', 'Write it.'])
    expect(model.requests[1]?.messages.slice(-2).map(({ content }) => content)).toEqual([
      'writer did it.',
      'Finder One did it.',
    ])
    expect(model.requests[0]?.tools[1]).toMatchObject({
      description: expect.stringMatching(
        /^Gives a piece of work to another agent: It is writer\. .*nothing of this conversation/,
      ),
      parameters: { required: ['task'] },
    })
  })

  it('waits where the agent waits, with the path to it', async () => {
    let paid = 0
    const pay = tool({ name: 'pay', needsApproval: true, execute: () => ++paid })
    const cashier = new Agent({
      name: 'cashier',
      model: scriptedModel([{ calls: [{ name: 'pay' }] }, 'Paid.']),
      tools: [pay],
    })
    const model = scriptedModel([{ calls: [{ name: 'money', arguments: { task: 'Pay.' } }] }, 'Done.'])
    const boss = new Agent({ name: 'boss', model, tools: [task(cashier, { for: 'It pays.', name: 'money' })] })
    const session = memorySession()
    const paused = await boss.run('Pay.', { session })
    expect(paused.needs?.[0]).toMatchObject({ tool: 'pay', path: ['boss', 'cashier'] })
    expect((await boss.resume(session, { [paused.needs![0]!.id]: approve() })).text).toBe('Done.')
    expect(paid).toBe(1)
  })

  it('can need an approval of its own', async () => {
    const agent = new Agent({ name: 'dear', model: scriptedModel(['Done.']) })
    const model = scriptedModel([{ calls: [{ name: 'task_dear', arguments: { task: 'Think long.' } }] }])
    const boss = new Agent({ name: 'boss', model, tools: [task(agent, { for: 'It thinks.', needsApproval: true })] })
    expect((await boss.run('Go.')).needs?.[0]).toMatchObject({ tool: 'task_dear', for: 'approval' })
  })

  it('has to say what the agent is good for', () => {
    const agent = new Agent({ name: 'quiet', model: scriptedModel([]) })
    expect(() => task(agent, {} as never)).toThrow('say what agent "quiet" is good for')
    expect(() => task(agent, undefined as never)).toThrow('say what agent "quiet" is good for')
    expect(() => task(agent, { for: 'All.', agents: [] } as never)).toThrow('there is no option "agents"')
  })
})
