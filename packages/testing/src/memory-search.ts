/** What a memory store finds by words, by vector and by time, and in which order. */
import assert from 'node:assert/strict'
import { fact, idsOf, type MemoryCase, newTenant, refused } from './memory-desk.ts'

export const memorySearch: MemoryCase[] = [
  [
    'what has more of the query and rarer words of it stands first',
    async ({ open }) => {
      const memory = await open({ tenant: newTenant() })
      await memory.add([
        fact('both', 'green tea in a samovar'),
        fact('rare', 'a samovar stands on the shelf'),
        ...Array.from({ length: 8 }, (_, index) => fact(`common${index}`, `tea number ${index} is here now`)),
        fact('other', 'nothing of it'),
      ])
      const found = await memory.search({ text: 'tea samovar', limit: 100 })
      assert.deepEqual(
        found.slice(0, 2).map(({ entry }) => entry.id),
        ['both', 'rare'],
      )
      assert.equal(found.length, 10)
      assert.deepEqual(
        found.map(({ ranks }) => ranks.text).sort((a, b) => a! - b!),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      )
      assert.equal(found[0]?.ranks.text, 1)
      assert.equal(found[1]?.ranks.text, 2)
      assert.deepEqual(
        (await memory.search({ text: 'tea samovar', limit: 1 })).map(({ entry }) => entry.id),
        ['both'],
      )
    },
  ],
  [
    'the best of many stands first, by words, by vector and by time; of equals those that are newer and were added later',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: 'ada' }
      const memory = await open(parts)
      const many = Array.from({ length: 1100 }, (_, at) =>
        fact(`e${1000 + at}`, 'some tea with other words beside it', { at, vector: [1, 1 + at] }),
      )
      many[7] = fact('words', 'tea, tea and samovar', { at: 7, vector: [-1, 0] })
      many[8] = fact('vector', 'nothing of it', { at: 8, vector: [1, 0] })
      many[9] = fact('a-rare', many[9]!.text, { at: 9, kind: 'rare', vector: [-1, 1] })
      await memory.add(many)
      const better = (_: unknown, index: number) => fact(`b${index}`, 'samovar', { at: 1e6, vector: [1, 0] })
      for (const user of [{}, { user: 'bob' }])
        await (await open({ tenant: parts.tenant, ...user })).add(Array.from({ length: 60 }, better))
      const reader = await reopen(parts)
      const first = async (query: object) => (await reader.search({ ...query, limit: 3 })).map(({ entry }) => entry.id)
      const byText = await reader.search({ text: 'tea samovar', limit: 100 })
      assert.equal(byText.find(({ ranks }) => ranks.text === 1)?.entry.id, 'words')
      const newest = byText.filter(({ ranks }) => ranks.text! > 1 && ranks.text! < 5)
      assert.deepEqual(newest.map(({ entry }) => entry.id).sort(), ['e2097', 'e2098', 'e2099'])
      const byVector = await reader.search({ vector: [1, 0], limit: 100 })
      const nearest = [1, 2, 3].map((rank) => byVector.find(({ ranks }) => ranks.vector === rank)?.entry.id)
      assert.deepEqual(nearest, ['vector', 'e1000', 'e1001'])
      assert.deepEqual(await first({}), ['e2099', 'e2098', 'e2097'])
      assert.deepEqual(await first({ text: 'samovar' }), ['words'])
      for (const query of [{}, { text: 'tea' }, { vector: [1, 0] }])
        assert.deepEqual(await first({ ...query, kinds: ['rare'] }), ['a-rare'])
    },
  ],
  [
    'vectors are ranked by their angle, whatever their length',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant(), user: 'ada' }
      const memory = await open(parts)
      await memory.add([
        fact('east', 'x', { vector: [10, 0] }),
        fact('near', 'x', { vector: [1, 0.2] }),
        fact('north', 'x', { vector: [0, 3] }),
        fact('west', 'x', { vector: [-5, 0] }),
        fact('none', 'x', { vector: [0, 0] }),
        fact('without', 'x'),
      ])
      const found = await (await reopen(parts)).search({ vector: [0.1, 0] })
      const byRank = found.toSorted((one, two) => one.ranks.vector! - two.ranks.vector!).map(({ entry }) => entry.id)
      assert.deepEqual(byRank.slice(0, 2), ['east', 'near'])
      assert.deepEqual(byRank.slice(2, 4).sort(), ['none', 'north'])
      assert.equal(byRank[4], 'west')
      assert.equal(found.length, 5)
      assert.ok(
        found.every(({ entry }) => !('vector' in entry)),
        'vectors stand in what was found',
      )
      for (const vector of [[], [Number.NaN, 1], [1, 2, 3], [Number.POSITIVE_INFINITY, 1], 'x'])
        await refused(memory.search({ vector: vector as number[] }), 'InputError', `the vector ${vector}`)
    },
  ],
  [
    'text, vector and time are fused by reciprocal rank, and each rank is told',
    async ({ open }) => {
      const memory = await open({ tenant: newTenant() })
      await memory.add([
        fact('text', 'tea tea', { at: 1, vector: [0, 1] }),
        fact('vector', 'coffee', { at: 2, vector: [1, 0] }),
        fact('new', 'tea and many more words beside it', { at: 3, vector: [1, 1] }),
        fact('neither', 'water', { at: 4 }),
      ])
      const found = await memory.search({ text: 'tea', vector: [1, 0] })
      assert.deepEqual(
        found.map(({ entry, ranks }) => [entry.id, ranks]),
        [
          ['new', { text: 2, vector: 2, recency: 1 }],
          ['text', { text: 1, vector: 3, recency: 3 }],
          ['vector', { vector: 1, recency: 2 }],
        ],
      )
      assert.ok(Math.abs(found[0]!.score - (1 / 62 + 1 / 62 + 1 / 61)) < 1e-12, `the score is ${found[0]!.score}`)
    },
  ],
  [
    'without text and vector the newest are found; kinds and limit narrow',
    async ({ open }) => {
      const memory = await open({ tenant: newTenant() })
      await memory.add([
        ...Array.from({ length: 12 }, (_, at) => fact(`f${at}`, 'tea', { at })),
        fact('p', 'tea', { kind: 'passage', at: 5.5 }),
      ])
      const newest = ['f11', 'f10', 'f9', 'f8', 'f7', 'f6', 'p', 'f5', 'f4', 'f3']
      assert.deepEqual(await idsOf(memory, {}), newest)
      assert.deepEqual(await idsOf(memory, { limit: 2 }), ['f11', 'f10'])
      assert.deepEqual(await idsOf(memory, { kinds: ['passage'] }), ['p'])
      assert.deepEqual(await idsOf(memory, { text: 'tea', kinds: ['passage', 'nothing'] }), ['p'])
      assert.deepEqual(await idsOf(memory, { kinds: ['nothing'] }), [])
      assert.deepEqual(await idsOf(memory, { vector: [1, 0], kinds: ['passage'] }), [])
      const kinds = ['passage', ...Array.from({ length: 500 }, (_, at) => `"kind" ${at}`)]
      assert.deepEqual(await idsOf(memory, { text: 'tea', kinds }), ['p'])
      assert.equal((await memory.search({ text: 'tea', limit: 1000 })).length, 13)
      for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1001, '3', null])
        await refused(memory.search({ text: 'tea', limit: limit as number }), 'InputError', `the limit ${limit}`)
      for (const query of [undefined, { kinds: [] }, { kinds: [''] }, { text: 7 }])
        await refused(memory.search(query as never), 'InputError', `the query ${JSON.stringify(query)}`)
    },
  ],
  [
    'a search covers its scope and those below, and tells where an entry stands',
    async ({ open, reopen, scope }) => {
      const tenant = newTenant()
      const places = [
        { tenant },
        { tenant, user: 'ada' },
        { tenant, user: 'ada', thread: 't' },
        { tenant, user: 'ada', thread: 't2' },
        { tenant, user: 'bob' },
      ]
      for (const [at, place] of places.entries())
        await (await open(place)).add([fact('same', 'tea', { at, vector: [1, at] })])
      const covered = [[4, 3, 2, 1, 0], [3, 2, 1], [2], [3], [4]]
      for (const [at, place] of places.entries()) {
        const memory = await reopen(place)
        for (const query of [{}, { text: 'tea' }, { vector: [1, 4] }, { text: 'tea', kinds: ['fact'] }]) {
          const found = await memory.search(query)
          const standing = found.toSorted((one, two) => two.entry.at - one.entry.at)
          assert.deepEqual(
            standing.map(({ entry }) => entry.at),
            covered[at],
            JSON.stringify([place, query]),
          )
          for (const { entry, scope: where } of found) assert.equal(String(where), String(scope(places[entry.at]!)))
        }
        assert.equal((await memory.get('same'))?.at, at)
        assert.equal(await memory.count(), 1)
      }
    },
  ],
]
