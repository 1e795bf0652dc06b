/** What a memory store does with artifacts. */
import assert from 'node:assert/strict'
import { type MemoryCase, newTenant, refused } from './memory-desk.ts'

export const memoryArtifacts: MemoryCase[] = [
  [
    'an artifact is read whole and in ranges that never split a character',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: 'ada' }
      const memory = await open(parts)
      const text = `ab🧶cd${'x🧶'.repeat(300_000)}end`
      const id = await memory.putArtifact(text)
      assert.equal(await memory.putArtifact(text), id)
      assert.equal(await (await reopen(parts)).putArtifact(text), id)
      assert.notEqual(await memory.putArtifact(`${text} `), id)
      const empty = await memory.putArtifact('')
      const { length } = text
      const reader = await reopen(parts)
      const read = async (from: number, to: number) => (await reader.readArtifact(id, { from, to }))?.text
      const whole = await reader.readArtifact(id)
      assert.equal(whole?.length, length)
      assert.ok(whole?.text === text, 'the artifact came back changed')
      assert.equal(await read(0, 2), 'ab')
      assert.equal(await read(0, 3), 'ab')
      assert.equal(await read(2, 4), '🧶')
      assert.equal(await read(3, 5), '🧶c')
      assert.equal(await read(2, 3), '')
      assert.equal(await read(4, 4), '')
      assert.equal(await read(length - 3, length + 100), 'end')
      assert.equal(await read(length, length + 1), '')
      assert.equal(await read(length + 5, length + 9), '')
      let joined = ''
      for (let from = 0; from < length; from += 100_003) joined += await read(from, from + 100_003)
      assert.ok(joined === text, 'ranges that meet lose or double something')
      assert.deepEqual(await reader.readArtifact(empty), { text: '', length: 0 })
      assert.equal(await reader.readArtifact('0'.repeat(40)), undefined)
      for (const [from, to] of [
        [-1, 2],
        [0, Number.NaN],
        [3, 2],
        [0.5, 2],
      ] as const)
        await refused(reader.readArtifact(id, { from, to }), 'InputError', `the range ${from} to ${to}`)
    },
  ],
]
