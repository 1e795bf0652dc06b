/** How a memory leaves a store, and comes into one. */
import assert from 'node:assert/strict'
import { fact, hardJson, hardTexts, linesOf, type MemoryCase, newTenant, refused, said } from './memory-desk.ts'

export const memoryExport: MemoryCase[] = [
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
      const batches = [said('b1', ...hardTexts), said('b\u0000 \ud83d', JSON.stringify(hardJson))] as const
      const end = await memory.session('chat').append(0, batches[0])
      await memory.session('chat').append(end, batches[1])
      await thread.session('chat').append(0, said('b1', 'in the thread'))
      const log = await memory.session('chat').read()
      const lines = await linesOf(memory)
      assert.deepEqual(JSON.parse(lines[0] as string), { clew: 'memory', v: 1 })
      const counts = { blocks: 1, entries: 3, artifacts: 1, sessions: 2 }
      const check = async (user: string) => {
        const [all, below] = [await reopen({ tenant, user }), await reopen({ tenant, user, thread: 't' })]
        assert.deepEqual(await linesOf(all), lines)
        assert.deepEqual(await all.blockHistory('plan'), [{ name: 'plan', value: 'one', revision: 1 }])
        assert.equal((await all.readBlock('plan'))?.revision, 2)
        assert.equal((await all.readArtifact(id))?.text, hardTexts.join('|'))
        assert.equal((await below.get('a'))?.text, 'tea in the thread')
        assert.equal((await all.search({ text: 'tea' })).length, 2)
        assert.deepEqual(await all.session('chat').read(), log)
        assert.equal((await below.session('chat').read()).at, 1)
        // Batches are known by what they were called.
        assert.equal(await all.session('chat').append(end, batches[1]), log.at)
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
      await memory.session('chat').append(0, said('b1', 'tea'))
      const lines = await linesOf(memory)
      const target = await open({ tenant, user: 'bob' })
      const at = (index: number, line: string) => lines.toSpliced(index, 1, line)
      const [header, block, , , artifact, session] = lines as [string, string, string, string, string, string]
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
        [6, at(5, '{"session":"","batches":[["b1",[{"type":"turn-start","turn":1}]]]}')],
        [6, at(5, '{"session":"chat","batches":{}}')],
        [6, at(5, '{"session":"chat","batches":[]}')],
        [6, at(5, '{"session":"chat","batches":["b1"]}')],
        [6, at(5, '{"session":"chat","batches":[["b1",[]]]}')],
        [6, at(5, '{"session":"chat","batches":[["b1",[null]]]}')],
        [6, at(5, '{"session":"chat","batches":[["b1",[{"turn":1}]]]}')],
        [6, at(5, '{"session":"chat","batches":[[1,[{"type":"turn-start","turn":1}]]]}')],
        [7, lines.toSpliced(5, 0, session)],
        [7, at(6, '{"end":{"blocks":1,"entries":3,"artifacts":1,"sessions":1}}')],
        [7, at(6, '{"end":{"blocks":1,"entries":2,"artifacts":1}}')],
        [7, at(6, '{"end":{"blocks":1,"entries":2,"artifacts":1,"sessions":2}}')],
        [8, [...lines, block]],
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
]

async function* asynchronous(lines: string[]): AsyncGenerator<string> {
  yield* lines
}
