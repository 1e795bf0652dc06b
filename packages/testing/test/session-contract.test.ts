/** The contract suite passes on a right store, and catches each wrong one. */
import { memorySession, type Session, SessionError } from '@clew/core'
import { describe, expect, it } from 'vitest'
import { sessionContract } from '../src/index.ts'

type Row = { id: string; at: number; end: number; text: string }
type Disk = Map<string, { rows: Row[]; holder?: object | undefined }>

/** A right store in few lines; every wrong one below is this with one thing changed. */
class Store implements Session {
  protected lease: object | undefined
  readonly id: string
  protected disk: Disk
  constructor(id: string, disk: Disk) {
    this.id = id
    this.disk = disk
  }
  get file() {
    const file = this.disk.get(this.key()) ?? { rows: [] }
    this.disk.set(this.key(), file)
    return file
  }
  key() {
    return this.id
  }
  end() {
    return this.file.rows.at(-1)?.end ?? 0
  }
  encode(events: object[]) {
    return JSON.stringify(events)
  }
  known(id: string, at: number) {
    return this.file.rows.find((row) => row.id === id && row.at === at)
  }
  async read() {
    return { events: this.file.rows.flatMap((row) => JSON.parse(row.text)), at: this.end() }
  }
  async append(at: number, { id, events }: { id: string; events: object[] }) {
    const text = this.encode(events)
    const known = this.known(id, at)
    if (known) return known.end
    this.check(at)
    if (events.length > 0) this.file.rows.push({ id, at, end: at + events.length, text })
    return this.end()
  }
  check(at: number) {
    if (at !== this.end()) throw new SessionError('stale')
  }
  async acquire() {
    if (this.file.holder) throw new SessionError('held')
    const mine = {}
    this.file.holder = mine
    this.lease = mine
    return { release: async () => this.release(mine) }
  }
  release(mine: object | undefined) {
    if (this.file.holder === mine) this.file.holder = undefined
  }
  async close() {
    this.release(this.lease)
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Each with what is wrong, and a word of the case that has to tell. */
const broken: [wrong: string, caught: RegExp, store: typeof Store][] = [
  [
    'keeps its log for one opening',
    /also by who opens it anew/,
    class extends Store {
      override disk: Disk = new Map()
    },
  ],
  [
    'reads the last event not',
    /read in order/,
    class extends Store {
      override async read() {
        const { events, at } = await super.read()
        return { events: events.slice(0, -1), at }
      }
    },
  ],
  [
    'gives a wrong position',
    /read in order/,
    class extends Store {
      override async append(...given: Parameters<Store['append']>) {
        return (await super.append(...given)) && this.file.rows.length
      }
    },
  ],
  ...(
    [
      ['sorts keys, as jsonb does', (text) => JSON.stringify(sorted(JSON.parse(text)))],
      ['drops NUL characters', (text) => text.replaceAll('\\u0000', '')],
      ['replaces half characters', (text) => text.replaceAll(/\\ud[89a-f]../g, '\ufffd')],
      ['loses keys named __proto__', (text) => text.replace(/"__proto__":\{[^}]*\},/, '')],
      ['keeps floats short', (text) => text.replace('0.30000000000000004', '0.3')],
      ['normalises text', (text) => text.normalize('NFC')],
      ['trims a byte order mark', (text) => text.replaceAll('\ufeff', '')],
    ] satisfies [string, (text: string) => string][]
  ).map(([wrong, change]): (typeof broken)[number] => [
    wrong,
    /byte for byte/,
    class extends Store {
      override encode(events: object[]) {
        return change(super.encode(events))
      }
    },
  ]),
  [
    'does not look at the position',
    /not the end is refused/,
    class extends Store {
      override check() {}
    },
  ],
  [
    'refuses with an error of its own',
    /not the end is refused/,
    class extends Store {
      override check(at: number) {
        if (at !== this.end()) throw new Error('stale')
      }
    },
  ],
  [
    'takes positions beyond the end',
    /not the end is refused/,
    class extends Store {
      override check(at: number) {
        if (at < this.end()) throw new SessionError('stale')
      }
    },
  ],
  [
    'writes what it refuses',
    /not the end is refused/,
    class extends Store {
      override check(at: number) {
        const end = this.end()
        if (at === end) return
        this.file.rows.push({ id: '', at: end, end: end + 1, text: this.encode([{}]) })
        throw new SessionError('stale')
      }
    },
  ],
  [
    'knows no batch twice',
    /the same batch again at its position/,
    class extends Store {
      override known() {
        return undefined
      }
    },
  ],
  [
    'knows the last batch only',
    /no longer the last/,
    class extends Store {
      override known(id: string, at: number) {
        const known = super.known(id, at)
        return known === this.file.rows.at(-1) ? known : undefined
      }
    },
  ],
  [
    'forgets batches when it is closed',
    /known to who opens the session anew/,
    class extends Store {
      mine = new Set<string>()
      override async append(at: number, batch: Parameters<Store['append']>[1]) {
        const end = await super.append(at, batch)
        this.mine.add(batch.id)
        return end
      }
      override known(id: string, at: number) {
        return this.mine.has(id) ? super.known(id, at) : undefined
      }
    },
  ],
  [
    'knows a batch wherever it stands',
    /elsewhere in the middle/,
    class extends Store {
      override known(id: string) {
        return this.file.rows.find((row) => row.id === id)
      }
    },
  ],
  [
    'knows a batch by its position alone',
    /another batch at a position that is taken/,
    class extends Store {
      override known(_id: string, at: number) {
        return this.file.rows.find((row) => row.at === at)
      }
    },
  ],
  [
    'counts a batch without events',
    /without events/,
    class extends Store {
      override async append(at: number, batch: Parameters<Store['append']>[1]) {
        return super.append(at, batch.events.length === 0 ? { ...batch, events: [{}] } : batch)
      }
    },
  ],
  [
    'waits between comparing and appending',
    /exactly one wins/,
    class extends Store {
      override async append(at: number, { id, events }: Parameters<Store['append']>[1]) {
        const text = this.encode(events)
        const known = this.known(id, at)
        if (known) return known.end
        this.check(at)
        await turn()
        if (events.length > 0) this.file.rows.push({ id, at, end: at + events.length, text })
        return at + events.length
      }
    },
  ],
  [
    'refuses both of two writers',
    /exactly one wins/,
    class extends Store {
      override async append(at: number, batch: Parameters<Store['append']>[1]) {
        const asked = (asking.get(this.file) ?? 0) + 1
        asking.set(this.file, asked)
        await turn()
        const all = asking.get(this.file) ?? 0
        await turn()
        asking.delete(this.file)
        if (all > 1) throw new SessionError('busy')
        return super.append(at, batch)
      }
    },
  ],
  [
    'reads a page of 1000',
    /10,000 events/,
    class extends Store {
      override async read() {
        const { events, at } = await super.read()
        return { events: events.slice(0, 1000), at }
      }
    },
  ],
  [
    'cuts what is long',
    /5 MB/,
    class extends Store {
      override encode(events: object[]) {
        const text = super.encode(events)
        return text.length < 4_000_000 ? text : '[{},{}]'
      }
    },
  ],
  ...(
    [
      ['leaves slashes out of ids', (id) => id.replaceAll('/', '')],
      ['ignores case', (id) => id.toLowerCase()],
      ['trims and joins spaces', (id) => id.replace(/\s+/g, ' ')],
      ['normalises ids', (id) => id.normalize('NFC')],
      ['cuts ids', (id) => id.slice(0, 255)],
    ] satisfies [string, (id: string) => string][]
  ).map(([wrong, key]): (typeof broken)[number] => [
    wrong,
    /sessions are apart/,
    class extends Store {
      override key() {
        return key(this.id)
      }
    },
  ]),
  [
    'serialises when it has waited',
    /after an append changes nothing/,
    class extends Store {
      override async append(at: number, batch: Parameters<Store['append']>[1]) {
        await Promise.resolve()
        return super.append(at, batch)
      }
    },
  ],
  [
    'gives out what it holds',
    /after an append changes nothing/,
    class extends Store {
      held: { events: never[]; at: number } | undefined
      override async read() {
        const read = await super.read()
        if (this.held?.at !== read.at) this.held = read as NonNullable<typeof this.held>
        return this.held as typeof read
      }
    },
  ],
  [
    'closes once',
    /close may come twice/,
    class extends Store {
      isClosed = false
      override async close() {
        if (this.isClosed) throw new Error('closed')
        this.isClosed = true
        await super.close()
      }
    },
  ],
  [
    'breaks when it is used after close',
    /refuses with a SessionError/,
    class extends Store {
      override async close() {
        this.end = () => {
          throw new TypeError('undefined is not an object')
        }
      }
    },
  ],
  [
    'cannot be closed before it was used',
    /never used can be closed/,
    class extends Store {
      override async close() {
        if (!this.disk.has(this.key())) throw new TypeError('undefined is not an object')
        await super.close()
      }
    },
  ],
  [
    'gives everybody a lease',
    /keeps others out/,
    class extends Store {
      override async acquire() {
        return { release: async () => {} }
      }
    },
  ],
  [
    'gives the same object a second lease',
    /keeps others out/,
    class extends Store {
      override async acquire() {
        if (this.lease) this.release(this.lease)
        return super.acquire()
      }
    },
  ],
  [
    "releases its successor's lease",
    /keeps others out/,
    class extends Store {
      override release() {
        this.file.holder = undefined
      }
    },
  ],
  [
    'asks for the lease and then takes it',
    /one gets it/,
    class extends Store {
      override async acquire() {
        if (this.file.holder) throw new SessionError('held')
        await turn()
        this.file.holder = undefined
        return super.acquire()
      }
    },
  ],
  [
    'keeps the lease when it is closed',
    /close releases/,
    class extends Store {
      override async close() {}
    },
  ],
]

const asking = new WeakMap<object, number>()

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, child]) => [key, sorted(child)] as const)
      .toSorted(([one], [two]) => (one < two ? -1 : 1)),
  )
}

describe('the session contract on memorySession', () => {
  const sessions = new Map<string, Session>()
  const open = (id: string) => {
    const session = sessions.get(id) ?? memorySession(id)
    sessions.set(id, session)
    return session
  }
  for (const { name, run } of sessionContract(open)) it(name, run)
})

describe('the session contract on a store with leases', () => {
  const disk: Disk = new Map()
  for (const { name, run } of sessionContract((id) => new Store(id, disk))) it(name, run)
})

describe('the session contract catches a store that', () => {
  it.each(broken)('%s', async (_, caught, Wrong) => {
    const disk: Disk = new Map()
    const failed: string[] = []
    for (const { name, run } of sessionContract((id) => new Wrong(id, disk)))
      await run().catch(() => {
        failed.push(name)
      })
    expect(
      failed.some((name) => caught.test(name)),
      `caught by: ${failed.join('; ') || 'nothing'}`,
    ).toBe(true)
  })
})
