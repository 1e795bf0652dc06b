/** Vectors in SQLite, measured by `sqlite-vec` where it is there and in the program where it is not: the same is found. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { memoryContract } from '@clew/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { inMemory, scope, sqliteMemory } from '../src/index.ts'
import { undoRetention } from './earlier.ts'
import { slow } from './every-store.ts'
import { compareStores } from './random-vectors.ts'
import { temporary } from './temporary.ts'

const folder = temporary()
const day = 86_400_000
const place = scope({ tenant: 'acme' })
const entry = (id: string, vector?: number[]) => ({ id, kind: 'fact', text: 'tea', at: 1, ...(vector && { vector }) })

/** As it would be, and not. */
const { isThere } = vi.hoisted(() => ({ isThere: { current: true } }))
vi.mock('sqlite-vec', async (original) => {
  const real = await original<typeof import('sqlite-vec')>()
  return {
    load(db: DatabaseSync) {
      if (!isThere.current) throw new Error('no such extension')
      real.load(db)
    },
  }
})
afterEach(() => {
  isThere.current = true
  vi.restoreAllMocks()
})

/** The statements that measure. */
function measuring() {
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare')
  return () => prepare.mock.calls.filter(([text]) => text.includes('vec_distance_cosine(')).length
}

describe('sqliteMemory', { timeout: slow }, () => {
  it.each([true, false])('finds the same by vector as a store in the process (sqlite-vec: %s)', async (there) => {
    isThere.current = there
    const measured = measuring()
    const store = sqliteMemory({ file: join(folder, `compared-${there}.db`) })
    await compareStores([inMemory(), store], 'random')
    if (there) expect(measured()).toBeGreaterThan(0)
    else expect(measured()).toBe(0)
    await store.close()
  })

  describe('without sqlite-vec: the contract', () => {
    const file = join(folder, 'without.db')
    for (const { name, run } of memoryContract({ scope, store: (options) => sqliteMemory({ file, ...options }) }))
      it(name, async () => {
        isThere.current = false
        await run()
      })
  })

  it('one file serves processes with the extension and without, one after the other', async () => {
    const file = join(folder, 'shared.db')
    const found: unknown[] = []
    for (const there of [true, false, true, false]) {
      isThere.current = there
      const store = sqliteMemory({ file })
      const memory = await store.open(place)
      if (found.length === 0) await memory.add([entry('a', [1, 0]), entry('b', [1, 1]), entry('c', [0, 1])])
      if (found.length === 3) expect(await memory.remove(['a'])).toBe(1)
      found.push((await memory.search({ vector: [1, 0.1] })).map(({ entry }) => entry.id))
      await store.close()
    }
    expect(found).toEqual([...Array(3).fill(['a', 'b', 'c']), ['b', 'c']])
  })

  it.each([true, false])('loads this extension and nothing else (there: %s)', async (there) => {
    isThere.current = there
    const load = vi.spyOn(DatabaseSync.prototype, 'loadExtension')
    const enable = vi.spyOn(DatabaseSync.prototype, 'enableLoadExtension')
    const store = sqliteMemory({ file: join(folder, `loading-${there}.db`) })
    await store.open(place)
    expect(load.mock.calls.map(([path]) => /sqlite-vec.*vec0\.\w+$/.test(path))).toEqual(there ? [true] : [])
    expect(enable.mock.calls).toEqual([[false]])
    const db = enable.mock.contexts[0] as DatabaseSync
    expect(() => db.loadExtension('/anything')).toThrow(/not allowed/)
    expect(() => db.prepare("SELECT load_extension('/anything')").get()).toThrow(/not authorized/)
    expect(db.prepare('PRAGMA secure_delete').get()).toEqual({ secure_delete: 1 })
    await store.close()
  })

  it.each([1, 2])(
    'tables of version %s come forward: vectors, which were texts, are found, and what is old is as old as known',
    async (version) => {
      const file = join(folder, `version-${version}.db`)
      const store = sqliteMemory({ file, now: () => 0 })
      const vector = [1.5, -0, 1e-45, 3.4028234663852886e38].map(Math.fround)
      const kept = await store.open(place)
      await kept.add([entry('a', vector), entry('b')])
      await kept.writeBlock('plan', 1, 0)
      await store.close()
      const db = new DatabaseSync(file)
      const text = Buffer.from(Float32Array.from(vector).buffer).toString('base64')
      db.prepare('UPDATE memory_entries SET vector = ? WHERE dimension = 4').run(text)
      if (version === 1) db.exec(undoRetention('memory_'))
      db.prepare("UPDATE clew_version SET version = ? WHERE part = 'memory'").run(version)
      db.close()
      const later = sqliteMemory({ file, now: () => 2 * day, retention: { blocks: 1 } })
      const memory = await later.open(place)
      expect(await memory.get('a')).toEqual(entry('a', vector))
      expect(await memory.get('b')).toEqual(entry('b'))
      expect((await memory.search({ vector })).map(({ entry }) => entry.id)).toEqual(['a'])
      // The first version did not know when: its blocks count from now on.
      expect((await memory.readBlock('plan'))?.value).toBe(version === 1 ? 1 : undefined)
      await (await memory.session('chat').acquire?.())?.release()
      await later.close()
      const after = new DatabaseSync(file)
      expect(after.prepare('SELECT DISTINCT typeof(vector) AS type FROM memory_entries').all()).toEqual([
        { type: 'blob' },
        { type: 'null' },
      ])
      expect(after.prepare("SELECT version FROM clew_version WHERE part = 'memory'").get()).toEqual({ version: 3 })
      after.close()
    },
  )

  it('of many that are equally near, the newest are found', async () => {
    const store = sqliteMemory({ file: join(folder, 'ties.db') })
    const memory = await store.open(place)
    await memory.add(Array.from({ length: 300 }, (_, at) => ({ ...entry(`e${at}`, [0.3, 0.1 * (at % 2)]), at })))
    const found = await memory.search({ vector: [0.3, 0.1], limit: 3 })
    expect(found.map(({ entry }) => entry.id)).toEqual(['e299', 'e297', 'e295'])
    await store.close()
  })

  it('keeps none of the bytes of a vector that was erased', async () => {
    const { readFileSync } = await import('node:fs')
    const file = join(folder, 'erased.db')
    const store = sqliteMemory({ file })
    const memory = await store.open(place)
    const vector = Array.from({ length: 64 }, (_, at) => Math.fround(Math.sin(at + 1)))
    await memory.add([entry('a', vector)])
    const bytes = Buffer.from(Float32Array.from(vector).buffer)
    const isKept = () => [file, `${file}-wal`].some((path) => readFileSync(path).includes(bytes))
    expect(isKept()).toBe(true)
    expect(await memory.erase()).toMatchObject({ entries: 1, vectors: 1 })
    expect(isKept()).toBe(false)
    await store.close()
  })
})
