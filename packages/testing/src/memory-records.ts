/** What a memory store keeps and gives back: blocks, entries, artifacts, exports. */
import assert from 'node:assert/strict'
import type { Json } from '@clew/core'
import { fact, hardTexts, linesOf, type MemoryCase, newTenant, refused } from './memory-desk.ts'
import type { EntryLike } from './memory-like.ts'

const hardJson = JSON.parse(
  '{"z":1,"a":2,"10":3,"1":4,"__proto__":{"polluted":true},"constructor":{"prototype":1},"":"empty key","nul\\u0000key":"\\u0000\\ud83d",' +
    '"numbers":[0,-1,1e21,1e-7,5e-324,1.7976931348623157e308,0.30000000000000004,9007199254740991],"nothing":[null,false,"",[],{}]}',
) as Json

export const memoryRecords: MemoryCase[] = [
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
  [
    'an export comes back the same, in the same scope once erased and in another one',
    async ({ open, reopen }) => {
      const tenant = newTenant()
      const memory = await open({ tenant, user: 'ada' })
      const thread = await open({ tenant, user: 'ada', thread: 't' })
      await memory.writeBlock('plan', 'one', 0)
      await memory.writeBlock('plan', hardJson, 1)
      await memory.add([fact('a', 'tea 中文 \u0000', { vector: [1, 0.1], source: hardJson }), fact('b', 'coffee')])
      await thread.add([fact('a', 'tea in the thread')])
      const id = await memory.putArtifact(hardTexts.join('|'))
      const lines = await linesOf(memory)
      assert.deepEqual(JSON.parse(lines[0] as string), { clew: 'memory', v: 1 })
      const counts = { blocks: 1, entries: 3, artifacts: 1 }
      const check = async (user: string) => {
        const [all, below] = [await reopen({ tenant, user }), await reopen({ tenant, user, thread: 't' })]
        assert.deepEqual(await linesOf(all), lines)
        assert.deepEqual(await all.blockHistory('plan'), [{ name: 'plan', value: 'one', revision: 1 }])
        assert.equal((await all.readBlock('plan'))?.revision, 2)
        assert.equal((await all.readArtifact(id))?.text, hardTexts.join('|'))
        assert.equal((await below.get('a'))?.text, 'tea in the thread')
        assert.equal((await all.search({ text: 'tea' })).length, 2)
      }
      assert.deepEqual(await (await open({ tenant, user: 'bob' })).import(lines), counts)
      await check('bob')
      // Again: what is there already with the same values stays.
      assert.deepEqual(await (await open({ tenant, user: 'bob' })).import(lines), counts)
      await check('bob')
      await memory.erase()
      assert.deepEqual(await (await open({ tenant, user: 'ada' })).import(asynchronous(lines)), counts)
      await check('ada')
    },
  ],
  [
    'an import with a bad line is refused with its number, and nothing of it is written',
    async ({ open }) => {
      const tenant = newTenant()
      const memory = await open({ tenant, user: 'ada' })
      await memory.add([fact('a', 'x', { vector: [1, 2] }), fact('b', 'x')])
      await memory.writeBlock('plan', 1, 0)
      await memory.putArtifact('text')
      const lines = await linesOf(memory)
      const target = await open({ tenant, user: 'bob' })
      const at = (index: number, line: string) => lines.toSpliced(index, 1, line)
      const [header, block, , , artifact] = lines as [string, string, string, string, string]
      const bad: [line: number, lines: string[]][] = [
        [1, lines.slice(1)],
        [1, at(0, '{"clew":"memory","v":2}')],
        [1, at(0, '{"clew":"session","v":1}')],
        [2, at(1, 'nothing')],
        [2, at(1, '[]')],
        [2, at(1, '{"unknown":1}')],
        [2, at(1, '{"block":"plan","values":[]}')],
        [3, [header, block, block]],
        [3, at(2, '{"entry":{"id":"","kind":"fact","text":"x","at":1}}')],
        [3, at(2, '{"entry":{"id":"q","kind":"fact","text":"x","at":1},"below":["t","u"]}')],
        [3, at(2, '{"entry":{"id":"q","kind":"fact","text":"x","at":1},"below":[""]}')],
        [4, at(3, '{"entry":{"id":"q","kind":"fact","text":"x","at":1,"vector":[1]}}')],
        [5, at(4, artifact.replace('text"}', 'changed"}').replace(':"text"', ':"changed"'))],
        [6, at(5, '{"end":{"blocks":1,"entries":3,"artifacts":1}}')],
        [7, [...lines, block]],
        [3, lines.slice(0, 3)],
        [0, []],
      ]
      for (const [number, given] of bad) {
        const error = await refused(target.import(given), 'InputError', `a bad line ${number}`)
        assert.match(error.message, new RegExp(`\\bline ${number}\\b`, 'i'))
      }
      await memory.writeBlock('plan', 2, 1)
      await refused(memory.import(lines), 'InputError', 'a block that has other values here')
      const empty = await linesOf(target)
      assert.equal(empty.length, 2, `of refused imports was written: ${empty}`)
      await target.add([fact('z', 'x', { vector: [1, 2, 3] })])
      await refused(target.import(lines), 'InputError', 'a vector of another dimension')
      assert.equal(await target.count(), 1)
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

async function* asynchronous(lines: string[]): AsyncGenerator<string> {
  yield* lines
}
