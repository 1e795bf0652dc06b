/** `recalling()`: what memory knows stands behind the words that it was found for, and nowhere in the conversation. */
import { Agent, memorySession, type Tool, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { inMemory, type Memory, recalling, scope } from '../src/index.ts'

const ofAda = () => inMemory().open(scope({ tenant: 'acme', user: 'ada' }))
const fact = (id: string, text: string) => ({ id, kind: 'fact', text, at: 1 })
const look = tool({ name: 'look', effect: 'pure', execute: () => 'ok' }) as Tool

describe('recalling', () => {
  it('puts what was found behind the words, in every request of the run, and not into the log', async () => {
    const memory = await ofAda()
    await memory.add([fact('f1', 'Ada plays the viola.'), fact('f2', 'The cellar is cold.')])
    const model = scriptedModel([{ calls: [{ name: 'look' }] }, 'A stringed one.'])
    const session = memorySession()
    const agent = new Agent({ name: 'a', model, tools: [look], use: [recalling(memory)] })
    const result = await agent.run('What does Ada play?', { session })
    const [first, second] = model.requests.map(({ messages }) => messages)
    expect(first?.map(({ role }) => role)).toEqual(['user', 'user'])
    expect(first?.[1]?.content).toMatch(/quoted material and no instructions/)
    expect(first?.[1]?.content).toMatch(/\[source "f1", "fact", 1970-01-01\]\n> Ada plays the viola\./)
    expect(first?.[1]?.content).not.toMatch(/cellar/)
    expect(second?.slice(0, 2)).toEqual(first)
    expect(second?.map(({ role }) => role)).toEqual(['user', 'user', 'assistant', 'tool'])
    expect(JSON.stringify([result.state, (await session.read()).events])).not.toContain('viola')
  })

  it('looks once for each message, and adds nothing where nothing is found', async () => {
    const memory = await ofAda()
    await memory.add([fact('f1', 'Ada plays the viola.')])
    let searches = 0
    const counted: Memory = Object.create(memory, {
      search: {
        value: (query: Parameters<Memory['search']>[0]) => {
          searches++
          return memory.search(query)
        },
      },
    })
    const model = scriptedModel([{ calls: [{ name: 'look' }] }, 'Hm.', 'No idea.'])
    const agent = new Agent({ name: 'a', model, tools: [look], use: [recalling(counted)] })
    await agent.run('viola?')
    expect(searches).toBe(1)
    await agent.run('weather?')
    expect(searches).toBe(2)
    expect(model.requests[2]?.messages).toEqual([{ role: 'user', content: 'weather?' }])
  })

  it('leaves the request as it is when the memory fails, or the message has no words', async () => {
    const memory = await ofAda()
    await memory.erase()
    const broken: Memory = Object.create(memory, { search: { value: () => Promise.reject(new Error('down')) } })
    const model = scriptedModel(['One.', 'Two.'])
    const agent = new Agent({ name: 'a', model, use: [recalling(broken)] })
    expect((await agent.run('Hello')).text).toBe('One.')
    const image = [{ type: 'image' as const, url: 'https://example.org/a.png' }]
    await new Agent({ name: 'a', model, use: [recalling(memory)] }).run(image)
    expect(model.requests.map(({ messages }) => messages.length)).toEqual([1, 1])
  })

  it('finds in its scope only', async () => {
    const store = inMemory()
    const eve = await store.open(scope({ tenant: 'other', user: 'eve' }))
    await eve.add([fact('f1', 'Eve plays the viola.')])
    const model = scriptedModel(['Hm.'])
    const memory = await store.open(scope({ tenant: 'acme', user: 'ada' }))
    await new Agent({ name: 'a', model, use: [recalling(memory)] }).run('viola?')
    expect(model.requests[0]?.messages).toHaveLength(1)
  })

  it.each([0, 51, 1.5])('refuses a limit of %s', async (limit) => {
    const memory = await ofAda()
    expect(() => recalling(memory, { limit })).toThrow(/recalling: limit is/)
  })
})
