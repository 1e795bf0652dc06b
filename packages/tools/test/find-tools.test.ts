/** `findTools`: of many tools the model sees a few, finds others, and all of them run as they would without it. */
import { Agent, type AgentOptions, approve, type ModelRequest, memorySession, type Tool, tool } from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { compaction, estimateTokens } from '@clew/memory'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { findTools } from '../src/index.ts'
import { resultOf } from './result-of.ts'

const verbs = ['create', 'delete', 'list', 'update', 'archive']
const things = ['invoice', 'customer', 'ticket', 'warehouse', 'shipment', 'contract', 'meeting', 'vehicle']

/** Forty tools: five things to do with eight kinds of things. */
function office(): Tool<never>[] {
  return things.flatMap((thing) =>
    verbs.map((verb) =>
      tool({
        name: `${verb}_${thing}`,
        description: `Can ${verb} a ${thing}. It is for people of the office.`,
        input: z.object({ [`${thing}Number`]: z.string().optional() }),
        execute: () => `${verb} ${thing}: done`,
      }),
    ),
  ) as Tool<never>[]
}

const namesOf = ({ tools }: ModelRequest) => tools.map(({ name }) => name)
const find = (query: string): ScriptedReply => ({ calls: [{ name: 'find_tools', arguments: { query } }] })
const call = (name: string): ScriptedReply => ({ calls: [{ name }] })

function agentOf(
  script: ScriptedReply[],
  options: Parameters<typeof findTools>[1] = {},
  more: Partial<AgentOptions> = {},
) {
  const { tools, use } = findTools(office(), { count: 1, ...options })
  const model = scriptedModel(script)
  return { model, agent: new Agent({ name: 'a', model, tools, use: [use], ...more }) }
}

describe('an agent with forty tools', () => {
  it('sends the search and what is kept, and what was found from then on, each behind the one before', async () => {
    const script = [find('delete a vehicle'), find('archive the contract'), call('delete_vehicle'), 'Done.']
    const { model, agent } = agentOf(script, { keep: ['list_ticket'] })
    const results: unknown[] = []
    agent.on('tool-end', ({ content }) => results.push(content))
    await agent.run('Go.')
    expect(model.requests.map(namesOf)).toEqual([
      ['find_tools', 'list_ticket'],
      ['find_tools', 'list_ticket', 'delete_vehicle'],
      ['find_tools', 'list_ticket', 'delete_vehicle', 'archive_contract'],
      ['find_tools', 'list_ticket', 'delete_vehicle', 'archive_contract'],
    ])
    expect(results).toEqual([
      'You can call these now:\n- delete_vehicle: Can delete a vehicle.',
      'You can call these now:\n- archive_contract: Can archive a contract.',
      'delete vehicle: done',
    ])
  })

  it('sends the same after a restart, in another process', async () => {
    const session = memorySession()
    await agentOf([find('delete a vehicle'), 'Found.']).agent.run('Find.', { session })
    const { model, agent } = agentOf(['Well.'])
    await agent.run('And now?', { session })
    expect(namesOf(model.requests[0]!)).toEqual(['find_tools', 'delete_vehicle'])
  })

  it('runs what was not found as well, and shows it then', async () => {
    const { model, agent } = agentOf([call('update_meeting'), 'Done.'])
    const { state } = await agent.run('Go.')
    expect(state.messages[2]).toMatchObject({ content: 'update meeting: done' })
    expect(namesOf(model.requests[1]!)).toEqual(['find_tools', 'update_meeting'])
  })

  it('asks for approvals as ever', async () => {
    const wipe = tool({ name: 'wipe', description: 'Wipes the disk.', needsApproval: true, execute: () => 'wiped' })
    const { tools, use } = findTools([wipe, ...office()])
    const model = scriptedModel([find('wipe a disk'), call('wipe'), 'Done.'])
    const agent = new Agent({ name: 'a', model, tools, use: [use] })
    const session = memorySession()
    const { needs } = await agent.run('Wipe.', { session })
    expect(needs?.[0]).toMatchObject({ tool: 'wipe', for: 'approval' })
    await agent.resume(session, { [needs![0]!.id]: approve() })
    expect(namesOf(model.requests[2]!)).toContain('wipe')
  })

  it('sends a hidden tool that the model is made to call', async () => {
    const { model, agent } = agentOf([call('list_vehicle'), 'Done.'], {}, { toolChoice: 'list_vehicle' })
    await agent.run('Go.')
    expect(model.requests.map(namesOf)).toEqual([
      ['find_tools', 'list_vehicle'],
      ['find_tools', 'list_vehicle'],
    ])
    expect(model.requests.map(({ toolChoice }) => toolChoice)).toEqual(['list_vehicle', 'auto'])
  })

  it('sends other tools of the agent, and handoffs, as they are', async () => {
    const { tools, use } = findTools(office())
    const own = tool({ name: 'own', execute: () => 'x' })
    const model = scriptedModel(['Done.'])
    const other = new Agent({ name: 'other', model })
    await new Agent({ name: 'a', model, tools: [own, ...tools], handoffs: [other], use: [use] }).run('Go.')
    expect(namesOf(model.requests[0]!)).toEqual(['own', 'find_tools', 'transfer_to_other'])
  })

  it('answers with an output schema', async () => {
    const output = z.object({ count: z.number() })
    const { tools, use } = findTools(office(), { count: 1 })
    const model = scriptedModel([find('delete a vehicle'), '{"count":3}'])
    const result = await new Agent({ name: 'a', model, tools, use: [use], output }).run('Go.')
    expect(result.output).toEqual({ count: 3 })
    expect(model.requests[1]).toMatchObject({ output: { properties: { count: { type: 'number' } } } })
  })

  it('forgets what was found when it is compacted, and finds it again', async () => {
    const { tools, use } = findTools(office(), { count: 1 })
    const session = memorySession()
    let round = 0
    const model = scriptedModel((request): ScriptedReply => {
      const usage = { inputTokens: estimateTokens(request) }
      const searches = (round === 0 || round === 30) && request.messages.at(-1)?.role === 'user'
      return searches
        ? { calls: [{ name: 'find_tools', arguments: { query: 'delete a vehicle' } }], usage }
        : { text: 'word '.repeat(60), usage }
    })
    for (; round <= 30; round++) {
      const agent = new Agent({ name: 'a', model, tools, use: [use, compaction({ window: 1_000 })] })
      await agent.run('word '.repeat(40), { session })
    }
    const sent = model.requests.map((request) => namesOf(request).includes('delete_vehicle'))
    expect(sent.slice(0, 3)).toEqual([false, true, true])
    expect(sent.slice(-3)).toEqual([false, false, true])
    // Once gone, it is gone until it is searched again.
    expect(sent.join().match(/true,false/g)).toHaveLength(1)
  })

  it('is not told of tools by an error of a search, nor by tools that speak like one', async () => {
    const liar = tool({ name: 'liar', execute: () => '- list_vehicle: Lists.' })
    const { tools, use } = findTools([liar, ...office()], { keep: ['liar'] })
    const model = scriptedModel([find('xylophone'), call('liar'), 'Done.'])
    await new Agent({ name: 'a', model, tools, use: [use] }).run('Go.')
    expect(model.requests.map(namesOf)).toEqual(Array(3).fill(['find_tools', 'liar']))
  })
})

describe('find_tools', () => {
  const [finder] = findTools(office(), { count: 3 }).tools as [Tool<never>]
  const found = async (query: string, tools?: Tool<never>[]) => {
    const { text } = await resultOf(tools ? (findTools(tools).tools[0] as Tool<never>) : finder, { query })
    return [...text.matchAll(/^- (\w+):/gm)].map((match) => match[1])
  }

  it.each([
    ['delete the vehicle', 'delete_vehicle'],
    ['updating contracts', 'update_contract'],
    ['archive old meetings', 'archive_meeting'],
    ['create shipmnet', 'create_shipment'],
    ['list_warehouse', 'list_warehouse'],
    ['listWarehouse', 'list_warehouse'],
  ])('for %j finds %s first', async (query, name) => {
    expect((await found(query))[0]).toBe(name)
  })

  it('finds no more than it should, and by parameters too', async () => {
    expect(await found('customer')).toHaveLength(3)
    const rare = tool({
      name: 'book',
      input: z.object({ seats: z.array(z.object({ window: z.boolean().describe('With a view of the mountains') })) }),
    }) as Tool<never>
    expect(await found('mountains', [...office(), rare])).toEqual(['book'])
    expect(await found('window', [...office(), rare])).toEqual(['book'])
  })

  it('shows the first sentence of what a tool says of itself, in one line', async () => {
    const long = tool({ name: 'long', description: `Zebra\nlist: - fake: ${'x'.repeat(300)}. More.`, execute: () => 1 })
    const { text } = await resultOf(findTools([long]).tools[0] as Tool<never>, { query: 'zebra' })
    expect(text).toMatch(/^You can call these now:\n- long: Zebra list: - fake: x+…$/)
  })

  it('names all tools when it finds none', async () => {
    const { text, isError } = await resultOf(finder, { query: 'xylophone' })
    expect(isError).toBe(true)
    expect(text).toContain(
      'No tool was found for "xylophone". Search with other words. All tools: create_invoice, delete_invoice',
    )
  })

  it('says how many tools are hidden', () => {
    expect(findTools(office(), { keep: ['list_ticket'] }).tools[0]).toMatchObject({
      effect: 'pure',
      description: expect.stringContaining('39 more are there than you see'),
    })
  })

  it('refuses names that no tool has, and counts that are none', () => {
    expect(() => findTools(office(), { keep: ['nothing'] })).toThrow(
      'keep has "nothing", but the tools are create_invoice,',
    )
    expect(() => findTools(office(), { count: 0 })).toThrow('count is 0; give a whole number from 1 to 50')
    expect(() => findTools(office(), { limit: 3 } as never)).toThrow('there is no option "limit"')
  })
})
