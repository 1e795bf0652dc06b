/** What a memory store does with blocks. */
import assert from 'node:assert/strict'
import { type MemoryCase, newTenant, refused } from './memory-desk.ts'

export const memoryBlocks: MemoryCase[] = [
  [
    'a block is written, read and listed with its revision and history, also by who opens it anew',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: 'ada' }
      const memory = await open(parts)
      assert.equal(await memory.readBlock('plan'), undefined)
      assert.deepEqual(await memory.blocks(), [])
      assert.deepEqual(await memory.writeBlock('plan', 'one', 0), { name: 'plan', value: 'one', revision: 1 })
      await memory.writeBlock('about', null, 0)
      await memory.writeBlock('plan', { two: [2] }, 1)
      await memory.writeBlock('plan', 3, 2)
      for (const reader of [memory, await reopen(parts)]) {
        assert.deepEqual(await reader.readBlock('plan'), { name: 'plan', value: 3, revision: 3 })
        assert.deepEqual(await reader.blockHistory('plan'), [
          { name: 'plan', value: 'one', revision: 1 },
          { name: 'plan', value: { two: [2] }, revision: 2 },
        ])
        assert.deepEqual(await reader.blocks(), [
          { name: 'about', value: null, revision: 1 },
          { name: 'plan', value: 3, revision: 3 },
        ])
        assert.deepEqual(await reader.blockHistory('about'), [])
        assert.deepEqual(await reader.blockHistory('nothing'), [])
      }
    },
  ],
  [
    'a block that is written at another revision than its own is refused with the current one, and stays',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant() }
      const memory = await open(parts)
      const early = await refused(memory.writeBlock('plan', 'no', 1), 'StaleBlockError', 'revision 1 of a new block')
      assert.equal((early as { current?: unknown }).current, undefined)
      await memory.writeBlock('plan', 'a', 0)
      await memory.writeBlock('plan', 'b', 1)
      for (const revision of [0, 1, 3, 100]) {
        const error = await refused(
          memory.writeBlock('plan', 'no', revision),
          'StaleBlockError',
          `revision ${revision}`,
        )
        assert.deepEqual((error as { current?: unknown }).current, { name: 'plan', value: 'b', revision: 2 })
      }
      const other = await reopen(parts)
      assert.deepEqual(await other.readBlock('plan'), { name: 'plan', value: 'b', revision: 2 })
      assert.deepEqual((await other.blockHistory('plan')).length, 1)
    },
  ],
  [
    'of two writers of one revision exactly one wins, 20 times, even when they write the same',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: 'ada' }
      const writers = [await open(parts), await reopen(parts)] as const
      for (let round = 0; round < 20; round += 1) {
        const racing = writers.map((writer, index) => writer.writeBlock('plan', round % 2 ? index : 'same', round))
        const outcomes = await Promise.allSettled(racing)
        const winners = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []))
        assert.equal(winners.length, 1, `round ${round}: ${winners.length} of 2 writes of one revision succeeded`)
        await refused(racing[1 - winners[0]!]!, 'StaleBlockError', 'the slower write')
        if (round % 2) assert.equal((await writers[0].readBlock('plan'))?.value, winners[0])
      }
      assert.equal((await writers[1].blockHistory('plan')).length, 19)
    },
  ],
]
