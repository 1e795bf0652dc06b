/** How a memory store is opened and closed. */
import assert from 'node:assert/strict'
import { fact, type MemoryCase, newTenant, refused } from './memory-desk.ts'

export const memoryOpening: MemoryCase[] = [
  [
    'a scope of bad parts is refused, and no object that looks like one is taken',
    async ({ scope, store }) => {
      const bad: unknown[] = [
        undefined,
        null,
        'acme',
        {},
        { tenant: '' },
        { tenant: 7 },
        { tenant: null },
        { tenant: 'x'.repeat(257) },
        { tenant: 'half \ud83d' },
        { tenant: 'nul \0' },
        { tenant: 'acme', user: '' },
        { tenant: 'acme', user: undefined },
        { tenant: 'acme', thread: 't' },
        { tenant: 'acme', user: 'ada', thread: null },
        { tenant: 'acme', usr: 'ada' },
      ]
      for (const parts of bad) {
        const making = Promise.resolve().then(() => scope(parts as { tenant: string }))
        await refused(making, 'InputError', `the scope ${JSON.stringify(parts)}`)
      }
      scope({ tenant: 'x'.repeat(256), user: '🧶', thread: "'; --" })
      const made = await store()
      for (const like of [{ tenant: 'acme' }, undefined, 'acme', Object.create(scope({ tenant: 'acme' }) as object)])
        await refused(made.open(like), 'InputError', 'an object that is no scope')
    },
  ],
  [
    'close may come twice; afterwards everything is refused with a MemoryError',
    async ({ store, scope }) => {
      const made = await store()
      const parts = { tenant: newTenant() }
      const memory = await made.open(scope(parts))
      await memory.add([fact('a', 'x')])
      await made.close()
      await made.close()
      await refused(made.open(scope(parts)), 'MemoryError', 'opening after close')
      await refused(memory.count(), 'MemoryError', 'counting after close')
      await refused(memory.add([fact('b', 'x')]), 'MemoryError', 'adding after close')
      assert.equal(await (await (await store()).open(scope(parts))).count(), 1)
    },
  ],
]
