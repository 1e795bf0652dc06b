/** What a memory store takes, keeps and gives back: entries, and the values of everything. */
import assert from 'node:assert/strict'
import { fact, hardJson, hardTexts, type MemoryCase, newTenant, refused } from './memory-desk.ts'
import type { EntryLike } from './memory-like.ts'

export const memoryEntries: MemoryCase[] = [
  [
    'entries are added, read, replaced, counted and removed, also by who opens them anew',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: 'ada', thread: 't' }
      const memory = await open(parts)
      assert.equal(await memory.count(), 0)
      const first = fact('one', 'Ada likes tea', { source: { page: [1] }, vector: [0.5, -0.25] })
      const second: EntryLike = { id: 'two', kind: 'passage', text: '', at: -1.5 }
      await memory.add([first, second])
      for (const reader of [memory, await reopen(parts)]) {
        assert.deepEqual(await reader.get('one'), first)
        assert.deepEqual(await reader.get('two'), second)
        assert.equal(await reader.get('three'), undefined)
        assert.equal(await reader.count(), 2)
      }
      const replaced = fact('one', 'Ada likes coffee', { kind: 'belief', at: 2000 })
      await memory.add([replaced])
      assert.deepEqual(await memory.get('one'), replaced)
      assert.equal(await memory.count(), 2)
      assert.deepEqual((await memory.search({ text: 'tea' })).length, 0)
      await memory.add([fact('three', 'first'), fact('three', 'last')])
      assert.equal((await memory.get('three'))?.text, 'last')
      await memory.add([])
      assert.equal(await memory.remove(['one', 'nothing', 'one']), 1)
      assert.equal(await memory.remove([]), 0)
      assert.equal(await (await reopen(parts)).count(), 2)
      assert.equal(await memory.get('one'), undefined)
      assert.deepEqual((await memory.search({ text: 'coffee' })).length, 0)
    },
  ],
  [
    'every character comes back as it was, in every field',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: '../ü "\'\\🧶', thread: "'; DROP TABLE memory; --" }
      const memory = await open(parts)
      const entries = hardTexts.map((text, at) =>
        fact(text, text, { kind: text, at, source: [text, { [text]: text }] }),
      )
      await memory.add([...entries, fact('json', '', { source: hardJson })])
      for (const text of hardTexts) await memory.writeBlock(text, [text], 0)
      await memory.writeBlock('json', hardJson, 0)
      const artifacts = new Map<string, string>()
      for (const text of hardTexts) artifacts.set(await memory.putArtifact(text), text)
      assert.equal(artifacts.size, hardTexts.length, 'two texts have one id')
      const reader = await reopen(parts)
      assert.equal(await reader.count(), entries.length + 1)
      for (const entry of entries) assert.deepEqual(await reader.get(entry.id), entry)
      for (const text of hardTexts) assert.deepEqual((await reader.readBlock(text))?.value, [text])
      assert.deepEqual(
        (await reader.blocks()).map(({ name }) => name),
        [...hardTexts, 'json'].sort(),
      )
      assert.equal(JSON.stringify((await reader.readBlock('json'))?.value), JSON.stringify(hardJson))
      assert.equal(JSON.stringify((await reader.get('json'))?.source), JSON.stringify(hardJson))
      for (const [id, text] of artifacts) assert.deepEqual(await reader.readArtifact(id), { text, length: text.length })
      assert.equal(({} as { polluted?: boolean }).polluted, undefined)
    },
  ],
  [
    'what cannot be kept is refused before anything is written',
    async ({ open }) => {
      const memory = await open({ tenant: newTenant() })
      await memory.add([fact('kept', 'kept', { vector: [1, 2, 3] })])
      const cycle: { self?: unknown } = {}
      cycle.self = cycle
      const wrong: [what: string, entry: unknown][] = [
        ['no entry', null],
        ['an empty id', fact('', 'x')],
        ['a number as id', { ...fact('a', 'x'), id: 7 }],
        ['a long id', fact('x'.repeat(257), 'x')],
        ['an empty kind', fact('a', 'x', { kind: '' })],
        ['no text', { ...fact('a', 'x'), text: undefined }],
        ['no time', fact('a', 'x', { at: Number.NaN })],
        ['a source that is no JSON', { ...fact('a', 'x'), source: { when: new Date() } }],
        ['a source with undefined', { ...fact('a', 'x'), source: [undefined] }],
        ['a source with NaN', fact('a', 'x', { source: [Number.NaN] })],
        ['a source in a circle', { ...fact('a', 'x'), source: cycle }],
        ['an empty vector', fact('a', 'x', { vector: [] })],
        ['NaN in a vector', fact('a', 'x', { vector: [1, Number.NaN, 3] })],
        ['Infinity in a vector', fact('a', 'x', { vector: [1, Number.POSITIVE_INFINITY, 3] })],
        ['a number beyond float32', fact('a', 'x', { vector: [1, 1e300, 3] })],
        ['a text in a vector', { ...fact('a', 'x'), vector: [1, '2', 3] }],
        ['a vector of another dimension', fact('a', 'x', { vector: [1, 2] })],
      ]
      for (const [what, entry] of wrong)
        await refused(memory.add([fact('before', 'x'), entry as EntryLike, fact('z', 'x')]), 'InputError', what)
      const two = [fact('a', 'x', { vector: [1] }), fact('b', 'x', { vector: [1, 2] })]
      await refused(memory.add(two), 'InputError', 'vectors of two dimensions')
      await refused(memory.add('all' as never), 'InputError', 'entries that are no list')
      assert.equal(await memory.count(), 1)
      // All of them at once may change it.
      await memory.add([fact('kept', 'kept', { vector: [1, 2] })])
      const longer = fact('a', 'x', { vector: [1, 2, 3] })
      await refused(memory.add([longer]), 'InputError', 'a vector of the dimension that there was before')
      // Nor is there one any more when they are all removed.
      assert.equal(await memory.remove(['kept']), 1)
      await memory.add([longer])
      for (const value of [undefined, () => 1, 1n, [new Map()], Number.NaN, cycle])
        await refused(memory.writeBlock('plan', value as never, 0), 'InputError', 'a block that is no JSON')
      for (const revision of [-1, 0.5, Number.NaN, '0', undefined])
        await refused(memory.writeBlock('plan', 1, revision as never), 'InputError', `revision ${revision}`)
      for (const name of ['', 'x'.repeat(257), 7])
        await refused(memory.writeBlock(name as never, 1, 0), 'InputError', `a block named ${name}`)
      await refused(memory.putArtifact(7 as never), 'InputError', 'an artifact that is no text')
      assert.deepEqual(await memory.blocks(), [])
    },
  ],
  [
    'what is done with a value after it was given, or with one that was read, changes nothing',
    async ({ open }) => {
      const memory = await open({ tenant: newTenant() })
      const [value, vector, source] = [['a'], [1, 2], { page: 1 }]
      const entry = fact('one', 'one', { vector, source })
      const writing = [memory.writeBlock('plan', value, 0), memory.add([entry])]
      // At once: a store that copies later has a reference.
      value.push('b')
      vector[0] = 9
      source.page = 9
      entry.text = 'changed'
      const written = await Promise.all(writing)
      ;(written[0] as { value: string[] }).value.push('c')
      ;((await memory.readBlock('plan'))!.value as string[]).push('d')
      ;(await memory.get('one'))?.vector?.push(3)
      assert.deepEqual((await memory.readBlock('plan'))?.value, ['a'])
      assert.deepEqual(await memory.get('one'), fact('one', 'one', { vector: [1, 2], source: { page: 1 } }))
    },
  ],
]
