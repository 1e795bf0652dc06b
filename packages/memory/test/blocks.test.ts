/** Working memory as tools. */
import { DefinitionError } from '@clew/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { blockTools, inMemory, type Memory, patchBlock, scope } from '../src/index.ts'
import { call } from './call.ts'

const schema = z.object({
  title: z.string().default('untitled'),
  tasks: z.array(z.object({ text: z.string(), done: z.boolean() })).default([]),
})
const plan = { schema, description: 'What is to be done.' }
const add = (text: string) => ({ op: 'add', path: '/tasks/-', value: { text, done: false } })

describe('blockTools', () => {
  let memory: Memory
  beforeEach(async () => {
    memory = await inMemory().open(scope({ tenant: 'acme', user: 'ada' }))
  })
  const ask = async (name: string, input: object) => JSON.parse(await call(blockTools(memory, { plan }), name, input))

  it('reads a block that is not there as an empty one of revision 0', async () => {
    expect(await ask('read_block', { name: 'plan' })).toEqual({ name: 'plan', revision: 0, value: {} })
  })

  it('patches from the revision that was read, and keeps what the schema makes of the value', async () => {
    const patch = [{ op: 'add', path: '/tasks', value: [] }, add('tea'), { op: 'add', path: '/unknown', value: 1 }]
    const first = { name: 'plan', revision: 1, value: { title: 'untitled', tasks: [{ text: 'tea', done: false }] } }
    expect(await ask('patch_block', { name: 'plan', revision: 0, patch })).toEqual(first)
    expect(await ask('read_block', { name: 'plan' })).toEqual(first)
    const done = [{ op: 'replace', path: '/tasks/0/done', value: true }]
    expect(await ask('patch_block', { name: 'plan', revision: 1, patch: done })).toMatchObject({ revision: 2 })
    expect(await memory.blockHistory('plan')).toEqual([{ name: 'plan', revision: 1, value: first.value }])
  })

  it('refuses a stale patch with the block as it is', async () => {
    await memory.writeBlock('plan', { title: 'now', tasks: [] }, 0)
    for (const revision of [0, 2]) {
      const refused = await ask('patch_block', { name: 'plan', revision, patch: [add('tea')] })
      expect(refused).toEqual({
        refused: expect.stringContaining(`not at revision ${revision} any more`),
        name: 'plan',
        revision: 1,
        value: { title: 'now', tasks: [] },
      })
    }
    expect(await memory.readBlock('plan')).toMatchObject({ revision: 1 })
  })

  it('of two patches of one revision takes one, and tells the other what came of it', async () => {
    await memory.writeBlock('plan', { title: 'now', tasks: [] }, 0)
    const outcomes = await Promise.all(['a', 'b'].map((text) => patchBlock(memory, 'plan', plan, 1, [add(text)])))
    expect(outcomes.filter((outcome) => 'refused' in outcome)).toHaveLength(1)
    const { tasks } = (await memory.readBlock('plan'))!.value as { tasks: { text: string }[] }
    expect(tasks).toHaveLength(1)
    expect(outcomes.find((outcome) => 'refused' in outcome)).toMatchObject({ revision: 2, value: { tasks } })
  })

  it('run again after it had its effect, changes nothing and shows it', async () => {
    const input = { name: 'plan', revision: 0, patch: [{ op: 'add', path: '/title', value: 'one' }] }
    await ask('patch_block', input)
    expect(await ask('patch_block', input)).toMatchObject({
      refused: expect.any(String),
      revision: 1,
      value: { title: 'one' },
    })
    expect(await memory.blockHistory('plan')).toEqual([])
    expect(blockTools(memory, { plan }).map(({ name, effect }) => [name, effect])).toEqual([
      ['read_block', 'pure'],
      ['patch_block', 'idempotent'],
    ])
  })

  it('refuses what the schema refuses, with the path, and what the patch cannot do', async () => {
    const patch = [{ op: 'add', path: '/tasks', value: [{ text: 7, done: false }] }]
    const { refused } = await ask('patch_block', { name: 'plan', revision: 0, patch })
    expect(refused).toMatch(/nothing was changed:\n\/tasks\/0\/text: /)
    const remove = await ask('patch_block', { name: 'plan', revision: 0, patch: [{ op: 'remove', path: '/title' }] })
    expect(remove.refused).toMatch(/Operation 0: there is nothing at "\/title"/)
    expect(await memory.blocks()).toEqual([])
  })

  it('bounds the JSON of a value: 4,000 characters, or as many as are given', async () => {
    const titled = (length: number) => [{ op: 'add', path: '/title', value: 'x'.repeat(length) }]
    const around = JSON.stringify({ title: '', tasks: [] }).length
    expect(await patchBlock(memory, 'plan', plan, 0, titled(4001 - around))).toEqual({
      refused: 'The block would have 4001 characters of JSON; it may have 4000. Shorten it. Nothing was changed.',
    })
    expect(await patchBlock(memory, 'plan', plan, 0, titled(4000 - around))).toMatchObject({ revision: 1 })
    expect(await patchBlock(memory, 'plan', { ...plan, maxChars: 50 }, 1, titled(51 - around))).toHaveProperty(
      'refused',
    )
    expect(await patchBlock(memory, 'plan', { ...plan, maxChars: 50 }, 1, titled(50 - around))).toMatchObject({
      revision: 2,
    })
  })

  it('knows only the blocks that it was given', async () => {
    await memory.writeBlock('secret', 'x', 0)
    expect(await call(blockTools(memory, { plan }), 'read_block', { name: 'secret' })).toMatch(/name/)
    expect(await call(blockTools(memory, { plan }), 'read_block', { name: 'secret' })).not.toContain('"x"')
    expect(
      await call(blockTools(memory, { plan }), 'patch_block', { name: '__proto__', revision: 0, patch: [add('x')] }),
    ).toMatch(/name/)
  })

  it('tells the model what blocks there are and what they have to be', async () => {
    const [read, patch] = await Promise.all(blockTools(memory, { plan }).map((each) => each.spec()))
    expect(read?.description).toContain('- plan: What is to be done.')
    expect(patch?.description).toContain('"tasks"')
  })

  it('refuses definitions that cannot work', () => {
    expect(() => blockTools(memory, {})).toThrow(DefinitionError)
    expect(() => blockTools(memory, { plan: { ...plan, maxChars: 0 } })).toThrow(/maxChars is 0/)
    expect(() => blockTools(memory, { plan: { description: '', schema: {} as never } })).toThrow(/no Standard Schema/)
  })
})
