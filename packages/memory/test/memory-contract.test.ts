/** That the memory contract catches a wrong store: each here is the right one with one thing changed. */
import { memoryContract } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import {
  type Memory,
  type MemoryStore,
  type RetentionOptions,
  type Scope,
  type ScopeParts,
  scope,
} from '../src/index.ts'
import { storeOf } from '../src/store/in-memory.ts'
import { State } from '../src/store/state.ts'

/** By the right memory; `open` opens another scope of the same store, `unlimited` one of a store without retention. */
type Wrong = (
  right: Memory,
  open: (scope: Scope) => Promise<Memory>,
  unlimited: (scope: Scope) => Promise<Memory>,
) => { [Method in keyof Memory]?: unknown }

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Each with what is wrong, and a word of the case that has to tell. */
const broken: [wrong: string, caught: RegExp, wrong: Wrong][] = [
  ['loses the history of blocks', /its revision and history/, () => ({ blockHistory: async () => [] })],
  [
    'gives the history in the wrong order',
    /its revision and history/,
    (right) => ({ blockHistory: async (name: string) => (await right.blockHistory(name)).reverse() }),
  ],
  [
    'writes over whatever there is',
    /another revision than its own/,
    (right) => ({
      writeBlock: async (name: string, value: never) =>
        right.writeBlock(name, value, (await right.readBlock(name))?.revision ?? 0),
    }),
  ],
  [
    'looks, waits and writes',
    /exactly one wins/,
    (right) => ({
      async writeBlock(name: string, value: never, revision: number) {
        const current = await right.readBlock(name)
        if ((current?.revision ?? 0) !== revision) return right.writeBlock(name, value, revision)
        await turn()
        return right.writeBlock(name, value, (await right.readBlock(name))?.revision ?? 0)
      },
    }),
  ],
  [
    'does not replace an entry',
    /replaced, counted and removed/,
    (right) => ({
      async add(entries: Parameters<Memory['add']>[0]) {
        const there = await Promise.all(entries.map((entry) => right.get(entry.id)))
        await right.add(entries.filter((_, index) => !there[index]))
      },
    }),
  ],
  [
    'drops NUL',
    /every character/,
    (right) => ({
      add: (entries: { text: string }[]) =>
        right.add(entries.map((entry) => ({ ...entry, text: entry.text.replaceAll('\0', '') })) as never),
    }),
  ],
  [
    'replaces half characters in artifacts',
    /every character/,
    (right) => ({ putArtifact: (text: string) => right.putArtifact(text.toWellFormed()) }),
  ],
  [
    'adds one after the other',
    /before anything is written/,
    (right) => ({
      async add(entries: never[]) {
        for (const entry of entries) await right.add([entry])
      },
    }),
  ],
  [
    'splits pairs',
    /never split a character/,
    (right) => ({
      async readArtifact(id: string, range?: { from: number; to: number }) {
        const whole = await right.readArtifact(id)
        return whole && range
          ? { ...whole, text: whole.text.slice(range.from, range.to) }
          : right.readArtifact(id, range)
      },
    }),
  ],
  [
    'imports until the first bad line',
    /nothing of it is written/,
    (right) => ({
      async import(lines: string[]) {
        for (const line of [...lines].slice(2, 3)) {
          const { entry } = JSON.parse(line.startsWith('{"entry"') ? line : '{}') as { entry?: never }
          if (entry) await right.add([entry]).catch(() => {})
        }
        return right.import(lines)
      },
    }),
  ],
  [
    'knows no case',
    /whatever their case/,
    (right) => ({
      search: (query: { text?: string }) =>
        right.search({ ...query, ...(query.text && { text: query.text.replace('CAFÉ', 'nothing') }) }),
    }),
  ],
  [
    'reads a query as a language',
    /plain text/,
    (right) => ({
      async search(query: { text?: string }) {
        if (query.text?.includes('"')) throw new Error('syntax error')
        return right.search(query)
      },
    }),
  ],
  [
    'gives no ranks',
    /each rank is told/,
    (right) => ({
      search: async (query: object) =>
        (await right.search(query)).map((found) => ({ ...found, ranks: { recency: 1 } })),
    }),
  ],
  [
    'searches its scope alone',
    /covers its scope and those below/,
    (right) => ({
      search: async (query: object) =>
        (await right.search(query)).filter((found) => String(found.scope) === String(right.scope)),
    }),
  ],
  [
    'says done too early',
    /as many steps/,
    (right) => ({ prune: async (options: never) => ({ ...(await right.prune(options)), done: true }) }),
  ],
  [
    'tells a wrong receipt',
    /tells what/,
    (right) => ({ erase: async () => ({ ...(await right.erase()), vectors: 0 }) }),
  ],
  [
    'opens itself anew behind an erasure',
    /writes nothing any more/,
    (right, open) => ({
      add: (entries: never[]) => right.add(entries).catch(async () => (await open(right.scope)).add(entries)),
    }),
  ],
  [
    'reads what has expired until it is pruned',
    /before anybody prunes/,
    // As a store without the setting.
    (right, _, unlimited) => ({
      readBlock: async (name: string) => (await unlimited(right.scope)).readBlock(name),
    }),
  ],
  [
    'finds what has expired',
    /before anybody prunes/,
    (right, _, unlimited) => ({ search: async (query: object) => (await unlimited(right.scope)).search(query) }),
  ],
  [
    'exports what has expired',
    /before anybody prunes/,
    (right, _, unlimited) => ({
      async *export() {
        yield* (await unlimited(right.scope)).export()
      },
    }),
  ],
  [
    'prunes under a hold below all the same',
    /nothing expires under a hold/,
    (right) => ({
      async prune(options?: never) {
        if (options) return right.prune(options)
        await right.hold(false)
        return right.prune()
      },
    }),
  ],
  [
    'prunes more than the limit',
    /tells what/,
    (right) => ({
      prune: (options: { limit?: number } = {}) =>
        right.prune('kind' in options ? (options as never) : { ...options, limit: 9 }),
    }),
  ],
  [
    'tells a prune that removed nothing',
    /tells what/,
    (right) => ({
      prune: async (options?: never) => {
        const { removed, done } = await right.prune(options)
        return { removed: { ...removed, blockVersions: 0 }, done }
      },
    }),
  ],
  [
    'has no lease for a session',
    /has a lease/,
    (right) => ({
      session(id: string) {
        const { acquire: _, ...session } = right.session(id)
        return session
      },
    }),
  ],
  [
    'gives a lease to everybody',
    /a lease keeps others out/,
    (right) => ({
      session: (id: string) => ({ ...right.session(id), acquire: async () => ({ release: async () => {} }) }),
    }),
  ],
  [
    'keeps the lease when a session is closed',
    /close releases the lease/,
    (right) => ({ session: (id: string) => ({ ...right.session(id), close: async () => {} }) }),
  ],
  [
    'forgets the age of what is imported',
    /as old as it was/,
    (right) => ({
      import: (lines: string[]) =>
        right.import([...lines].map((line) => line.replace(/"written":\d+/, '"written":2e12'))),
    }),
  ],
  ['holds nothing', /keeps everything until it ends/, () => ({ hold: async () => {} })],
  ['has one memory for a user of any tenant', /one user of two tenants/, () => ({})],
]

const shared = (parts: ScopeParts) =>
  scope(parts.user === undefined || !isPair(parts) ? parts : { ...parts, tenant: 'all' })
/** Only in the cases of isolation: elsewhere a tenant is new each time. */
const isPair = ({ user, thread }: ScopeParts) => user === 'ada' && thread === undefined

function wrongStore(state: State, wrong: Wrong, options: RetentionOptions): MemoryStore {
  const right = storeOf(state, options)
  return {
    async open(scope) {
      const memory = await right.open(scope)
      const changed = wrong(
        memory,
        (other) => right.open(other),
        (other) => storeOf(state).open(other),
      )
      return new Proxy(memory, {
        get(target, key) {
          const value = (changed as never)[key] ?? target[key as keyof Memory]
          return typeof value === 'function' ? (value as () => void).bind(target) : value
        },
      })
    },
    close: () => right.close(),
  }
}

describe('the memory contract catches a store that', () => {
  it.each(broken)('%s', async (name, caught, wrong) => {
    const state = new State()
    const scopes = name.startsWith('has one memory') ? shared : scope
    const cases = memoryContract({ scope: scopes, store: (options) => wrongStore(state, wrong, options) })
    const asked = cases.filter((each) => caught.test(each.name))
    const outcomes = await Promise.allSettled(asked.map(({ run }) => run()))
    expect(outcomes.map(({ status }) => status)).toContain('rejected')
  })

  it('and passes the right one behind the same wrapping', async () => {
    const state = new State()
    for (const { run } of memoryContract({ scope, store: (options) => wrongStore(state, () => ({}), options) }))
      await run()
  })
})
